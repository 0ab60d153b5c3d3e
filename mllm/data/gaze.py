"""What a model looks at before it answers by looking alone: places, each with what is there.

    <|loc_3|>green gift, <|loc_9|>bear

A small decoder cannot count or list what it has not written down; what it has, it can. A place is
the location token of the visual token at the middle of a thing, in reading order, so that each one
follows from the one before (a multimodal chain of thought, arXiv 2302.00923).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mllm.content import Box
from mllm.data.lexicon import BY_NAME
from mllm.data.phrasing import phrasings

SIDE = 8
"""Visual tokens along a side of the picture."""
NOWHERE = {"en": "nowhere", "zh": "没有"}


@dataclass(frozen=True)
class Spot:
    """A thing, its middle in shares of the picture."""

    label: str
    color: str | None
    x: float
    y: float

    @property
    def number(self) -> int:
        """Of the visual token that shows it, in reading order."""
        row, column = min(int(self.y * SIDE), SIDE - 1), min(int(self.x * SIDE), SIDE - 1)
        return row * SIDE + column

    @property
    def place(self) -> str:
        return f"<|loc_{self.number}|>"

    def named(self, lang: str) -> str:
        hue = phrasings(lang)["colors"][self.color] if self.color else ""
        if lang == "zh":
            return f"{hue}{'的' if hue else ''}{BY_NAME[self.label].zh}"
        return f"{hue} {self.label}".strip()


def spots(boxes: Iterable[Box]) -> list[Spot]:
    """The things in boxes, in reading order."""
    return in_order(
        Spot(box.label or "", box.color, box.center[0] / box.width, box.center[1] / box.height)
        for box in boxes
    )


def in_order(things: Iterable[Spot]) -> list[Spot]:
    """Things in reading order."""
    return sorted(things, key=lambda spot: spot.number)


def told(things: Iterable[Spot], lang: str) -> str:
    """Things, which are in reading order, as a model says them to itself."""
    parts = [spot.place + spot.named(lang) for spot in things]
    return ("，" if lang == "zh" else ", ").join(parts) or NOWHERE[lang]
