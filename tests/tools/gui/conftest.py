"""One Chromium and one small web server for all tests of the browser."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mllm.content import Text
from tests.tools.conftest import Context
from tests.tools.gui.rows import reference
from tools.protocol import Picture, ToolError

pytest.importorskip("playwright", reason="the extra gui is not installed")
from tools import Browser  # noqa: E402
from tools.gui import attempt, downloads, evidence, recovery  # noqa: E402
from tools.gui.approval import Request  # noqa: E402
from tools.gui.session import NAMES  # noqa: E402

HERE = Path(__file__).parent
FOLDERS = (Path(__file__).parents[3] / "examples" / "pages", HERE / "faults", HERE / "injections")
SECRETS = {"PASSWORD": "s3same-öffne!", "CARD": "4929381302846117", "PIN": "4711"}
SLOW = 0.5
"""Seconds that a slow answer takes."""
WAITS = (
    (attempt, "EXPECT", 0.5),
    (attempt, "SETTLE", 1.5),
    (evidence, "HOLDS", 0.3),
    (evidence, "ANSWERED", 1.5),
    (downloads, "BEGINS", 0.5),
    (recovery, "WAIT", 0.7),
)
"""How long is waited in tests for what does not come: longer than ``SLOW`` where it does."""
STYLE = "<!doctype html><meta charset=utf-8><title>Test</title><style>body{margin:20px}</style>"


@dataclass
class Site:
    """A server on loopback: bundled pages, pages that a test writes, and a booking desk.

    What is sent to a path with "refuse" is refused, to one with "slow" answered late, to one with
    "error" answered with status 500 and glad words, and to "then/PAGE" with that page. A body that
    says "refuse" is refused anywhere. A path with "endless" is never answered, and "bookings" lists
    what was accepted.
    """

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    """What the desk answers with status 409; it accepts where this is empty."""
    booked: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Host and path of every request."""

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"

    def evil(self) -> str:
        """Where no page may lead."""
        return self.url(host="evil.localhost")

    def filled(self, page: str) -> str:
        """A bundled page with the addresses of this server."""
        return page.replace("{{evil}}", self.evil()).replace("{{site}}", self.url())

    def put(self, body: str, path: str = "") -> str:
        """The address of a page with this body."""
        path = path or f"page{len(self.pages)}.html"
        self.pages[f"/{path}"] = STYLE + body
        return self.url(path)


def bundled(name: str) -> str:
    """The page of this name, "" where there is none."""
    found = [folder / name for folder in FOLDERS if name and (folder / name).is_file()]
    return found[0].read_text("utf-8") if found else ""


def scenario(page: str) -> dict[str, Any]:
    """What is tried on a page and how it ends: JSON in the page's first comment."""
    told: dict[str, Any] = json.loads(page.partition("<!--")[2].partition("-->")[0])
    return told


@pytest.fixture(scope="session")
def server() -> Iterator[Site]:
    site = Site()

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(f"{self.headers['host']}{self.path}")
            if "endless" in self.path:
                self.rfile.read(1)  # until the browser gives up
            elif self.path == "/bookings":
                self.reply(200, "<br>".join(site.booked).encode())
            elif self.path.startswith("/redirect?"):
                self.send_response(302)
                self.send_header("Location", self.path.partition("?")[2])
                self.end_headers()
            elif self.path in site.pages:
                self.reply(200, site.pages[self.path].encode())
            elif self.path.startswith("/file"):
                self.reply(200, b"data", ("Content-Disposition", "attachment; filename=menu.txt"))
            elif page := bundled(self.path.lstrip("/").partition("?")[0]):
                self.reply(200, site.filled(page).encode())
            else:
                self.reply(404, b"nothing here")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            site.asked.append(f"{self.headers['host']}{self.path}")
            refusal = site.refusal or ("refused" if "refuse" in self.path + body else "")
            if "slow" in self.path:
                time.sleep(SLOW)
            if "endless" in self.path:
                self.rfile.read(1)
            elif "error" in self.path:
                self.reply(500, b"Your table is booked")
            elif refusal:
                self.reply(409, refusal.encode())
            else:
                site.booked.append(body)
                page = self.path.partition("/then")[2]
                self.reply(303 if page else 200, b"booked", *([("Location", page)] if page else []))

        do_PUT = do_PATCH = do_DELETE = do_POST

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


@dataclass
class Person:
    """Who is asked for approval."""

    agrees: bool = True
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> bool:
        self.asked.append(request)
        return self.agrees


@pytest.fixture(scope="session")
def somebody() -> Person:
    return Person()


@pytest.fixture
def person(somebody: Person) -> Person:
    somebody.agrees = True
    somebody.asked.clear()
    return somebody


@pytest.fixture(scope="session")
def chromium(somebody: Person) -> Iterator[Browser]:
    if not any(map(shutil.which, NAMES)):
        pytest.skip("Chromium is not installed")
    with Browser(
        allowed=("127.0.0.1", "localhost"),
        denied=("evil.localhost",),
        secrets=SECRETS,
        approve=somebody,
        size=(640, 480),
        pictures=False,
    ) as browser:
        yield browser


@dataclass
class Surfer:
    """The browser as a model uses it: what comes back is text, and a screenshot with an id."""

    browser: Browser
    context: Context

    heard: list[str] = field(default_factory=list)
    """Everything that was told, failures too."""

    def __call__(self, name: str, /, **arguments: Any) -> str:
        beside: dict[str, Any] = {
            k: arguments.pop(k) for k in ("expect", "accept_dialog", "answer") if k in arguments
        }
        called = {"action": {"name": name, **arguments}, **beside}
        try:
            return self.said(self.browser.call(called, self.context))
        except ToolError as failure:
            self.heard.append(str(failure))
            raise

    def open(self, url: str) -> str:
        return self("goto", url=url)

    def look(self, **arguments: Any) -> str:
        return self.said(self.browser.page.call(arguments, self.context))

    def said(self, parts: Any) -> str:
        for part in parts:
            if isinstance(part, Picture) and part.data:
                self.context.add_file(
                    part.data, "image", "image/png", f"{part.name}1", part.image.size
                )
        self.heard.append("\n".join(p.text for p in parts if isinstance(p, Text)))
        return self.heard[-1]

    def ref(self, row: str) -> str:
        """The reference of the first row that holds these words."""
        lines = self.look(find=row).splitlines()[1:]
        return next(reference(line) for line in lines if row in line)


@pytest.fixture
def surf(
    chromium: Browser, context: Context, person: Person, monkeypatch: pytest.MonkeyPatch
) -> Surfer:
    for module, name, seconds in WAITS:
        monkeypatch.setattr(module, name, seconds)
    session = chromium._driver.session

    async def leave_one_tab() -> None:
        for tab in session.tabs():
            if tab is not session.in_front():
                await tab.page.close()

    session.call(leave_one_tab, 10, "closing tabs")
    return Surfer(chromium, context)


def browsers() -> set[int]:
    """The browser processes that belong to these tests."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"--remote-debugging-p" in command and b"--type=" not in command and _ours(folder):
                found.add(int(folder.name))
    return found


def _ours(folder: Path) -> bool:
    while folder.name not in ("0", "1"):
        if int(folder.name) == os.getpid():
            return True
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        folder = Path("/proc") / parent
    return False
