"""What a session did so far, as far as a later claim or a later submission must agree with it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from playwright.async_api import Request

from tools.gui.asked import Asked

REMEMBERED = 40
"""Actions whose page of before is kept."""
HARMLESS = ("GET", "HEAD", "OPTIONS")
"""Methods that send nothing."""


@dataclass
class Ledger:
    """Outlives the browser: what was sent and refused before a crash was sent and refused."""

    found: dict[str, str] = field(default_factory=dict)
    """Plain text of the pages that were opened, by address, before the first action on them."""
    before: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Address and plain text of the page before each action that could have an effect."""
    entered: set[str] = field(default_factory=set)
    """References of the fields that took what was put into them."""
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    """What was sent and refused, by method and address, until the same is accepted."""
    sent: dict[Request, tuple[str, str, bool]] = field(default_factory=dict)
    """What was sent and is not answered, by method and address, and whether an action did it."""
    stopped: set[tuple[str, str]] = field(default_factory=set)
    """What was kept from being sent, by method and address, until its end is told."""
    posted: Counter[str] = field(default_factory=Counter)
    """Addresses that something was sent to since the browser started, and how often it was not
    refused."""
    lost: set[str] = field(default_factory=set)
    """The same of browsers that ended: nobody may have seen what came of it."""
    asked: Asked = field(default_factory=Asked)
    opened: bool = True
    """Whether nothing was done yet on the page in front, which no action led to."""
    changed: bool = False
    """Whether a server accepted something that an action sent, or may have before a crash."""

    def clear(self, task: str) -> None:
        """Another task begins."""
        self.asked = Asked(task)
        for kept in (self.found, self.before, self.entered, self.refused, self.sent):
            kept.clear()
        for addresses in (self.stopped, self.posted, self.lost):
            addresses.clear()
        self.opened, self.changed = True, False

    def act(self, url: str, text: str) -> None:
        """An action that can have an effect begins on this page."""
        if self.opened and not self.changed:  # else it may show what was done before
            self.found.setdefault(url, text)
        self.before.append((url, text))
        self.opened = False

    def send(self, request: Request, acting: bool) -> None:
        if request.method not in HARMLESS:
            self.sent[request] = (request.method, address(request.url), acting)

    def post(self, url: str) -> None:
        """Something is sent there now, once more where a browser that ended had done so."""
        self.posted[address(url)] += 1
        self.lost.discard(address(url))

    def stop(self, method: str, url: str) -> None:
        """It is kept from being sent: an answer to it is none of the server's."""
        self.stopped.add((method, address(url)))

    def answer(self, request: Request, status: int, refusal: str) -> None:
        """``status`` is 0 where no answer came; ``refusal`` is "" where that says nothing, because
        the page itself gave up waiting."""
        method, url, acting = self.sent.pop(request, ("", "", False))
        if (method, url) in self.stopped:
            self.stopped.discard((method, url))
            return
        if status >= 400:  # this one is forgotten, not what was accepted at the same address
            self.posted -= Counter([url])
        if 0 < status < 400:
            self.refused.pop((method, url), None)
            self.changed = self.changed or acting
        elif method and refusal:
            self.refused[method, url] = refusal

    def unanswered(self) -> list[str]:
        """What actions sent. What a page sends by itself may stay open for as long as it likes."""
        return [f"{method} {url}" for method, url, acting in self.sent.values() if acting]

    def lose(self) -> None:
        """The browser ended: nobody knows what became of what it had sent."""
        self.changed = self.changed or bool(self.sent or self.posted)
        self.lost |= self.posted.keys()
        self.posted.clear()
        self.sent.clear()


def address(url: str) -> str:
    """Without the query."""
    return url.partition("?")[0]
