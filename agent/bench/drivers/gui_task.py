"""What the drivers of the gui bench do alike: the pages, what is done on them, what is counted.

A step runs from the model's answer to its next question: acting, waiting, looking again, writing
the next prompt. What the scripted model itself takes is not in it, nor is starting the browser.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any, Literal

TASK = "Do what is to be done on this page."
SIZE = (1280, 720)
"""Of the window: BrowserGym's, which the others are given."""
CHROMIUM = next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass(frozen=True)
class Move:
    """One action on the control that is called ``name``."""

    kind: Literal["click", "type", "select"]
    name: str
    text: str = ""


PAGES: dict[str, tuple[tuple[Move, ...], str]] = {
    "form": (
        (
            Move("type", "Name", "Ada Lovelace"),
            Move("type", "E-mail", "ada@example.com"),
            Move("select", "People", "4 people"),
            Move("click", "I accept the terms"),
            Move("click", "Book a table"),
        ),
        "Booked for Ada Lovelace, 4 people",
    ),
    "shop": (
        (
            Move("click", "Add lamp 3"),
            Move("click", "Add chair 7"),
            Move("click", "Open the basket"),
            Move("click", "Check out"),
        ),
        "Ordered: lamp 3, chair 7",
    ),
    "table": (
        (
            Move("click", "Mark order 2"),
            Move("click", "Open order 5"),
            Move("type", "Note", "call back"),
            Move("click", "Save the note"),
        ),
        "Saved for order 5: call back",
    ),
}
"""By page (``pages/NAME.html``): what is done on it, and what it says when all of it was done."""


@dataclass
class Script:
    """A model that makes the moves of a page, and the keeper of the figures."""

    page: str
    steps: list[float] = field(default_factory=list)
    """Seconds."""
    prompts: list[int] = field(default_factory=list)
    """Characters of all text that the model is handed for a step, ``schema`` included."""
    schema: int = 0
    """Characters of what tells it of its tools, where that is no part of its messages."""
    observation: int = 0
    """Bytes of the largest observation."""
    _answered: float | None = None

    def arrive(self) -> None:
        """The model is asked: the step before is over."""
        if self._answered is not None:
            self.steps.append(time.perf_counter() - self._answered)

    def move(self, prompt: str, observation: str, schema: str = "") -> Move | None:
        """What to do next. ``prompt`` and ``schema`` are all that the model reads, ``observation``
        what is told of the page as it is now. None when all is done, which the page has to say."""
        moves, proof = PAGES[self.page]
        made = len(self.prompts)
        if made == len(moves):
            assert proof in prompt, f"the page {self.page} does not say {proof!r}"
            return None
        self.prompts.append(len(prompt) + len(schema))
        self.schema = len(schema)
        self.observation = max(self.observation, len(observation.encode()))
        return moves[made]

    def leave(self) -> None:
        """The model has answered: a step begins."""
        self._answered = time.perf_counter()

    def figures(self) -> dict[str, Any]:
        moves, _ = PAGES[self.page]
        made = min(len(self.steps), len(self.prompts))
        assert made == len(moves), f"{made} of {len(moves)} steps were made on {self.page}"
        return {
            "ms": [1000 * seconds for seconds in self.steps[:made]],
            "chars": self.prompts,
            "schema": self.schema,
            "bytes": self.observation,
        }


Play = Callable[[str, Script], None]
"""Lets a system work at an address until its scripted model says that all is done."""


def main(play: Play) -> None:
    """``python -m drivers.gui_NAME PAGE...``: measure each page and print one line of JSON."""
    with_pages = partial(_Quiet, directory=str(Path(__file__).parent / "pages"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), with_pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    figures = {}
    play(f"{address}/form.html", Script("form"))  # lazy imports, templates, the first connection
    for page in sys.argv[1:]:
        script = Script(page)
        play(f"{address}/{page}.html", script)
        figures[page] = script.figures()
    server.shutdown()
    print(json.dumps(figures), flush=True)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
