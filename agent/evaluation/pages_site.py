"""A small server on loopback for the pages of one process: it accepts or refuses what is sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass
class Site:
    """``put`` a page and open its address; what is sent to ``refuse`` is answered with 409."""

    _pages: dict[str, str] = field(default_factory=dict)
    _http: ThreadingHTTPServer | None = None

    def put(self, name: str, html: str) -> str:
        """The address of the page, the only one that the site has now."""
        assert self._http is not None
        self._pages = {f"/{name}.html": html}
        return f"http://127.0.0.1:{self._http.server_port}/{name}.html"

    def __enter__(self) -> Self:
        pages = self

        class Desk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages._pages.get(self.path)
                self._reply(200 if page else 404, (page or "").encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self._reply(409 if "refuse" in self.path else 200, b"")

            def _reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._http is not None
        self._http.shutdown()
        self._http.server_close()
