"""Colour in icons that come as line art or in one colour, like a colouring book.

Used by ``build_sprites`` only. The colours of an icon are those of a coloured sprite of the same
category, so a coloured-in carrot is mostly orange and green.
"""

from __future__ import annotations

import colorsys
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Color = tuple[int, int, int]

_INK_IS_BODY = 0.55  # ink on this share of the silhouette is the thing itself, not its outline
_SEE_THROUGH = {"bicycle", "scissors", "key", "motorcycle"}  # what they enclose is background
_PLAIN = 40  # colours whose channels differ by less are white, grey or black


def palette(sprite: Image.Image, size: int = 5) -> list[Color]:
    """The colours of an RGBA sprite, most frequent first, the plain ones last."""
    solid = np.asarray(sprite)[np.asarray(sprite.getchannel("A")) >= 200][:, :3]
    strip = Image.fromarray(solid[None]).quantize(size, dither=Image.Dither.NONE)
    table = strip.getpalette() or []
    counted = sorted(strip.getcolors() or [], key=lambda item: -item[0])
    colors = [_rgb(table, int(str(index))) for _, index in counted]
    return sorted(colors, key=lambda color: max(color) - min(color) < _PLAIN)


def colored(icon: Image.Image, colors: list[Color], category: str, seed: str) -> Image.Image:
    """The RGBA icon in those colours: ink, the fills that it has, and the regions it encloses.

    The darkest colour of the icon is its ink. A pure function of its arguments.
    """
    from scipy import ndimage  # type: ignore[import-untyped]

    rng = random.Random(seed)
    margin = 16
    pixels = np.pad(np.asarray(icon), ((margin, margin), (margin, margin), (0, 0)))
    drawn = pixels[..., 3] >= 128
    body, *others = _varied(rng, colors)
    others = others or [_lit(body, 1.4)]

    closed = ndimage.binary_closing(drawn, _disc(max(2, icon.width // 40)))
    silhouette = drawn if category in _SEE_THROUGH else ndimage.binary_fill_holes(closed)
    fills, ink = _fills(pixels, drawn)
    result = np.zeros((*drawn.shape, 4), dtype=np.uint8)
    result[silhouette] = (*body, 255)

    is_body = ink.sum() > _INK_IS_BODY * silhouette.sum()
    outline = _lit(rng.choice([body, (40, 40, 46)]), 0.32)
    beneath = _lit(body, rng.choice([0.45, 1.7])) if is_body else body
    result[silhouette & ~drawn] = (*beneath, 255)
    regions, number = ndimage.label(silhouette & ~drawn)
    for region in range(1, number + 1):
        fill = rng.choice([beneath, beneath, *others]) if is_body else rng.choice([body, *others])
        result[regions == region] = (*fill, 255)
    for number, (mask, bright) in enumerate(fills):
        fill = (250, 250, 250) if bright and number else [body, *others][number % (1 + len(others))]
        result[mask] = (*fill, 255)
    result[ink] = (*(body if is_body else outline), 255)
    return Image.fromarray(result)


def _fills(
    pixels: NDArray[np.uint8], drawn: NDArray[np.bool_]
) -> tuple[list[tuple[NDArray[np.bool_], bool]], NDArray[np.bool_]]:
    """Masks of the icon's fills, largest first, each with whether it is white, and of its ink."""
    image = Image.fromarray(np.where(drawn[..., None], pixels, pixels[drawn][0])[..., :3])
    few = image.quantize(4, dither=Image.Dither.NONE)
    table, index = few.getpalette() or [], np.asarray(few)
    masks: list[tuple[Color, NDArray[np.bool_]]] = []
    for color in sorted({_rgb(table, int(k)) for k in np.unique(index)}, key=sum):
        numbers = [k for k in np.unique(index) if _rgb(table, int(k)) == color]
        mask = np.isin(index, numbers) & drawn
        last = masks[-1][0] if masks else (-255, -255, -255)
        near = sum(abs(a - b) for a, b in zip(color, last, strict=True)) < 60
        if near or (masks and mask.sum() < 0.02 * drawn.sum()):
            masks[-1][1][mask] = True
        else:
            masks.append((color, mask))
    fills = sorted(masks[1:], key=lambda item: -int(item[1].sum()))
    return [(mask, min(color) > 225) for color, mask in fills], masks[0][1]


def _varied(rng: random.Random, colors: list[Color]) -> list[Color]:
    """The palette a little off, so that no two icons of a category are alike."""
    turn, vivid, light = rng.gauss(0, 0.02), rng.uniform(0.8, 1.2), rng.uniform(0.85, 1.15)
    varied = []
    for color in colors:
        hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in color))
        saturation, value = min(saturation * vivid, 1), min(value * light, 1)
        made = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        varied.append((round(made[0] * 255), round(made[1] * 255), round(made[2] * 255)))
    return varied


def _lit(color: Color, factor: float) -> Color:
    """Darker below 1; above, as much of the way to white as the factor exceeds 1."""
    red, green, blue = (
        round(c * factor) if factor < 1 else round(c + (255 - c) * (factor - 1)) for c in color
    )
    return red, green, blue


def _rgb(table: list[int], index: int) -> Color:
    return table[3 * index], table[3 * index + 1], table[3 * index + 2]


def _disc(radius: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc: NDArray[np.bool_] = x * x + y * y <= radius * radius
    return disc
