"""`corvid eval screens`: is a screen that only shows its pixels read as its document tells it?

Screenshots of pages in layouts, styles and looks that training never shows. Rows: ``outlines``
traced alone, the ``detector`` alone, and ``merged``, as the desktop tool sees. Text is read by the
same reader in all of them. Of what is found as often as right:

- ``precision``, ``recall``, ``f1`` of the controls: kind right and boxes that overlap by ``IOU``;
  ``.KIND`` the same of one kind
- ``precision.elements`` and so on: of the whole list, lines of text outside of controls as well
- ``precision.boxes`` and so on: of the controls, whatever kind they are said to be
- ``seconds`` that seeing the controls of a screen takes, without reading its text
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import track

from agent.evaluation.scenes import Metric, share
from agent.evaluation.screens_runner import Screen, Studio
from mllm.data.screens import NAMES, Control, Corners, kind
from mllm.geometry import iou
from mllm.yolo import ELEMENTS
from tools.gui.desktop.pixels import Sight, detected, elements, outlined, read_lines, seen
from tools.gui.observation import Element

IOU = 0.5
"""Intersection over union from which two boxes are of one element."""

SIGHTS: dict[str, Sight] = {"outlines": outlined, "detector": detected, "merged": seen}
TEXT = "text"


@dataclass
class Tally:
    """How many elements were found, are there, and are both; by kind, and all ``boxes``."""

    found: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, found: Sequence[Control], there: Sequence[Control]) -> None:
        for name in (*NAMES, TEXT):
            self._count(name, *([c for k, c in some if k == name] for some in (found, there)))
        self._count("boxes", *([c for k, c in some if k != TEXT] for some in (found, there)))

    def _count(self, name: str, found: list[Corners], there: list[Corners]) -> None:
        self.found[name] += len(found)
        self.there[name] += len(there)
        self.right[name] += matches(found, there)

    def metrics(self) -> dict[str, Metric]:
        out = self._of("", NAMES) | self._of(".elements", (*NAMES, TEXT))
        for name in ("boxes", *NAMES, TEXT):
            out |= self._of(f".{name}", (name,))
        mean = sum(self.seconds) / max(len(self.seconds), 1)
        out["seconds"] = {"value": mean, "low": None, "high": None, "n": len(self.seconds)}
        return out

    def _of(self, ending: str, names: Sequence[str]) -> dict[str, Metric]:
        found, there, right = (
            sum(some[name] for name in names) for some in (self.found, self.there, self.right)
        )
        both = found + there
        return {
            f"precision{ending}": share(right, found),
            f"recall{ending}": share(right, there),
            f"f1{ending}": {
                "value": 2 * right / both if both else None, "low": None, "high": None, "n": there,
            },
        }  # fmt: skip


def evaluate(n: int, seed: int, *, quiet: bool = False) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`. Progress goes to stderr.

    A row that needs weights which are not there has an ``error``.
    """
    learned = ELEMENTS.is_file()
    sights = SIGHTS if learned else {"outlines": outlined}
    tallies = {name: Tally() for name in sights}
    with Studio() as studio:
        for index in track(range(n), "screens", console=Console(stderr=True), disable=quiet):
            screen = studio.screen(seed, index, "eval")
            measure(screen, tallies)
    rows: dict[str, Any] = {name: tally.metrics() for name, tally in tallies.items()}
    for name in SIGHTS.keys() - sights.keys():
        rows[name] = {
            "error": "there are no weights: train them with `corvid train detector`, recipe "
            f"elements.yaml, and put them at {'/'.join(ELEMENTS.parts[-4:])}"
        }
    model = "elements" if learned else "none"
    return {"suite": "screens", "model": model, "seed": seed, "rows": rows}


def measure(screen: Screen, tallies: dict[str, Tally]) -> None:
    """Add a screen, as each of the ways to see reads it."""
    lines = read_lines(screen.picture)
    there = [*screen.controls, *((TEXT, corners) for corners in screen.texts)]
    for name, tally in tallies.items():
        started = time.perf_counter()
        drawn = SIGHTS[name](screen.picture)
        tally.seconds.append(time.perf_counter() - started)
        read = elements(screen.picture, lines, lambda _, drawn=drawn: drawn)  # type: ignore[misc]
        tally.add(list(map(_told, read)), there)


def matches(found: Sequence[Corners], there: Sequence[Corners]) -> int:
    """How many pairs of boxes overlap by ``IOU``, each box in one pair, the closest ones first."""
    pairs = [(iou(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(there)]
    left, right = set(range(len(found))), set(range(len(there)))
    for share_of_both, i, j in sorted(pairs, reverse=True):
        if share_of_both >= IOU and i in left and j in right:
            left.remove(i)
            right.remove(j)
    return len(found) - len(left)


def _told(element: Element) -> Control:
    assert element.corners is not None
    return kind(element.role) or TEXT, element.corners
