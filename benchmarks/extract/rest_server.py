"""An API for the benchmark: pages made beforehand, each answered after 20 ms; prints its port.

`python -m benchmarks.extract.rest_server PAGES`
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

RECORDS = 200
LATENCY = 0.02


def page(number: int, pages: int) -> bytes:
    """A whole answer, headers too."""
    first = (number - 1) * RECORDS
    body = json.dumps({"data": [record(first + n) for n in range(RECORDS)], "total": total(pages)})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


def record(number: int) -> dict[str, object]:
    return {
        "id": number,
        "customer": {"id": number % 977, "name": f"Customer No. {number % 977}"},
        "total": round(number * 1.01 % 1000, 2),
        "currency": "EUR",
        "lines": [{"sku": f"A-{number % 50}", "amount": number % 7}],
        "note": None if number % 3 else "leave it at the door",
        "updated_at": f"2026-01-{number % 28 + 1:02}T{number % 24:02}:00:00Z",
    }


def total(pages: int) -> int:
    return pages * RECORDS


async def serve(pages: int) -> None:
    answers = [page(number, pages) for number in range(1, pages + 1)]
    empty = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{"data": [], "total": %d}'
    nothing = empty % (len(b'{"data": [], "total": }') + len(str(total(pages))), total(pages))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                query = parse_qs(urlsplit(request.split(b" ", 2)[1].decode()).query)
                number = int(query["page"][0])
                await asyncio.sleep(LATENCY)
                writer.write(answers[number - 1] if number <= pages else nothing)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
