"""What a report shows, in the order it shows it. Plain data: the templates hold no logic.

Everything textual here may come from a model, a tool or a picture, and is escaped as data.
Lengths of marks are pixels of the picture that they lie on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TONES = 8
"""Colours that tell the labels of one picture apart (``--tone-0`` and so on in the style)."""


@dataclass(frozen=True)
class Picture:
    """A picture of the run, embedded once in a report however often it is shown."""

    key: str  # names the embedded picture: runs that share a picture share the bytes
    id: str
    width: int
    height: int
    origin: str
    data: str  # data: URI


@dataclass(frozen=True)
class Mark:
    """A box drawn on a picture."""

    x: float
    y: float
    width: float
    height: float
    left: float  # the same extent in percent of the picture, for the caption
    right: float
    top: float
    caption: str
    tone: int
    links: str  # keys of the claims or rows that it is evidence of, separated by spaces


@dataclass(frozen=True)
class Scene:
    """A picture with marks on it."""

    picture: Picture
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Row:
    """One box of an observation."""

    number: int
    label: str
    color: str
    text: str | None
    score: str
    where: str
    tone: int
    link: str


@dataclass(frozen=True)
class Found:
    """A set of boxes: the picture with marks, and the same as rows."""

    id: str
    headline: str
    scene: Scene | None
    rows: tuple[Row, ...]
    more: int = 0


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    texts: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    pictures: tuple[Scene, ...] = ()
    error: bool = False
    traceback: str = ""
    pending: bool = True  # no result yet; for good, when the run ended here
    seconds: float | None = None


@dataclass(frozen=True)
class Claim:
    key: str
    text: str
    was: str  # the wrong claim that it took the place of
    kind: str
    verdict: str
    found: str
    tools: str  # the experts that settled it


@dataclass(frozen=True)
class Step:
    """A station of the timeline: calls, an answer, a malformed turn or a verification."""

    number: int | None
    title: str
    reasoning: str = ""
    thought: str = ""
    calls: tuple[Call, ...] = ()
    claims: tuple[Claim, ...] = ()
    problem: str = ""
    note: str = ""
    seconds: float = 0.0
    tokens: int = 0


@dataclass(frozen=True)
class Run:
    """One run, whole or cut short."""

    key: str
    id: str
    task: str
    lang: str
    status: str  # as in agent.log.Status
    answer: str
    reason: str  # why there is no answer
    claims: tuple[Claim, ...]
    scenes: tuple[Scene, ...]  # the task's pictures with the evidence drawn on them
    media: tuple[str, ...]  # the task's other media, named
    plan: str
    steps: tuple[Step, ...]
    model: str
    started: str
    seconds: float
    tokens_in: int
    tokens_cached: int
    tokens_out: int

    @property
    def decisions(self) -> int:
        return sum(step.number is not None for step in self.steps)

    @property
    def calls(self) -> int:
        return sum(len(step.calls) for step in self.steps)


def value(argument: Any) -> str:
    """An argument as it would be typed."""
    return json.dumps(argument, ensure_ascii=False)
