"""A proxy before PostgreSQL that loses one COMMIT, or the answer to it."""

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from sqlalchemy import make_url

Lost = Literal["the commit", "the answer"]
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """Counts the COMMITs that pass, and cuts the connection at the one it is told to."""

    def __init__(self, database: str, folder: str) -> None:
        url = make_url(database)
        self.to_unix = str(url.query["host"]) if "host" in url.query else None
        self.to_tcp = (url.host or "", url.port or 5432)
        self.url = url.set(host=None, port=None, query={"host": folder}).render_as_string(False)
        self.commits = 0
        self.cut_at: int | None = None
        self.lost: Lost = "the commit"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/.s.PGSQL.5432")
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, number: int, lost: Lost) -> None:
        """Lose COMMIT `number`, counted from 1 from now on."""
        self.commits, self.cut_at, self.lost = 0, number, lost

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, self._server() as server:
            answers = threading.Event()
            answers.set()
            back = threading.Thread(target=self._answer, args=(server, client, answers))
            back.start()
            with suppress(OSError):
                while data := client.recv(1 << 16):
                    if data == COMMIT and self._is_cut():
                        if self.lost == "the answer":
                            answers.clear()
                            server.sendall(data)
                            server.recv(1, socket.MSG_PEEK)
                        break
                    server.sendall(data)
            for side in (client, server):
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
            answers.set()
            back.join()

    def _server(self) -> socket.socket:
        if self.to_unix is None:
            return socket.create_connection(self.to_tcp)
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self.to_unix}/.s.PGSQL.5432")
        return server

    def _answer(
        self, server: socket.socket, client: socket.socket, answers: threading.Event
    ) -> None:
        with suppress(OSError):
            while server.recv(1, socket.MSG_PEEK):
                answers.wait()
                client.sendall(server.recv(1 << 16))

    def _is_cut(self) -> bool:
        self.commits += 1
        return self.commits == self.cut_at


@contextmanager
def before(database: str) -> Iterator[Proxy]:
    """A proxy before this database."""
    folder = tempfile.mkdtemp(prefix="proxy-", dir="/tmp")
    proxy = Proxy(database, folder)
    try:
        yield proxy
    finally:
        proxy.listener.close()
        shutil.rmtree(folder)
