"""Emoji designs as sprites: which exist, their pictures, and their recoloured versions.

A *style* chooses the designs that a scene may draw from: ``train`` (every training design), the
name of one design, or a folder with one picture a category (``cup.png``). A *sprite* is named
``design/number`` or, from a folder, by the path of its picture.
"""

from __future__ import annotations

import colorsys
import json
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mllm.data.lexicon import INDEX

TRAINING = (
    "noto", "noto-v1", "fluent-emoji-flat", "fluent-emoji", "fxemoji", "emojione",
    "streamline-emojis", "color-icons", "glyph-icons", "line-emoji",
)
EVALUATION = ("twemoji",)  # never in training
CELL = 96  # pixels, the longer side of a sprite

# Hue in degrees, saturation and value of each colour that tintable objects come in.
TINTS: dict[str, tuple[float, float, float]] = {
    "red": (359.0, 0.88, 0.86),
    "orange": (27.0, 0.95, 0.97),
    "yellow": (53.0, 0.90, 0.96),
    "green": (128.0, 0.78, 0.66),
    "blue": (216.0, 0.85, 0.90),
    "purple": (277.0, 0.72, 0.74),
}
COLORS: tuple[str, ...] = tuple(TINTS)

_ATLASES = Path(__file__).with_name("sprites")
_REGION_SHARE = 0.42  # a sprite with one hue on this share of it keeps its other parts neutral

Drawer = dict[str, tuple[str, ...]]
"""The sprites of one design by category name."""


@lru_cache(maxsize=64)
def drawers(style: str) -> tuple[Drawer, ...]:
    """One drawer per design of the style."""
    if style == "train":
        return tuple(_drawer(design) for design in TRAINING)
    if style in TRAINING + EVALUATION:
        return (_drawer(style),)
    pictures = sorted(p for p in Path(style).glob("*") if p.stem in INDEX)
    if not pictures:
        raise ValueError(f"style {style!r} is neither a design nor a folder of category pictures")
    return ({p.stem: (str(p),) for p in pictures},)


def _drawer(design: str) -> Drawer:
    index = json.loads((_ATLASES / f"{design}.json").read_text())
    drawer: Drawer = {}
    for number, (category, _icon) in enumerate(index["sprites"]):
        drawer[category] = (*drawer.get(category, ()), f"{design}/{number}")
    return drawer


@lru_cache(maxsize=2048)
def picture(sprite: str) -> Image.Image:
    """The sprite, RGBA, cropped to what it shows, its longer side 96 pixels."""
    design, _, number = sprite.rpartition("/")
    if design in TRAINING + EVALUATION:
        sheet, columns = _atlas(design)
        row, column = divmod(int(number), columns)
        left, top = column * CELL, row * CELL
        found = sheet.crop((left, top, left + CELL, top + CELL))
    else:
        found = _cut_out(Image.open(sprite))
    found = found.crop(found.getchannel("A").point([0] * 24 + [255] * 232).getbbox())
    scale = CELL / max(found.size)
    size = (max(1, round(found.width * scale)), max(1, round(found.height * scale)))
    return found if size == found.size else found.resize(size, Image.Resampling.LANCZOS)


@cache
def _atlas(design: str) -> tuple[Image.Image, int]:
    index = json.loads((_ATLASES / f"{design}.json").read_text())
    return Image.open(_ATLASES / f"{design}.webp").convert("RGBA"), int(index["columns"])


def _cut_out(image: Image.Image) -> Image.Image:
    """The picture with transparency; a plain background, told by its corners, is removed."""
    found = image.convert("RGBA")
    if found.getchannel("A").getextrema()[0] == 255:
        for corner in [(x, y) for x in (0, found.width - 1) for y in (0, found.height - 1)]:
            ImageDraw.floodfill(found, corner, (0, 0, 0, 0), thresh=40)
    return found


@lru_cache(maxsize=2048)
def outline(sprite: str) -> NDArray[np.float64]:
    """Extreme points (n, 2) of the solid part, from the centre of its picture, in its pixels."""
    image = picture(sprite)
    solid = np.asarray(image.getchannel("A")) >= 128
    rows = np.flatnonzero(solid.any(axis=1))
    first, last = solid[rows].argmax(axis=1), image.width - 1 - solid[rows, ::-1].argmax(axis=1)
    columns = np.concatenate([first, last])
    middle = (image.width / 2, image.height / 2)
    points = np.stack([columns, np.tile(rows, 2)], axis=1) + 0.5 - middle
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    extremes: NDArray[np.float64] = points[np.unique((points @ directions).argmax(axis=0))]
    return extremes


def tinted(sprite: str, hsv: tuple[float, float, float]) -> Image.Image:
    """The sprite in another colour (degrees, 0-1, 0-1), its light and shade kept."""
    shade, region, rest = _tint_plan(sprite)
    painted = _ramp(hsv)[shade]
    mixed = rest + (painted - rest) * region
    result = Image.fromarray(mixed.astype(np.uint8))
    result.putalpha(picture(sprite).getchannel("A"))
    return result


def rgb(hsv: tuple[float, float, float]) -> tuple[int, int, int]:
    """Hue in degrees, saturation and value 0-1, as bytes."""
    red, green, blue = colorsys.hsv_to_rgb(hsv[0] % 360 / 360, min(hsv[1], 1.0), min(hsv[2], 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _ramp(hsv: tuple[float, float, float]) -> NDArray[np.float32]:
    """(256, 3), shade to colour: black at 0, the colour itself at 128, then halfway to white."""
    shade = np.arange(256, dtype=np.float32)[:, None]
    colour = np.array(rgb(hsv), dtype=np.float32)
    dark = colour * np.minimum(shade / 128, 1) ** 0.8
    light = (255 - colour) * 0.45 * np.maximum(shade - 128, 0) / 127
    return (dark + light).astype(np.float32)


@lru_cache(maxsize=2048)
def _tint_plan(
    sprite: str,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Shade (height, width), 128 at the middle; share to paint and grey, (height, width, 1)."""
    image = picture(sprite)
    alpha = np.asarray(image.getchannel("A")) >= 128
    hue, saturation, value = (
        np.asarray(c, dtype=np.float32) for c in image.convert("RGB").convert("HSV").split()
    )
    colourful = np.clip((saturation - 40) / 60, 0, 1) * np.clip((value - 40) / 40, 0, 1)
    counts = np.bincount(hue[alpha].astype(int) // 8, colourful[alpha], minlength=32)
    around = counts + np.roll(counts, 1) + np.roll(counts, -1)
    main = float(around.argmax()) * 8 + 4
    apart = np.abs((hue - main + 128) % 256 - 128)
    region = colourful * np.clip((36 - apart) / 10, 0, 1)
    if (region[alpha] > 0.8).mean() < _REGION_SHARE:
        region = np.ones_like(region)
    light = np.asarray(image.convert("L"), dtype=np.float32)
    middle = float(np.clip(np.median(light[alpha & (region > 0.5)]), 8, 255))
    shade = np.where(
        light < middle, 128 * light / middle, 128 + (light - middle) * 127 / max(255 - middle, 110)
    )
    return shade.astype(np.uint8), region[..., None].astype(np.float32), light[..., None]
