"""Exact programs over a picture: which tools to call, how, and how their results give an answer.

A question carries its program. Run over the true boxes of a scene it gives the gold answer; run
over noisy boxes, as a detector returns them, it gives what a careful reader of tools would say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mllm.content import Box
from mllm.data.lexicon import normalize
from mllm.data.scenes import Scene
from mllm.geometry import Pick, Relation, pick, relate
from mllm.wording import times

IMAGE = "img1"
"""Id of the picture that programs are about."""


@dataclass(frozen=True)
class Detect:
    """Find objects of these categories; of all categories when there is none."""

    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadText:
    """Read the picture's text; ``on`` numbers the result (from 1) that holds the regions, ``find``
    are words to look for in it."""

    on: int = 0
    find: str = ""


@dataclass(frozen=True)
class Select:
    """Filter the boxes of result ``on``; ``of`` is a category in the same result."""

    on: int = 1
    label: str | None = None
    color: str | None = None
    relation: Relation | None = None
    of: str | None = None
    pick: Pick | None = None


@dataclass(frozen=True)
class Calculate:
    """Arithmetic whose ``{1:cup}`` stands for the cups in result 1 and ``{2}`` for all of 2."""

    expression: str


Op = Detect | ReadText | Select | Calculate
Step = tuple[Op, ...]
Value = tuple[Box, ...] | str

Reading = Literal[
    "any", "count", "color", "side", "name", "text", "is_text", "number", "truth",
    "which", "both", "known", "unknowable",
]
"""How the last results become an answer, see ``conclude``."""


@dataclass(frozen=True)
class Program:
    """Operations in steps (those of one step do not depend on each other), then a reading.

    ``needs``: categories without which the question has no sense (false premise).
    ``value``: what the reading compares with; ``options``: the two answers to choose from.
    """

    steps: tuple[Step, ...]
    reading: Reading
    value: str = ""
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def ops(self) -> tuple[Op, ...]:
        return tuple(op for step in self.steps for op in step)


@dataclass(frozen=True)
class World:
    """What experts can see of a picture: boxes of objects and of lines of text."""

    objects: tuple[Box, ...]
    texts: tuple[Box, ...]


@dataclass(frozen=True)
class Conclusion:
    """The short answer; ``absent`` names what was asked about but is not in the picture."""

    gold: str
    absent: str | None = None


def truth(scene: Scene) -> World:
    """The labels of a scene as boxes."""
    objects, texts = [], []
    for o in scene.objects:
        x0, y0, x1, y1 = o.box
        box = Box(
            artifact=IMAGE, width=scene.width, height=scene.height, x0=x0, y0=y0, x1=x1, y1=y1,
            label=o.label, color=o.color,
        )
        objects.append(box)
        if o.text is not None:
            blank = {"label": None, "color": None, "text": o.text}
            texts.append(box.model_copy(update=blank))
    return World(tuple(objects), tuple(texts))


def run(program: Program, world: World) -> list[Value]:
    """The result of every operation, in order."""
    results: list[Value] = []
    for op in program.ops:
        results.append(execute(op, results, world))
    return results


def execute(op: Op, results: Sequence[Value], world: World) -> Value:
    """The result of one operation, given those before it."""
    if isinstance(op, Detect):
        return tuple(b for b in world.objects if not op.labels or b.label in op.labels)
    if isinstance(op, ReadText):
        if not op.on:
            return world.texts
        regions = boxes_of(results[op.on - 1])
        return tuple(t for t in world.texts if any(_within(t, r) for r in regions))
    if isinstance(op, Select):
        return _select(op, boxes_of(results[op.on - 1]))
    return evaluate(fill(op.expression, results))


def boxes_of(value: Value) -> tuple[Box, ...]:
    """A result that is boxes. Raises ``TypeError`` for another."""
    if isinstance(value, str):
        raise TypeError(f"not boxes: {value!r}")
    return value


def fill(expression: str, results: Sequence[Value]) -> str:
    """The expression with counts in place of its references."""

    def count(match: re.Match[str]) -> str:
        boxes = boxes_of(results[int(match[1]) - 1])
        return str(sum(1 for b in boxes if match[2] is None or b.label == match[2]))

    return re.sub(r"\{(\d+)(?::([^}]+))?\}", count, expression)


def evaluate(expression: str) -> str:
    """Sums, differences and one comparison of whole numbers: ``2 + 3``, ``4 > 2``, ``1 == 1``."""
    parts = re.split(r"\s*(==|>|<)\s*", expression)
    left = _sum(parts[0])
    if len(parts) == 1:
        return str(left)
    right = _sum(parts[2])
    holds = {"==": left == right, ">": left > right, "<": left < right}[parts[1]]
    return "true" if holds else "false"


def conclude(program: Program, results: Sequence[Value]) -> Conclusion:
    """The answer that the results of a program support.

    - any, count, color, name: of the boxes of the last result
    - side: the first option if the last result holds a box, else the second
    - which: the first option if the last result is ``true``, else the second
    - text, is_text: of the lines read last
    - number, truth: of the last calculation
    - both: a box in the first result, and the text ``value`` in the second
    - known: ``value`` itself, which the picture shows without any tool; unknowable: nothing
    """
    if program.reading in ("known", "unknowable"):
        return Conclusion(program.value if program.reading == "known" else "unanswerable")
    seen = {b.label for r in results[:1] if not isinstance(r, str) for b in r}
    for name in program.needs:
        if name not in seen:
            return Conclusion("unanswerable", absent=name)
    last = results[-1] if results else ()
    if isinstance(last, str):
        gold = {
            "number": last,
            "truth": _yes(last == "true"),
            "which": program.options[0 if last == "true" else -1] if program.options else "",
        }[program.reading]
        return Conclusion(gold)
    return _read_boxes(program, last, results)


def _read_boxes(program: Program, last: tuple[Box, ...], results: Sequence[Value]) -> Conclusion:
    reading, value = program.reading, program.value
    if reading == "any":
        return Conclusion(_yes(bool(last)))
    if reading == "count":
        return Conclusion(str(len(last)))
    if reading == "side":
        return Conclusion(program.options[0 if last else 1])
    if reading == "both":
        said = times(value, [b.text or "" for b in last])
        return Conclusion(_yes(bool(results[0]) and bool(said)))
    if not last:
        return Conclusion("unanswerable", absent="text" if "text" in reading else _subject(program))
    if reading == "color":
        return Conclusion(last[0].color or "unanswerable")
    if reading == "name":
        return Conclusion(last[0].label or "unanswerable")
    lines = [b.text or "" for b in last]
    return Conclusion(" ".join(lines) if reading == "text" else _yes(bool(times(value, lines))))


def _subject(program: Program) -> str:
    for op in reversed(program.ops):
        if isinstance(op, Select) and op.label:
            return op.label
        if isinstance(op, Detect) and op.labels:
            return op.labels[0]
    return "object"


def _select(op: Select, boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    kept = [b for b in boxes if op.label is None or b.label == normalize(op.label)]
    kept = [b for b in kept if op.color is None or b.color == op.color]
    if op.relation and op.of:
        anchors = [b for b in boxes if b.label == normalize(op.of)]
        kept = list(relate(kept, op.relation, anchors))
    return pick(kept, op.pick) if op.pick else tuple(kept)


def _within(inner: Box, outer: Box) -> bool:
    x, y = inner.center
    return outer.x0 <= x <= outer.x1 and outer.y0 <= y <= outer.y1


def _sum(text: str) -> int:
    return sum(int(sign + digits) for sign, digits in re.findall(r"([+-]?)\s*(\d+)", text))


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
