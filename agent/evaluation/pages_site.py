"""A small server on loopback for the pages of one process: it accepts or refuses what is sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass
class Site:
    """``put`` a page and open its address; what is sent to ``refuse`` is answered with 409.

    ``beside`` is a folder with what pages load besides: no page in it is served.
    """

    beside: Path | None = None
    _pages: dict[str, str] = field(default_factory=dict)
    _http: ThreadingHTTPServer | None = None

    def put(self, name: str, html: str) -> str:
        """The address of the page, the only one that the site has now."""
        assert self._http is not None
        self._pages = {f"/{name}.html": html}
        return f"http://127.0.0.1:{self._http.server_port}/{name}.html"

    def _part(self, path: str) -> Path | None:
        """The file of ``beside`` with this path, None where there is none or it is a page."""
        if self.beside is None or ".." in path or path.endswith(".html"):
            return None
        part = self.beside / path.lstrip("/")
        return part if part.is_file() else None

    def __enter__(self) -> Self:
        pages = self

        class Desk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                page = pages._pages.get(path)
                if page is not None:
                    self._reply(200, page.encode())
                elif (part := pages._part(path)) is not None:
                    self._reply(200, part.read_bytes(), guess_type(part)[0] or "")
                else:
                    self._reply(404, b"")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self._reply(409 if "refuse" in self.path else 200, b"")

            def _reply(self, status: int, body: bytes, kind: str = "text/html") -> None:
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
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
