"""What a session did so far, as far as a later claim must agree with it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from playwright.async_api import Request

REMEMBERED = 40
"""Actions whose page of before is kept."""
HARMLESS = ("GET", "HEAD", "OPTIONS")
"""Methods that send nothing."""


@dataclass
class Ledger:
    """Outlives the browser: what was refused before a crash was refused."""

    before: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Address and plain text of the page before each action that could have an effect."""
    set: set[str] = field(default_factory=set)
    """References of the fields that took what was put into them."""
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    """What was sent and refused, by method and address, until the same is accepted."""
    sent: dict[Request, tuple[str, str, bool]] = field(default_factory=dict)
    """What was sent and is not answered, by method and address, and whether an action did it."""

    def clear(self) -> None:
        """Another task begins."""
        for kept in (self.before, self.set, self.refused, self.sent):
            kept.clear()

    def send(self, request: Request, acting: bool) -> None:
        if request.method not in HARMLESS:
            self.sent[request] = (request.method, request.url.partition("?")[0], acting)

    def answer(self, request: Request, status: int, refusal: str) -> None:
        """``status`` is 0 where no answer came; ``refusal`` is "" where that says nothing, because
        the page itself gave up waiting."""
        method, url, _ = self.sent.pop(request, ("", "", False))
        if 0 < status < 400:
            self.refused.pop((method, url), None)
        elif method and refusal:
            self.refused[method, url] = refusal

    def unanswered(self) -> list[str]:
        """What actions sent. What a page sends by itself may stay open for as long as it likes."""
        return [f"{method} {url}" for method, url, acting in self.sent.values() if acting]

    def lose(self) -> None:
        """The browser ended: nobody knows what became of what it had sent."""
        for method, url, _ in self.sent.values():
            self.refused[method, url] = f"{method} {url[:120]} got no answer"
        self.sent.clear()
