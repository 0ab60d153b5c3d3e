"""Scenes: everyday objects on a procedural background, with exact labels.

    scene = sample_scene(seed=1, index=0)     # what is where, and every parameter of the drawing
    image = render(scene)                     # the picture, PIL, RGB

Both are pure functions. Sampling reads top-down: a cast (which categories, how many, in which
colours), a look for each object, a place for each look, then labels measured on what is visible.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mllm.data import designs, signs
from mllm.data.backdrops import SETTINGS, backdrop
from mllm.data.canvas import Canvas
from mllm.data.designs import COLORS
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.looks import (
    SizeWord,
    SpriteLook,
    drawn,
    fitting_sizes,
    sign_look,
    size_word,
    sprite_look,
)
from mllm.data.signs import SignLook

SIGN_COLORS = (*COLORS, "white")
MAX_OBJECTS = 12
MAX_COUNT = 6  # of one category
_OCCLUDED_SCENES = 0.35
_PICTURE_SIZES = ((256, 256), (288, 224), (224, 288))


@dataclass(frozen=True)
class SceneObject:
    """One object as it can be seen."""

    label: str
    box: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels, of the visible part
    color: str | None  # one of COLORS for tintable categories (signs also 'white'), else None
    size: SizeWord
    visible: float  # share of the object's pixels that nothing covers
    text: str | None  # what a sign says, words parted by spaces
    sprite: str  # design/number, the path of a picture, or sign/font


@dataclass(frozen=True)
class Placement:
    """A look at a place: the layer's top left corner in pixels, and its shadow."""

    look: SpriteLook | SignLook
    x: int
    y: int
    shadow: tuple[int, int, float] | None  # offset in pixels, opacity


@dataclass(frozen=True)
class Scene:
    """One picture to be: its labels, and in ``placements`` (parallel to objects) its drawing.

    Objects are in drawing order: a later one covers an earlier one. ``focus`` are the categories
    whose counts were drawn uniformly from 0 to MAX_COUNT; the others are distractors.
    """

    width: int
    height: int
    setting: str
    objects: tuple[SceneObject, ...]
    style: str
    seed: int
    index: int
    focus: tuple[str, ...] = ()
    placements: tuple[Placement, ...] = field(default=(), repr=False)


def sample_scene(seed: int, index: int, *, style: str | Path = "train") -> Scene:
    """The scene of that number, a pure function of its arguments (and a folder's pictures)."""
    style = str(style)
    rng = random.Random(f"{seed}/{index}/{Path(style).name}")
    size = rng.choices(_PICTURE_SIZES, (8, 1, 1))[0]
    setting = rng.choice(SETTINGS)
    drawers = designs.drawers(style)
    focus, cast = _cast(rng, _labels(style))
    whole_design = rng.choice(drawers) if rng.random() < 0.3 else None
    held_out = style not in (*designs.TRAINING, "train")

    wanted: list[tuple[str, str | None, str | None, SpriteLook | SignLook]] = []
    for (label, color), word in zip(cast, fitting_sizes(rng, cast), strict=True):
        if label == "sign":
            assert color is not None
            text = signs.sign_text(rng)
            wanted.append((label, color, text, sign_look(rng, text, color, size, held_out)))
        else:
            sprite = _sprite(rng, label, whole_design, drawers)
            wanted.append((label, color, None, sprite_look(rng, sprite, color, word, size)))
    wanted.sort(key=lambda item: -drawn(item[3]).solid.size)

    canvas = Canvas(size, crowded=rng.random() < _OCCLUDED_SCENES)
    placed = []
    for name, paint, says, look in wanted:
        spot = canvas.place(rng, look, alone=name == "sign")
        if spot is not None:
            placed.append((name, paint, says, Placement(look, *spot, _shadow(rng))))

    owners = _owners(size, [placement for *_, placement in placed])
    objects = tuple(
        _measured(owners, number, label, color, text, placement.look)
        for number, (label, color, text, placement) in enumerate(placed)
    )
    placements = tuple(placement for *_, placement in placed)
    return Scene(*size, setting, objects, style, seed, index, focus, placements)


