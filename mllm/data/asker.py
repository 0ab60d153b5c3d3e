"""Someone who wants to ask about a scene: what stands alone, what is plainly where, how to say it.

``question_forms`` is written in these words. Nothing is asked that two people could answer
differently: see ``clear`` and ``plain_pick``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from mllm.content import Box
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.phrasing import Noun, capital, colored, measure, noun, phrasings
from mllm.data.programs import Calculate, Detect, Program, Reading, Select, Step, truth
from mllm.data.scenes import Scene
from mllm.data.signs import sign_text
from mllm.geometry import Pick, Relation, pick, relate

MARGIN = 12.0
"""Pixels between centres for left, right, above, below."""
SIZE_RATIO = 1.5
"""Between the areas of what is compared in size."""
T = TypeVar("T")

COLORS = ("red", "orange", "yellow", "green", "blue", "purple")
PLACES: tuple[Relation, ...] = ("left of", "right of", "above", "below")
Placed = tuple[str, Relation, str, tuple[Box, ...], str | None]
"""Name, relation, anchor, what of that name stands there, colour or None."""
SIZES: tuple[Relation, ...] = ("larger than", "smaller than")


@dataclass
class Draft:
    """A question without its wording. ``slots`` are the bare nouns behind the words."""

    form: str
    program: Program
    words: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Noun] = field(default_factory=dict)


class Asker:
    """A scene seen by someone who wants to ask about it, for now in ``lang``."""

    def __init__(self, scene: Scene, rng: random.Random, lang: str = "en") -> None:
        self.scene, self.rng, self.lang = scene, rng, lang
        self.world = truth(scene)
        self.boxes = self.world.objects
        self.counts = Counter(b.label for b in self.boxes if b.label)
        self.unique = [n for n, k in self.counts.items() if k == 1]

    @property
    def data(self) -> dict[str, Any]:
        """The phrasings of the language."""
        return phrasings(self.lang)

    @cached_property
    def placements(self) -> list[Placed]:
        """What stands plainly where relative to what stands alone."""
        return _placements(self)

    def noun(self, name: str) -> Noun:
        return noun(name, self.lang, self.rng)

    def of(self, name: str) -> list[Box]:
        return [b for b in self.boxes if b.label == name]

    def one(self, name: str) -> Box:
        return self.of(name)[0]

    def absent(self) -> str:
        """A category that is not in the scene; half the time of a group that is."""
        there = {BY_NAME[n].group for n in self.counts}
        near = [n for n in NAMES if n not in self.counts and BY_NAME[n].group in there]
        far = [n for n in NAMES if n not in self.counts]
        return self.rng.choice(near if near and self.rng.random() < 0.5 else far)

    def coin(self) -> bool:
        return self.rng.random() < 0.5

    def relation(self, relation: str) -> str:
        return str(self.rng.choice(self.data["relations"][relation]))

    def pick(self, which: str) -> str:
        return str(self.rng.choice(self.data["picks"][which]))

    def clear(self, things: Iterable[Box], relation: Relation, anchor: Box) -> bool:
        """Whether for every one of the things the relation plainly holds or plainly does not."""
        return all(clear(b, relation, anchor) for b in things)

    def draft(self, form: str, program: Program, **nouns: Noun) -> Draft:
        """A draft whose slots are these nouns as they are."""
        words: dict[str, str] = {}
        for slot, thing in nouns.items():
            words |= thing.words(slot)
        if self.lang == "zh":
            words["m"] = measure(nouns["x"].name) if "x" in nouns else ""
        return Draft(form, program, words, dict(nouns))


def clear(thing: Box, relation: Relation, anchor: Box) -> bool:
    """Whether nobody could argue about ``relation`` between the two, either way."""
    if relation in SIZES:
        small, big = sorted((thing.area, anchor.area))
        return big >= SIZE_RATIO * small
    axis = 0 if relation in ("left of", "right of") else 1
    return abs(thing.center[axis] - anchor.center[axis]) >= MARGIN


def plain_pick(boxes: Iterable[Box], which: Pick) -> Box | None:
    """The extreme box when it is so by a clear margin."""
    boxes = list(boxes)
    if len(boxes) < 2:
        return None
    (best,) = pick(boxes, which)
    rest = [b for b in boxes if b != best]
    if which in ("largest", "smallest"):
        return best if all(clear(best, "larger than", b) for b in rest) else None
    side: Relation = "left of" if which in ("leftmost", "rightmost") else "above"
    return best if all(clear(best, side, b) for b in rest) else None


def _placements(a: Asker) -> list[Placed]:
    found: list[Placed] = []
    for anchor in a.unique:
        at = a.one(anchor)
        for name in a.counts:
            if name == anchor:
                continue
            things = a.of(name)
            for relation in PLACES:
                if not a.clear(things, relation, at):
                    continue
                inside = relate(things, relation, (at,))
                found.append((name, relation, anchor, inside, None))
                for tint in sorted({b.color for b in things if b.color}):
                    those = tuple(b for b in inside if b.color == tint)
                    found.append((name, relation, anchor, those, tint))
    return found


def colored_draft(a: Asker, form: str, reading: Reading, name: str, color: str) -> Draft:
    steps: tuple[Step, ...] = ((Detect((name,)),), (Select(1, label=name, color=color),))
    bare = a.noun(name)
    draft = a.draft(form, Program(steps, reading), x=colored(bare, color, a.lang))
    draft.slots["x"] = bare
    return draft


def placed_draft(a: Asker, form: str, reading: Reading, found: Placed) -> Draft:
    name, relation, anchor, _, tint = found
    bare, other = a.noun(name), a.noun(anchor)
    steps = (
        (Detect((name, anchor)),),
        (Select(1, label=name, color=tint, relation=relation, of=anchor),),
    )
    thing = colored(bare, tint, a.lang) if tint else bare
    draft = a.draft(form, Program(steps, reading, needs=(anchor,)), x=thing, y=other)
    draft.slots["x"] = bare
    say_relation(a, draft, relation)
    return draft


def counted(
    a: Asker, form: str, reading: Reading, x: str, y: str, expression: str,
    options: tuple[str, ...] = (),
) -> Draft:
    steps = ((Detect((x, y)),), (Calculate(expression),))
    program = Program(steps, reading, options=options)
    return a.draft(form, program, x=a.noun(x), y=a.noun(y))


def ask_color(a: Asker, draft: Draft, real: str) -> Draft:
    asked = real if real and a.coin() else a.rng.choice([c for c in COLORS if c != real])
    old = draft.program
    *before, (op, *_) = old.steps
    if isinstance(op, Select):
        steps: tuple[Step, ...] = (*before, (replace(op, color=asked),))
    else:
        steps = (*old.steps, (Select(1, label=draft.slots["x"].name, color=asked),))
    draft.program = Program(steps, "any", asked, needs=old.needs)
    draft.form = "is_color"
    draft.words["color"] = a.data["colors"][asked]
    return draft


def say_relation(a: Asker, draft: Draft, relation: Relation) -> None:
    draft.words["rel"] = a.relation(relation)
    draft.words["Rel"] = capital(draft.words["rel"])


def claimed_text(a: Asker) -> str:
    real = a.world.texts[0].text or ""
    if a.coin():
        return real
    if a.coin():
        spot = a.rng.randrange(len(real))
        other = real[:spot] + a.rng.choice("ABDEKMRSTX3579") + real[spot + 1 :]
        if other.replace(" ", "").lower() != real.replace(" ", "").lower():
            return other
    return sign_text(a.rng)


def compares(x: int, sign: str, y: int) -> bool:
    return {">": x > y, "<": x < y, "==": x == y}[sign]


def even(a: Asker, groups: Mapping[int, Sequence[T]]) -> T | None:
    """One of the candidates, such that high counts, which are rare, come up as often as low."""
    if not groups:
        return None
    counts = sorted(groups)
    return a.rng.choice(groups[a.rng.choices(counts, [1 + 2 * c for c in counts])[0]])
