"""Exact operations over boxes: filter, relate, pick. The model composes them instead of doing
geometry or arithmetic in its head; data generators use the same functions for ground truth.

Positions are in pixels of the artifact, the origin at the top left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, get_args

from mllm.content import Box

Relation = Literal[
    "left of", "right of", "above", "below", "inside", "touching", "larger than", "smaller than"
]
Pick = Literal["leftmost", "rightmost", "topmost", "bottommost", "largest", "smallest"]

Corners: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

RELATIONS: tuple[Relation, ...] = get_args(Relation)
PICKS: tuple[Pick, ...] = get_args(Pick)

INSIDE = 0.8
"""Share of a box's area that must lie in the other for "inside"."""


def intersection(a: Box, b: Box) -> float:
    """Area that two boxes share, in square pixels."""
    w = min(a.x1, b.x1) - max(a.x0, b.x0)
    h = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(w, 0.0) * max(h, 0.0)


def iou(a: Corners, b: Corners) -> float:
    """Intersection over union, 0 to 1. Of corners, which boxes of every kind have."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(w, 0.0) * max(h, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


_HOLDS: dict[Relation, Callable[[Box, Box], bool]] = {
    "left of": lambda a, b: a.center[0] < b.center[0],
    "right of": lambda a, b: a.center[0] > b.center[0],
    "above": lambda a, b: a.center[1] < b.center[1],
    "below": lambda a, b: a.center[1] > b.center[1],
    "inside": lambda a, b: a.area > 0 and intersection(a, b) >= INSIDE * a.area,
    "touching": lambda a, b: intersection(a, b) > 0,
    "larger than": lambda a, b: a.area > b.area,
    "smaller than": lambda a, b: a.area < b.area,
}

_PICK: dict[Pick, Callable[[Box], float]] = {
    "leftmost": lambda b: b.center[0],
    "rightmost": lambda b: -b.center[0],
    "topmost": lambda b: b.center[1],
    "bottommost": lambda b: -b.center[1],
    "largest": lambda b: -b.area,
    "smallest": lambda b: b.area,
}


def holds(relation: Relation, a: Box, b: Box) -> bool:
    """Whether ``a`` stands in ``relation`` to ``b``, by centres and areas."""
    return _HOLDS[relation](a, b)


def relate(boxes: Sequence[Box], relation: Relation, anchors: Sequence[Box]) -> tuple[Box, ...]:
    """The boxes that stand in ``relation`` to at least one anchor other than themselves."""
    return tuple(b for b in boxes if any(a != b and holds(relation, b, a) for a in anchors))


def pick(boxes: Sequence[Box], which: Pick) -> tuple[Box, ...]:
    """The one extreme box, or nothing of nothing."""
    return (min(boxes, key=_PICK[which]),) if boxes else ()
