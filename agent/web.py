"""A run that begins at an address: what a person means by it, its browser, its first call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from agent.errors import InputError
from mllm.content import ToolCall

if TYPE_CHECKING:
    from tools.gui.browser import Browser

WAY_OUT = "give a page's address (https://example.com) or a file that exists"


def place(url: str) -> str:
    """The whole address of a URL, a host or a file. Raises ``InputError`` when it is none."""
    try:
        from tools.gui.safety import with_scheme
    except ModuleNotFoundError as error:
        raise InputError(f"{error}.") from error
    path = Path(url).expanduser()
    if "://" not in url and path.is_file():
        return path.resolve().as_uri()
    meant = url.startswith(("/", ".", "~")) or (path.suffix == ".html" and path.name == url)
    address: str = "" if meant else with_scheme(url)
    parts = urlsplit(address)
    if parts.scheme == "file" and Path(unquote(parts.path)).is_file():
        return address
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{url} cannot be opened: {WAY_OUT}.")
    return address


def browser(address: str) -> Browser:
    """A browser that may visit the domain of ``address`` and no other; of a file, its folder."""
    from tools.gui.browser import Browser

    parts = urlsplit(address)
    if parts.scheme == "file":
        return Browser(folders=(str(Path(unquote(parts.path)).parent),))
    return Browser(allowed=(parts.hostname or "",))


def start(browser: Browser) -> None:
    """Raises ``InputError`` when there is no Chromium to start."""
    from tools.protocol import ToolError

    try:
        browser.start()
    except ToolError as error:
        raise InputError(f"--url needs a browser: {error}.") from error


def opening(address: str) -> ToolCall:
    """The call that opens the page, before the model's first turn."""
    return ToolCall(
        id="open", name="browser", arguments={"action": {"name": "goto", "url": address}}
    )
