"""Counterfactual twins: two scenes that differ in one fact.

    one = twins(seed=1, index=0)
    render(one.scene), render(one.twin)       # the same picture but for one object

Everything is a pure function of (seed, index). What is right for one of the two pictures and wrong
for the other, is in ``mllm.data.twin_pairs``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from mllm.data import designs, signs
from mllm.data.lexicon import BY_NAME
from mllm.data.looks import SpriteLook, clear_size, drawn
from mllm.data.scenes import Placement, Scene, SceneObject, owner_map, sample_scene
from mllm.data.signs import SignLook, sign_text

Kind = Literal["count", "existence", "object", "color", "text"]
"""What differs: one of several is gone; the only one of a category is gone; another object stands
in its place; its colour; what a sign says."""
KINDS: tuple[Kind, ...] = ("count", "existence", "object", "color", "text")
_TRIES = 400
_LETTERS = "ABDEKMRSTX3579"  # of near misses, as in questions about signs


@dataclass(frozen=True)
class Twins:
    """Two scenes and the category of the object in which they differ: that in ``scene``, or in
    ``twin`` where only that one has the object."""

    kind: Kind
    label: str
    scene: Scene
    twin: Scene

    @property
    def both(self) -> tuple[Scene, Scene]:
        return self.scene, self.twin


def twins(
    seed: int, index: int, *, style: str | Path = "train", kinds: Sequence[Kind] = KINDS
) -> Twins:
    """The twins of that number, of one of ``kinds``. Their scenes are those of ``seed``.

    Raises ``ValueError`` when the style has no scene that allows the kind.
    """
    rng = random.Random(f"twins/{seed}/{index}/{Path(style).name}")
    kind = rng.choice(kinds)
    for _ in range(_TRIES):
        scene = sample_scene(seed, rng.getrandbits(32), style=style)
        for number in rng.sample(range(len(scene.objects)), len(scene.objects)):
            twin = _CHANGES[kind](scene, number, rng)
            if twin is not None:
                label = scene.objects[number].label
                first, second = (scene, twin) if rng.random() < 0.5 else (twin, scene)
                if kind == "object":
                    label = first.objects[number].label
                return Twins(kind, label, first, second)
    raise ValueError(f"no scene in the style {style!s} allows twins of the kind {kind!r}")


def _fewer(scene: Scene, number: int, rng: random.Random) -> Scene | None:
    """One of several is gone."""
    return _without(scene, number) if _alike(scene, number) > 1 else None


def _gone(scene: Scene, number: int, rng: random.Random) -> Scene | None:
    """The only one of its category is gone, but not the only object."""
    alone = _alike(scene, number) == 1 and len(scene.objects) > 1
    return _without(scene, number) if alone else None


def _exchanged(scene: Scene, number: int, rng: random.Random) -> Scene | None:
    """An object of another category, as large and of that colour, where the only one stood."""
    thing, placement = scene.objects[number], scene.placements[number]
    look = placement.look
    if not isinstance(look, SpriteLook) or _alike(scene, number) > 1:
        return None
    there = {o.label for o in scene.objects}
    drawers = designs.drawers(scene.style)
    drawer = rng.choice([d for d in drawers if thing.label in d])
    tintable = thing.color is not None
    others = [n for n in drawer if n not in there and BY_NAME[n].tintable == tintable]
    if not others:
        return None
    label = rng.choice(others)
    sprite = rng.choice(drawer[label])
    high, wide = drawn(look).solid.shape
    other = replace(look, sprite=sprite)
    other_high, other_wide = drawn(other).solid.shape
    other = replace(other, scale=look.scale * min(wide / other_wide, high / other_high))
    return _replaced(scene, number, replace(thing, label=label, sprite=sprite), other)


def _recoloured(scene: Scene, number: int, rng: random.Random) -> Scene | None:
    """The same object in another colour; signs, whose ink would change too, are left alone."""
    thing, placement = scene.objects[number], scene.placements[number]
    if thing.color is None or not isinstance(placement.look, SpriteLook):
        return None
    color = rng.choice([c for c in designs.COLORS if c != thing.color])
    hue, saturation, value = designs.TINTS[color]
    look = replace(placement.look, tint=(hue + rng.uniform(-4, 4), saturation, value))
    return _put(scene, number, replace(thing, color=color), replace(placement, look=look))


def _rewritten(scene: Scene, number: int, rng: random.Random) -> Scene | None:
    """The same sign with another text, half the time one letter off."""
    thing, placement = scene.objects[number], scene.placements[number]
    if thing.text is None or not isinstance(placement.look, SignLook):
        return None
    text = _misspelt(thing.text, rng) if rng.random() < 0.5 else sign_text(rng)
    if _letters(text) == _letters(thing.text):
        return None
    look = replace(placement.look, lines=signs.break_lines(text))
    return _replaced(scene, number, replace(thing, text=text), look)


_CHANGES: dict[Kind, Callable[[Scene, int, random.Random], Scene | None]] = {
    "count": _fewer, "existence": _gone, "object": _exchanged, "color": _recoloured,
    "text": _rewritten,
}
"""Each gives the scene with its object ``number`` changed, or None where that cannot be."""


def _without(scene: Scene, number: int) -> Scene | None:
    """The scene without an object; None where that would bare some of another."""
    objects, placements = list(scene.objects), list(scene.placements)
    del objects[number], placements[number]
    changed = replace(scene, objects=tuple(objects), placements=tuple(placements))
    left = owner_map(changed)
    left[left >= number] += 1
    before = owner_map(scene)
    return changed if np.array_equal(left, np.where(before == number, -1, before)) else None


def _replaced(
    scene: Scene, number: int, thing: SceneObject, look: SpriteLook | SignLook
) -> Scene | None:
    """The scene with that look in the middle of where an object is; None where it does not fit,
    or where its size has another name."""
    old = scene.objects[number]
    if old.visible < 1:
        return None
    layer = drawn(look)
    high, wide = layer.solid.shape
    left = round((old.box[0] + old.box[2] - wide) / 2)
    top = round((old.box[1] + old.box[3] - high) / 2)
    if left < 1 or top < 1 or left + wide >= scene.width or top + high >= scene.height:
        return None
    box = (float(left), float(top), float(left + wide), float(top + high))
    if clear_size(wide * high / (scene.width * scene.height)) != old.size:
        return None
    placement = replace(scene.placements[number], look=look, x=left - layer.left, y=top - layer.top)
    return _put(scene, number, replace(thing, box=box), placement)


def _put(scene: Scene, number: int, thing: SceneObject, placement: Placement) -> Scene | None:
    """The scene with that in place of an object; None where more or less shows of the others."""
    objects, placements = list(scene.objects), list(scene.placements)
    objects[number], placements[number] = thing, placement
    changed = replace(scene, objects=tuple(objects), placements=tuple(placements))
    before, after = owner_map(scene), owner_map(changed)
    others = np.where(before == number, -1, before)
    return changed if np.array_equal(others, np.where(after == number, -1, after)) else None


def _alike(scene: Scene, number: int) -> int:
    """How many objects are of the category of that one."""
    return sum(o.label == scene.objects[number].label for o in scene.objects)


def _misspelt(text: str, rng: random.Random) -> str:
    spot = rng.randrange(len(text))
    return text[:spot] + rng.choice(_LETTERS) + text[spot + 1 :]


def _letters(text: str) -> str:
    return text.replace(" ", "").lower()
