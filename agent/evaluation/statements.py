"""What an English text states about the objects of a picture, and whether it is true there.

Both are read without any model: whoever measures a model or a verifier by its claims cannot let it
say what those claims are. Read are that an object is there or is not, how many there are, and
their colour; sizes, places and texts are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from mllm.data.scenes import Scene
from mllm.evaluation.vocabulary import Vocabulary

_NUMBERS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_COLORS = {
    "red": "red", "orange": "orange", "yellow": "yellow", "green": "green", "blue": "blue",
    "purple": "purple", "violet": "purple", "white": "white", "black": "black", "gray": "gray",
    "grey": "gray", "brown": "brown", "pink": "pink",
}  # fmt: skip
_COLOR = "|".join(_COLORS)
_SIZE = r"(?:(?:small|medium|medium-sized|large|big|tiny|little|huge)\s+)?"
_BEFORE = re.compile(
    rf"(?:(?<!than )(?<!least )(?<!most )\b(?P<number>\d+|{'|'.join(_NUMBERS)})\s+)?"
    rf"{_SIZE}(?:\b(?P<color>{_COLOR})\s+)?(?:(?:pairs?|bunch(?:es)?) of\s+)?$"
)
_AFTER = re.compile(rf"\s+(?:is|are)\s+(?P<color>{_COLOR})\b")


class Thing(NamedTuple):
    """An object of a picture; its colour where that is known."""

    object: str
    color: str | None


class Statement(NamedTuple):
    """There are ``number`` of these, or at least one where it is None."""

    object: str
    color: str = ""
    number: int | None = None


def things(scene: Scene) -> tuple[Thing, ...]:
    """The labels of a scene."""
    return tuple(Thing(o.label, o.color) for o in scene.objects)


def statements(text: str) -> set[Statement]:
    """What ``text`` states. ``2 red cups`` states three things: a cup, a red one, and two red
    ones; a correction of the number leaves the other two standing."""
    return {stated for sentence in _mentions(text) for stated in sentence}


def holds(stated: Statement, there: Sequence[Thing]) -> bool | None:
    """Whether it is true of a picture with these things; None where the colour of one of them is
    not known."""
    same = [thing for thing in there if thing.object == stated.object]
    if stated.color:
        if any(thing.color is None for thing in same):
            return None
        same = [thing for thing in same if thing.color == stated.color]
    return bool(same) if stated.number is None else len(same) == stated.number


def _mentions(text: str) -> Iterator[list[Statement]]:
    low = text.lower()
    for mention in vocabulary().mentions(text):
        name = mention.category
        before = _BEFORE.search(low[: mention.start])
        after = _AFTER.match(low, mention.end)
        assert before is not None  # every part of it may be empty
        color = _COLORS.get(before["color"] or (after["color"] if after else ""), "")
        number = _number(before["number"])
        if mention.denied or number == 0:
            yield [Statement(name, color, 0)]
            continue
        found = [Statement(name)]
        if color:
            found.append(Statement(name, color))
        if number is not None:
            counted = before["color"]  # "2 cups are red" does not say that no third one is
            found.append(Statement(name, color if counted else "", number))
        yield found


def _number(word: str | None) -> int | None:
    if word is None:
        return None
    return int(word) if word.isdigit() else _NUMBERS.index(word)


@cache
def vocabulary() -> Vocabulary:
    """The words for the objects of scenes."""
    return Vocabulary.ours()
