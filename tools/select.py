"""Exact questions to boxes that are already known: filter, relate, pick.

The model composes these instead of comparing coordinates in its head; ``mllm.geometry`` says what
each relation means.
"""

from __future__ import annotations

from collections.abc import Iterable

from mllm import geometry
from mllm.content import Box, Boxes
from mllm.data.lexicon import in_group, normalize
from mllm.geometry import Pick, Relation
from tools.color import color_term
from tools.protocol import Tool, ToolContext, ToolError


class Select(Tool):
    """Filters boxes by label and colour, then by a relation, then picks one."""

    name = "select"
    timeout = 5.0

    def run(
        self,
        boxes: Boxes,
        context: ToolContext,
        label: str | None = None,
        color: str | None = None,
        relation: Relation | None = None,
        of: str | None = None,
        pick: Pick | None = None,
    ) -> Boxes:
        """Keep the boxes that fit: by label, by color, by relation to others, or the extreme one.

        Args:
            of: What relation refers to: a label in boxes, or a row such as boxes1.2.
        """
        found: tuple[Box, ...] = tuple(b for b in boxes.boxes if fits(b, label, color))
        if (relation is None) != (of is None):
            raise ToolError("relation and of go together, such as relation='left of', of='laptop'")
        if relation is not None and of is not None:
            found = geometry.relate(found, relation, _anchors(boxes, of, context))
        if pick is not None:
            found = geometry.pick(found, pick)
        thing = label or "object"
        if pick is not None and label is None and found:
            thing = _called(found[0], boxes)
        what = " ".join(w for w in (pick, color, thing, relation, of) if w)
        return Boxes(artifact=boxes.artifact, boxes=found, counts={what: len(found)})


def fits(box: Box, label: str | None, color: str | None) -> bool:
    """Whether a box has the label (or is of the group) and the colour, however they are worded."""
    if label is not None and not _same_kind(box.label, label):
        return False
    return color is None or _same_color(box.color, color)


def _same_kind(have: str | None, want: str) -> bool:
    if have is None:
        return False
    wanted = normalize(want)
    if wanted is not None:
        return normalize(have) == wanted
    if group := in_group(want):
        return normalize(have) in group
    return have.strip().casefold() == want.strip().casefold()


def _same_color(have: str | None, want: str) -> bool:
    if have is None:
        return False
    return (color_term(have) or have.casefold()) == (color_term(want) or want.strip().casefold())


def _called(box: Box, boxes: Boxes) -> str:
    """The word by which the box was asked for, else its label."""
    words = (word for word in boxes.counts if fits(box, word, None))
    return next(words, box.label or "object")


def _anchors(boxes: Boxes, of: str, context: ToolContext) -> tuple[Box, ...]:
    """What ``of`` names: a row or set by id, else the boxes of that label ("red cup" too)."""
    if of.startswith("boxes") and of[5:6].isdigit():
        others = context.boxes(of)
        if others.artifact != boxes.artifact:
            raise ToolError(
                f"{of} lies on {others.artifact}, but {boxes.id or 'boxes'} on {boxes.artifact}; "
                "positions on two pictures cannot be compared"
            )
        return others.boxes
    found = tuple(b for b in boxes.boxes if fits(b, of, None))
    first, _, rest = of.partition(" ")
    if not found and rest and color_term(first):
        found = tuple(b for b in boxes.boxes if fits(b, rest, first))
    if not found:
        raise ToolError(
            f"there is no {of} in {boxes.id or 'boxes'}; labels there: {_labels(boxes.boxes)}"
        )
    return found


def _labels(boxes: Iterable[Box]) -> str:
    return ", ".join(dict.fromkeys(b.label or "text" for b in boxes)) or "none"
