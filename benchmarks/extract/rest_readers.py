"""`rest_readers.py READER URL IN_FLIGHT`: read all records of the API, and say how it went.

A script of its own, so that no reader pays for what another needs.
"""

import json
import sys
import time
from collections.abc import Iterator


def sequential(url: str, _: int) -> Iterator[int]:
    """What one would write first."""
    import httpx

    with httpx.Client() as client:
        page, got, total = 1, 0, 1
        while got < total:
            body = client.get(f"{url}/orders", params={"page": page, "per_page": 200}).json()
            total, found = body["total"], len(body["data"])
            got, page = got + found, page + 1
            yield found


def ours(url: str, in_flight: int) -> Iterator[int]:
    """What a generated project does, up to the frames that it transforms."""
    from runtime.endpoints import Endpoint
    from runtime.http import Api
    from runtime.pages import PageNumber
    from runtime.resource import Window

    endpoint = Endpoint(
        "/orders",
        ["id", "customer.id", "customer.name", "total", "currency", "lines", "note", "updated_at"],
        records="$.data[*]",
        pages=PageNumber(size=200, size_param="per_page", total="$.total", in_flight=in_flight),
        documents=["lines"],
    )
    yield 0
    with Api(url, rate_limit=10_000) as api:
        (partition,) = endpoint.partitions(api, Window())
        for frame in endpoint.read(api, partition):
            yield len(frame)


def dlt(url: str, _: int) -> Iterator[int]:
    """dlt's records, before it normalizes or loads anything."""
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {"base_url": url},
            "resources": [
                {
                    "name": "orders",
                    "endpoint": {
                        "path": "orders",
                        "params": {"per_page": 200},
                        "data_selector": "data",
                        "paginator": {
                            "type": "page_number",
                            "base_page": 1,
                            "page_param": "page",
                            "total_path": None,
                            "stop_after_empty_page": True,
                        },
                    },
                }
            ],
        }
    )
    yield 0
    for _record in source.resources["orders"]:
        yield 1


def main() -> None:
    reader = {"sequential": sequential, "ours": ours, "dlt": dlt}[sys.argv[1]]
    counts = reader(sys.argv[2], int(sys.argv[3]))
    records = next(counts)  # the imports are done
    started = time.monotonic()
    records += sum(counts)
    taken = {"records": records, "seconds": time.monotonic() - started}
    print(json.dumps(taken), file=sys.stderr)


if __name__ == "__main__":
    main()
