"""Looks: how one thing of a scene looks before it has a place, and the drawing of it.

A look is every parameter of a drawing (size, tint, turn, light); a layer is the drawing itself.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mllm.data import designs, signs
from mllm.data.designs import TINTS
from mllm.data.signs import SignLook

SizeWord = Literal["small", "medium", "large"]

# An object's size is sqrt(box area / picture area). Small is below SMALL_BELOW, large from
# LARGE_FROM; no object comes nearer to either threshold than SIZE_GAP.
SMALL_BELOW = 0.185
LARGE_FROM = 0.295
SIZE_GAP = 0.012
_SIZE_RANGES: dict[SizeWord, tuple[float, float]] = {
    "small": (0.115, 0.165), "medium": (0.205, 0.275), "large": (0.315, 0.42),
}
_LONGEST = 0.50  # of the picture's shorter side
_CROWDING = 0.42  # most of the picture that all objects' boxes may take together


@dataclass(frozen=True)
class SpriteLook:
    """One sprite before it is put into a picture."""

    sprite: str
    tint: tuple[float, float, float] | None  # hue in degrees, saturation, value
    scale: float  # pixels per sprite pixel
    stretch: float  # width by this, height by its inverse
    angle: float  # degrees, clockwise
    flip: bool
    brightness: float
    contrast: float
    edge: int | None  # grey level of a one-pixel outline


def size_word(box: tuple[float, float, float, float], width: int, height: int) -> SizeWord:
    """How large a box in pixels is called in a picture of that size."""
    return _called(math.sqrt((box[2] - box[0]) * (box[3] - box[1]) / (width * height)))


def fitting_sizes(rng: random.Random, cast: list[tuple[str, str | None]]) -> list[SizeWord]:
    """A size for each of the cast such that all of them fit into the picture."""
    step: dict[SizeWord, SizeWord] = {"large": "medium", "medium": "small"}
    area: dict[SizeWord, float] = {"small": 0.02, "medium": 0.058, "large": 0.135}
    sizes = [rng.choice(tuple(area)) for _ in cast]
    while sum(area[s] for s in sizes) > _CROWDING:
        shrinkable = [k for k, s in enumerate(sizes) if s != "small"]
        if not shrinkable:
            break
        number = rng.choice(shrinkable)
        sizes[number] = step[sizes[number]]
    return sizes


def sprite_look(
    rng: random.Random, sprite: str, color: str | None, word: SizeWord, size: tuple[int, int]
) -> SpriteLook:
    """A sprite turned, tinted and lit at random, of the size of the word if its shape allows."""
    stretch = math.sqrt(rng.uniform(0.9, 1.1))
    angle = rng.uniform(-15, 15) if rng.random() < 0.7 else 0.0
    flip = rng.random() < 0.5
    extremes = designs.outline(sprite) @ _turn(angle, stretch, flip)
    wide, high = extremes.max(axis=0) - extremes.min(axis=0)
    unit = math.sqrt(wide * high / (size[0] * size[1]))  # size of the object at scale 1
    limit = _LONGEST * min(size) / max(wide, high) * unit
    if limit < _SIZE_RANGES[word][0]:  # too long and thin for that word
        word = "medium" if word == "large" and limit >= _SIZE_RANGES["medium"][0] else "small"
    low, high_end = _SIZE_RANGES[word]
    tint = None
    if color is not None:
        hue, saturation, value = TINTS[color]
        tint = (
            hue + rng.uniform(-4, 4),
            saturation + rng.uniform(-0.06, 0.06),
            value + rng.uniform(-0.06, 0.06),
        )
    return SpriteLook(
        sprite=sprite,
        tint=tint,
        scale=min(rng.uniform(low, high_end), max(limit, low)) / unit,
        stretch=stretch,
        angle=angle,
        flip=flip,
        brightness=rng.uniform(0.88, 1.1) if rng.random() < 0.5 else 1.0,
        contrast=rng.uniform(0.88, 1.12) if rng.random() < 0.3 else 1.0,
        edge=rng.choice((0, 255)) if rng.random() < 0.12 else None,
    )


def sign_look(
    rng: random.Random, text: str, color: str, size: tuple[int, int], held_out: bool
) -> SignLook:
    """A sign that fits into the picture and whose size is well inside one of the size words."""
    font = signs.EVALUATION_FONT if held_out else rng.choice(signs.TRAINING_FONTS)
    panel = (248, 248, 245)
    if color != "white":
        hue, saturation, value = TINTS[color]
        panel = designs.rgb((hue + rng.uniform(-4, 4), saturation, value))
    light = (panel[0] * 299 + panel[1] * 587 + panel[2] * 114) / 1000
    lines = signs.break_lines(text)
    font_size = rng.randint(signs.SMALLEST_FONT, signs.LARGEST_FONT)
    while font_size > signs.SMALLEST_FONT and signs.text_size(lines, font, font_size)[0] > 150:
        font_size -= 1
    padding = rng.randint(5, 9)
    while True:
        look = SignLook(
            lines=lines,
            font=font,
            font_size=font_size,
            panel=panel,
            ink=(20, 20, 24) if light > 140 else (252, 252, 252),
            padding=(padding + 2, padding),
            radius=rng.choice((0, 4, 9)),
            border=rng.choice((0, 0, 2)),
            angle=rng.uniform(-5, 5) if rng.random() < 0.5 else 0.0,
        )
        high, wide = drawn(look).solid.shape
        if clear_size(wide * high / (size[0] * size[1])):
            return look
        padding += 1


def clear_size(share: float) -> SizeWord | None:
    """The size word of a box with that share of the picture; None too near to a threshold."""
    ratio = math.sqrt(share)
    near = min(abs(ratio - SMALL_BELOW), abs(ratio - LARGE_FROM)) < SIZE_GAP
    return None if near else _called(ratio)


def _called(ratio: float) -> SizeWord:
    """``ratio``: of the box's mean side to the picture's."""
    return "small" if ratio < SMALL_BELOW else "large" if ratio >= LARGE_FROM else "medium"


@dataclass(frozen=True)
class Layer:
    """A drawn look: RGBA picture, and where in it the object is solid (a tight mask)."""

    image: Image.Image
    left: int  # of the mask in the picture
    top: int
    solid: NDArray[np.bool_]  # (height, width) of the tight box, alpha at least one half


@lru_cache(maxsize=64)
def drawn(look: SpriteLook | SignLook) -> Layer:
    image = signs.draw_sign(look) if isinstance(look, SignLook) else _draw_sprite(look)
    mask = np.asarray(image.getchannel("A")) >= 128
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return Layer(image, left, top, mask[top : rows[-1] + 1, left : columns[-1] + 1])


def _draw_sprite(look: SpriteLook) -> Image.Image:
    source = designs.tinted(look.sprite, look.tint) if look.tint else designs.picture(look.sprite)
    scale = look.scale
    while scale < 0.5:
        source, scale = source.reduce(2), scale * 2
    matrix = _turn(look.angle, look.stretch, look.flip) * scale  # row vectors: source -> picture
    half = np.abs(np.array([source.width, source.height]) / 2) @ np.abs(matrix) + 2
    wide, high = (int(v) for v in np.ceil(2 * half))
    back = np.linalg.inv(matrix).T
    shift = np.array([source.width, source.height]) / 2 - back @ np.array([wide / 2, high / 2])
    image = source.transform(
        (wide, high),
        Image.Transform.AFFINE,
        (back[0, 0], back[0, 1], shift[0], back[1, 0], back[1, 1], shift[1]),
        Image.Resampling.BILINEAR,
    )
    if look.brightness != 1.0 or look.contrast != 1.0:
        values = (np.arange(256) - 128) * look.contrast + 128
        ramp = np.clip(values * look.brightness, 0, 255).astype(np.uint8)
        adjusted = Image.fromarray(ramp[np.asarray(image)[..., :3]])
        adjusted.putalpha(image.getchannel("A"))
        image = adjusted
    if look.edge is not None:
        grown = image.getchannel("A").filter(ImageFilter.MaxFilter(3))
        edged = Image.new("RGBA", image.size, (look.edge,) * 3)
        edged.putalpha(grown)
        image = Image.alpha_composite(edged, image)
    return image


def _turn(angle: float, stretch: float, flip: bool) -> NDArray[np.float64]:
    """2x2 matrix for row vectors (x, y): flip and stretch, then turn clockwise by degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    width = -stretch if flip else stretch
    return np.array([[width * cos, width * sin], [-sin / stretch, cos / stretch]])
