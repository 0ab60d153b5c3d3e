"""Several looks of a detector at one picture, made into one list by a vote.

A small detector is unsure at some sizes and sure at others. Boxes of different looks that overlap
are one object; each look votes with its scores for what the object is, and the sum decides.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mllm import geometry

if TYPE_CHECKING:
    from mllm.yolo import Found


@dataclass
class _Object:
    """A place and the votes for its name. The surest box of all looks is the place."""

    box: Found
    corners: geometry.Corners
    votes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


ASKED_FOR = 2.0
"""Votes count so many times for what was asked for: who asks for dogs has a reason to. Chosen on
training designs."""


SECOND = 0.8
"""Weight of a second opinion on what is in a box, beside that of the looks. Chosen with the
threshold on scenes of the development seed, like the root below."""

Opinions = Callable[[Sequence["Found"]], Sequence[Mapping[str, float]]]
"""What may be in each of some boxes, by name, from 0 to 1 (``mllm.naming``)."""


def vote(
    looks: Sequence[Sequence[Found]],
    threshold: float,
    iou: float,
    asked: Collection[str] = (),
    faint: float | None = None,
    second: Opinions | None = None,
) -> list[Found]:
    """What the looks agree on, best first; a score is the mean vote of all looks for the name.

    Boxes that overlap by more than ``iou`` are one object. An object that only some looks see
    needs the surer votes to reach ``threshold``. Names that were ``asked`` for have
    ``ASKED_FOR`` times the weight, in the choice of the name and at the threshold.

    A ``second`` opinion, of who names boxes and does not look for any, is mixed into the votes: as
    much of its share for a name as the looks are sure that something is there.

    With ``faint``, below the threshold, come also what reaches only that, and other names that were
    asked for and may be those of an object: none of them ``sure``.
    """
    least = threshold if faint is None else faint
    objects: list[_Object] = []
    for found in sorted((f for look in looks for f in look), key=lambda f: -f.score):
        here = found.corners
        same = next((o for o in objects if geometry.iou(o.corners, here) > iou), None)
        if same is None:
            same = _Object(found, here)
            objects.append(same)
        same.votes[found.name] += found.score
    shares = [{n: v / len(looks) for n, v in thing.votes.items()} for thing in objects]
    if second is not None:
        named = second([thing.box for thing in objects])
        shares = [_mixed(own, other) for own, other in zip(shares, named, strict=True)]
    agreed = []
    for thing, share in zip(objects, shares, strict=True):
        weighed = {n: v * (ASKED_FOR if n in asked else 1) for n, v in share.items()}
        first = max(weighed, key=lambda name: weighed[name])
        for name, votes in weighed.items():
            possible = name == first or (faint is not None and name in asked)
            if possible and votes >= least:
                sure = name == first and votes >= threshold
                agreed.append(replace(thing.box, name=name, score=share[name], sure=sure))
    return sorted(agreed, key=lambda f: -f.score)


def _mixed(own: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    there = math.sqrt(min(1.0, sum(own.values())))  # looks are too modest about what is new to them
    return {
        name: (1 - SECOND) * own.get(name, 0.0) + SECOND * there * other.get(name, 0.0)
        for name in {**own, **other}
    }
