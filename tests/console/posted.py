"""A server for alert senders: it answers what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "wr_secret-token"


class Server:
    """A server that answers what a test says and remembers what it was posted."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.posts: list[tuple[str, Mapping[str, str], Any]] = []
        house = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                house.posts.append((self.path, dict(self.headers), json.loads(body)))
                status = house.answers.pop(0) if house.answers else 202
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"error": "That is \\u001b[31mwrong."}')

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def url(self, kind: str = "generic") -> str:
        """The address for senders of a kind."""
        return f"{self.address}/in/{kind}/{TOKEN}"

    @property
    def bodies(self) -> list[Any]:
        """What was posted."""
        return [body for _, _, body in self.posts]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
