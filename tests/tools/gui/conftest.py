"""One Chromium and one small web server for all tests of the browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mllm.content import Text
from tests.tools.conftest import Context
from tools.protocol import Picture

pytest.importorskip("playwright", reason="the extra gui is not installed")
from tools import Browser  # noqa: E402
from tools.gui import driver  # noqa: E402
from tools.gui.session import NAMES  # noqa: E402

PAGES = Path(__file__).parents[3] / "examples" / "pages"
STYLE = "<!doctype html><meta charset=utf-8><title>Test</title><style>body{margin:20px}</style>"


@dataclass
class Site:
    """A server on loopback: bundled pages, pages that a test writes, and a booking desk."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    """What the desk answers with status 409; it accepts where this is empty."""
    booked: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Host and path of every request."""

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"

    def put(self, body: str, path: str = "") -> str:
        """The address of a page with this body."""
        path = path or f"page{len(self.pages)}.html"
        self.pages[f"/{path}"] = STYLE + body
        return self.url(path)


@pytest.fixture(scope="session")
def server() -> Iterator[Site]:
    site = Site()

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(f"{self.headers['host']}{self.path}")
            if self.path.startswith("/redirect?"):
                self.send_response(302)
                self.send_header("Location", self.path.partition("?")[2])
                self.end_headers()
            elif self.path in site.pages:
                self.reply(200, site.pages[self.path].encode())
            elif self.path.startswith("/file"):
                self.reply(200, b"data", ("Content-Disposition", "attachment; filename=menu.txt"))
            elif (PAGES / self.path.lstrip("/")).is_file():
                self.reply(200, (PAGES / self.path.lstrip("/")).read_bytes())
            else:
                self.reply(404, b"nothing here")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            site.asked.append(f"{self.headers['host']}{self.path}")
            if not site.refusal:
                site.booked.append(body)
            self.reply(409 if site.refusal else 200, (site.refusal or "booked").encode())

        def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Type", "text/html; charset=utf-8"), *headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    site.port = http.server_port
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield site
    http.shutdown()


@pytest.fixture
def site(server: Site) -> Site:
    server.refusal = ""
    server.booked.clear()
    server.asked.clear()
    return server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not any(map(shutil.which, NAMES)):
        pytest.skip("Chromium is not installed")
    with Browser(denied=("evil.localhost",), size=(640, 480), pictures=False) as browser:
        yield browser


@dataclass
class Surfer:
    """The browser as a model uses it: what comes back is text, and a screenshot with an id."""

    browser: Browser
    context: Context

    def __call__(self, name: str, /, **arguments: Any) -> str:
        beside = {
            k: arguments.pop(k) for k in ("expect", "accept_dialog", "answer") if k in arguments
        }
        return self.said(
            self.browser.call({"action": {"name": name, **arguments}, **beside}, self.context)
        )

    def open(self, url: str) -> str:
        return self("goto", url=url)

    def look(self, **arguments: str) -> str:
        return self.said(self.browser.page.call(arguments, self.context))

    def said(self, parts: Any) -> str:
        for part in parts:
            if isinstance(part, Picture) and part.data:
                self.context.add_file(part.data, "image", "image/png", "screen1", part.image.size)
        return "\n".join(p.text for p in parts if isinstance(p, Text))

    def ref(self, row: str) -> str:
        """The reference of the first row that holds these words."""
        return next(line.split()[0] for line in self.look(find=row).splitlines()[1:] if row in line)


@pytest.fixture
def surf(chromium: Browser, context: Context, monkeypatch: pytest.MonkeyPatch) -> Surfer:
    monkeypatch.setattr(driver, "EXPECT", 0.5)
    return Surfer(chromium, context)
