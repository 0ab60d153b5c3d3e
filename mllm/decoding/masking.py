"""What in a description may be imagined: the three signs of LURE, arXiv 2310.00754, section 2.

An object that a text names is doubtful when the model that named it was unsure (equation 2), when
it stands late (equation 3), or when it goes too well with the other objects named (equation 1).
Doubtful objects are replaced by ``[IDK]``, for a revisor to look again (algorithms 1 and 2).

The paper masks by the first two signs and uses the third to understand and to make data; here it
can mask as well, with a limit and counts. The peer's script takes the probability of a word's
first piece, wherever that piece first stands in the text; matches plurals against the literal
``words[i]s``; and means to spare marks beside a mask, but its ``~`` of a truth value is always
true. Here only the words of the object are replaced.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import NamedTuple

from mllm.evaluation.vocabulary import Mention, Vocabulary

IDK = "[IDK]"
_CHINESE = r"[\u3400-\u9fff]"
_WORD = re.compile(rf"{_CHINESE}|(?:(?!{_CHINESE})[\w'’-])+")


@dataclass(frozen=True)
class Limits:
    """From where on an object is doubtful. The defaults are those of the peer's script."""

    uncertainty: float = 0.9
    """Gamma, in nats."""
    position: float = 0.8
    """Eta, a share of the description."""
    co_occurrence: float = inf


class Piece(NamedTuple):
    """A token of a text: where it stands, and -log of its probability there."""

    start: int
    end: int
    surprise: float


@dataclass(frozen=True)
class Scored:
    """An object that a text names, and its scores."""

    mention: Mention
    uncertainty: float
    """UnScore: -log p of all its tokens together; 0 where no token is known."""
    position: float
    """PoScore: the number of its first word, counted from 1, over the number of words. A Chinese
    character is a word."""
    co_occurrence: float
    """Its share of CoScore: the sum of its degrees with the other objects of the text."""

    def doubtful(self, limits: Limits) -> bool:
        return (
            self.uncertainty >= limits.uncertainty
            or self.position >= limits.position
            or self.co_occurrence >= limits.co_occurrence
        )


class CoOccurrence:
    """How often objects are named together, counted over descriptions: the objects of each."""

    def __init__(self, descriptions: Iterable[Collection[str]] = ()) -> None:
        self._naming: dict[str, set[int]] = defaultdict(set)
        for number, objects in enumerate(descriptions):
            for name in objects:
                self._naming[name].add(number)

    def degree(self, one: str, other: str) -> float:
        """A term of equation 1: descriptions that name both, over the sum of those that name each.
        From 0 to 1/2."""
        first, second = (self._naming.get(name, set()) for name in (one, other))
        return len(first & second) / max(len(first) + len(second), 1)

    def score(self, one: str, objects: Iterable[str]) -> float:
        """The inner sum of equation 1: over all ``objects`` but ``one``, each once. CoScore of a
        description is the sum of it over the objects that are imagined."""
        return sum(self.degree(one, other) for other in dict.fromkeys(objects) if other != one)


def score(
    text: str,
    pieces: Sequence[Piece] = (),
    counts: CoOccurrence | None = None,
    vocabulary: Vocabulary | None = None,
) -> list[Scored]:
    """The objects that ``text`` names, in order; what it denies is none of them.

    ``pieces`` are its tokens. Without ``counts`` nothing co-occurs. ``vocabulary``: the words for
    objects, those of the scenes world unless given.
    """
    counts = counts or CoOccurrence()
    found = [m for m in (vocabulary or _ours()).mentions(text) if not m.denied]
    objects = [mention.category for mention in found]
    length = len(_WORD.findall(text))
    return [
        Scored(
            m,
            uncertainty=sum(p.surprise for p in pieces if p.start < m.end and m.start < p.end),
            position=(len(_WORD.findall(text[: m.start])) + 1) / length,
            co_occurrence=counts.score(m.category, objects),
        )
        for m in found
    ]


def masked(text: str, objects: Iterable[Scored], limits: Limits) -> str:
    """``text`` with ``[IDK]`` in the places of those of its ``objects`` that are doubtful."""
    doubtful = [one.mention for one in objects if one.doubtful(limits)]
    for mention in sorted(doubtful, key=lambda m: -m.start):
        text = text[: mention.start] + IDK + text[mention.end :]
    return text


@cache
def _ours() -> Vocabulary:
    return Vocabulary.ours()