def render(scene: Scene) -> Image.Image:
    """The picture of a scene, RGB, ``scene.width`` x ``scene.height``."""
    rng = random.Random(f"{scene.seed}/{scene.index}/backdrop")
    image = backdrop(scene.setting, rng, (scene.width, scene.height))
    for placement in scene.placements:
        layer = drawn(placement.look)
        if placement.shadow:
            dx, dy, opacity = placement.shadow
            alpha = np.asarray(layer.image.getchannel("A"))
            dark = Image.fromarray((alpha * opacity).astype(np.uint8))
            image.paste((0, 0, 0), (placement.x + dx, placement.y + dy), dark)
        image.paste(layer.image, (placement.x, placement.y), layer.image)
    return image


def owner_map(scene: Scene) -> NDArray[np.int16]:
    """Per pixel (height, width) the number in ``scene.objects`` of what shows there, else -1."""
    return _owners((scene.width, scene.height), list(scene.placements))


# --- the cast ------------------------------------------------------------------------------------


def _cast(
    rng: random.Random, known: tuple[str, ...]
) -> tuple[tuple[str, ...], list[tuple[str, str | None]]]:
    """Focus categories, and label and colour of every object that should appear."""
    labels = rng.sample(known, len(known))
    focus = tuple(labels[: 2 if rng.random() < 0.3 and len(labels) > 1 else 1])
    cast: list[tuple[str, str | None]] = []
    for label in focus:
        cast += _group(rng, label, rng.randint(0, MAX_COUNT))
    if rng.random() < 0.3:
        cast += [("sign", rng.choice(SIGN_COLORS)) for _ in range(rng.choice((1, 1, 2)))]
    room = min(MAX_OBJECTS - len(cast), 6)
    others = rng.randint(0 if cast else 1, max(room, 0)) if room > 0 else 0
    for label in labels[len(focus) :]:
        if others <= 0:
            break
        number = min(others, rng.choices((1, 2, 3, 4), (10, 4, 2, 1))[0])
        cast += _group(rng, label, number)
        others -= number
    return focus, cast[:MAX_OBJECTS] or _group(rng, focus[0], 1)


@lru_cache(maxsize=64)
def _labels(style: str) -> tuple[str, ...]:
    """The categories that the style can draw from pictures; signs are drawn without."""
    found = {label for drawer in designs.drawers(style) for label in drawer}
    return tuple(name for name in NAMES if name in found and name != "sign")


def _group(rng: random.Random, label: str, number: int) -> list[tuple[str, str | None]]:
    """Several objects of one category: of one colour, of two, or of any."""
    if not BY_NAME[label].tintable:
        return [(label, None)] * number
    palette = rng.sample(COLORS, rng.choice((1, 2, len(COLORS))))
    return [(label, rng.choice(palette)) for _ in range(number)]


def _sprite(
    rng: random.Random,
    label: str,
    whole_design: designs.Drawer | None,
    drawers: tuple[designs.Drawer, ...],
) -> str:
    """A sprite of the category, from the scene's own design where that has one."""
    drawer = whole_design
    if drawer is None or label not in drawer:
        drawer = rng.choice([d for d in drawers if label in d])
    return rng.choice(drawer[label])


def _shadow(rng: random.Random) -> tuple[int, int, float] | None:
    if rng.random() < 0.65:
        return None
    return rng.randint(-3, 3), rng.randint(1, 4), rng.uniform(0.15, 0.4)


# --- measuring -----------------------------------------------------------------------------------


def _owners(size: tuple[int, int], placements: list[Placement]) -> NDArray[np.int16]:
    owners = np.full((size[1], size[0]), -1, dtype=np.int16)
    for number, placement in enumerate(placements):
        layer = drawn(placement.look)
        top, left = placement.y + layer.top, placement.x + layer.left
        high, wide = layer.solid.shape
        owners[top : top + high, left : left + wide][layer.solid] = number
    return owners


def _measured(
    owners: NDArray[np.int16],
    number: int,
    label: str,
    color: str | None,
    text: str | None,
    look: SpriteLook | SignLook,
) -> SceneObject:
    """The labels of one object, from the pixels that show it."""
    shown = owners == number
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return SceneObject(
        label=label,
        box=box,
        color=color,
        size=size_word(box, owners.shape[1], owners.shape[0]),
        visible=float(np.count_nonzero(shown) / np.count_nonzero(drawn(look).solid)),
        text=text,
        sprite=f"sign/{look.font}" if isinstance(look, SignLook) else look.sprite,
    )
