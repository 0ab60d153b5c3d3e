"""Procedural backgrounds: each named setting is one function, muted so that objects stand out.

No colour here is saturated beyond 0.42, which keeps objects' tints measurable on the pixels.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from mllm.data.designs import rgb

Size = tuple[int, int]
Colour = tuple[int, int, int]


def backdrop(setting: str, rng: random.Random, size: Size) -> Image.Image:
    """A background of the named setting, RGB, with a little grain."""
    image = _SETTINGS[setting](rng, size)
    return Image.blend(image, _grain(rng, size, size), rng.uniform(0.0, 0.07))


def _muted(
    rng: random.Random, hues: tuple[float, float], values: tuple[float, float], most: float = 0.38
) -> Colour:
    return rgb((rng.uniform(*hues), rng.uniform(0.4, 1.0) * most, rng.uniform(*values)))


def _any(rng: random.Random) -> Colour:
    low = 0.2 if rng.random() < 0.3 else 0.6
    return _muted(rng, (0, 360), (low, min(low + 0.4, 1.0)), 0.35)


@lru_cache(maxsize=1)
def _grain_tile() -> Image.Image:
    values = np.random.default_rng(7).integers(0, 256, (512, 512, 1), dtype=np.uint8)
    return Image.fromarray(np.repeat(values, 3, axis=2))


def _grain(rng: random.Random, cut: Size, size: Size) -> Image.Image:
    """A piece of grey noise of ``cut`` pixels, stretched to ``size``."""
    left, top = rng.randint(0, 512 - cut[0]), rng.randint(0, 512 - cut[1])
    piece = _grain_tile().crop((left, top, left + cut[0], top + cut[1]))
    return piece if cut == size else piece.resize(size, Image.Resampling.BICUBIC)


def _blend_down(top: Colour, bottom: Colour, size: Size) -> Image.Image:
    small = Image.new("RGB", (1, 2), top)
    small.putpixel((0, 1), bottom)
    return small.resize(size, Image.Resampling.BILINEAR)


def _hills(rng: random.Random, image: Image.Image, level: float, colour: Colour) -> None:
    """Fill the picture below a wavy horizon at that share of its height."""
    width, height = image.size
    points = [(width * k / 6, height * (level + rng.uniform(-0.04, 0.04))) for k in range(7)]
    ImageDraw.Draw(image).polygon([(0, height), *points, (width, height)], fill=colour)


def _specks(
    rng: random.Random, image: Image.Image, top: int, bottom: int, colour: Colour, number: int
) -> None:
    """Dots of one or two pixels between two heights."""
    draw = ImageDraw.Draw(image)
    for _ in range(number):
        x, y = rng.randrange(image.width), rng.randrange(top, bottom)
        draw.point([(x, y), (x + rng.randint(0, 1), y)], fill=colour)


def _plain(rng: random.Random, size: Size) -> Image.Image:
    return Image.new("RGB", size, rng.choice([_any(rng), _any(rng), (255, 255, 255)]))


def _gradient(rng: random.Random, size: Size) -> Image.Image:
    small = Image.new("RGB", (2, 2))
    small.putdata([_any(rng) for _ in range(4)])
    return small.resize(size, Image.Resampling.BICUBIC)


def _stripes(rng: random.Random, size: Size) -> Image.Image:
    first, other = _any(rng), _any(rng)
    second = ((first[0] + other[0]) // 2, (first[1] + other[1]) // 2, (first[2] + other[2]) // 2)
    across, down = rng.choice([(rng.randint(5, 16), 1), (1, rng.randint(5, 16)), (9, 9), (6, 6)])
    small = Image.new("RGB", (across, down))
    cells = range(across * down)
    small.putdata([first if (k % across + k // across) % 2 else second for k in cells])
    return small.resize(size, Image.Resampling.NEAREST)


def _blobs(rng: random.Random, size: Size) -> Image.Image:
    across = rng.randint(4, 9)
    small = Image.new("RGB", (across, across))
    small.putdata([_any(rng) for _ in range(across * across)])
    return small.resize(size, Image.Resampling.BICUBIC)


def _meadow(rng: random.Random, size: Size) -> Image.Image:
    image = _blend_down(
        _muted(rng, (190, 220), (0.8, 1.0)), _muted(rng, (190, 220), (0.9, 1.0), 0.2), size
    )
    level = rng.uniform(0.25, 0.55)
    _hills(rng, image, level - 0.06, _muted(rng, (90, 130), (0.55, 0.75), 0.34))
    _hills(rng, image, level, _muted(rng, (80, 120), (0.6, 0.85), 0.42))
    blades = _muted(rng, (80, 120), (0.4, 0.9))
    _specks(rng, image, int(size[1] * (level + 0.08)), size[1], blades, 60)
    return image


def _beach(rng: random.Random, size: Size) -> Image.Image:
    image = _blend_down(
        _muted(rng, (190, 215), (0.85, 1.0)), _muted(rng, (190, 215), (0.9, 1.0), 0.15), size
    )
    sea = rng.uniform(0.2, 0.4)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, size[1] * sea, *size), fill=_muted(rng, (180, 205), (0.6, 0.85), 0.42))
    shore = sea + rng.uniform(0.1, 0.2)
    _hills(rng, image, shore, (235, 240, 240))
    _hills(rng, image, shore + 0.03, _muted(rng, (36, 46), (0.85, 0.95), 0.36))
    return image


def _night(rng: random.Random, size: Size) -> Image.Image:
    image = _blend_down(
        _muted(rng, (220, 260), (0.08, 0.2), 0.42), _muted(rng, (220, 270), (0.2, 0.38), 0.42), size
    )
    _specks(rng, image, 0, int(size[1] * 0.8), (230, 230, 210), rng.randint(20, 60))
    _hills(rng, image, rng.uniform(0.7, 0.9), _muted(rng, (200, 260), (0.05, 0.15)))
    return image


def _snow(rng: random.Random, size: Size) -> Image.Image:
    sky = _muted(rng, (200, 220), (0.65, 0.85), 0.25)
    image = _blend_down(sky, _muted(rng, (200, 220), (0.8, 0.95), 0.12), size)
    level = rng.uniform(0.35, 0.6)
    _hills(rng, image, level - 0.08, _muted(rng, (200, 225), (0.75, 0.85), 0.15))
    _hills(rng, image, level, _muted(rng, (200, 225), (0.93, 1.0), 0.05))
    _specks(rng, image, 0, size[1], (255, 255, 255), rng.randint(30, 90))
    return image


def _room(rng: random.Random, size: Size) -> Image.Image:
    width, height = size
    wall = _muted(rng, (0, 360), (0.7, 0.98), 0.22)
    image = Image.new("RGB", size, wall)
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:
        paper = tuple(max(0, c - rng.randint(6, 14)) for c in wall)
        for x in range(rng.randrange(8), width, rng.choice([16, 24, 32])):
            draw.line((x, 0, x, height), fill=paper, width=rng.choice([1, 3, 6]))
    floor = height * rng.uniform(0.55, 0.8)
    draw.rectangle((0, floor, width, height), fill=_muted(rng, (20, 40), (0.45, 0.8), 0.38))
    draw.rectangle((0, floor - 5, width, floor), fill=_muted(rng, (0, 360), (0.85, 1.0), 0.06))
    return image


def _street(rng: random.Random, size: Size) -> Image.Image:
    width, height = size
    image = _blend_down(
        _muted(rng, (195, 225), (0.75, 0.95), 0.25), _muted(rng, (195, 225), (0.9, 1.0), 0.1), size
    )
    draw = ImageDraw.Draw(image)
    road = height * rng.uniform(0.5, 0.7)
    x = 0
    while x < width:
        wide = rng.randint(30, 70)
        top = road * rng.uniform(0.15, 0.7)
        draw.rectangle((x, top, x + wide, road), fill=_muted(rng, (0, 360), (0.55, 0.8), 0.18))
        x += wide
    draw.rectangle((0, road, width, height), fill=_muted(rng, (200, 260), (0.3, 0.5), 0.08))
    draw.rectangle((0, road, width, road + 8), fill=_muted(rng, (0, 60), (0.65, 0.75), 0.06))
    middle = (road + height) / 2 + 4
    for x in range(rng.randrange(30), width, 48):
        draw.line((x, middle, x + 24, middle), fill=(205, 205, 200), width=3)
    return image


def _desk(rng: random.Random, size: Size) -> Image.Image:
    base = Image.new("RGB", size, _muted(rng, (22, 36), (0.45, 0.85), 0.40))
    cut = (rng.randint(4, 8), rng.randint(40, 90))
    return Image.blend(base, _grain(rng, cut, size), rng.uniform(0.08, 0.2))


_SETTINGS: dict[str, Callable[[random.Random, Size], Image.Image]] = {
    "plain": _plain,
    "gradient": _gradient,
    "stripes": _stripes,
    "blobs": _blobs,
    "meadow": _meadow,
    "beach": _beach,
    "night": _night,
    "snow": _snow,
    "room": _room,
    "street": _street,
    "desk": _desk,
}
SETTINGS: tuple[str, ...] = tuple(_SETTINGS)
