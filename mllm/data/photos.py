"""Pictures from outside the drawn world, made from nothing: photo-like noise, and printed pages.

They teach where a model's knowledge ends; nobody can tell what they show, so nothing is labelled
but the text.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mllm.data.signs import TRAINING_FONTS, font

SIZES = ((256, 256), (320, 240), (240, 320), (384, 191), (512, 512), (451, 300), (303, 384))


def photo(rng: random.Random) -> Image.Image:
    """Clouds of colour with natural statistics (amplitude falls as 1/f), edges and grain."""
    width, height = rng.choice(SIZES)
    noise = np.random.default_rng(rng.getrandbits(32))
    grey = rng.random() < 0.3
    total = np.zeros((96, 96, 3))
    for side in (3, 6, 12, 24, 48):
        layer = noise.uniform(-1, 1, (side, side, 1 if grey else 3)).repeat(3 if grey else 1, 2)
        picture = Image.fromarray(((layer + 1) * 127).astype(np.uint8)).resize(
            (96, 96), Image.Resampling.BICUBIC
        )
        total += (np.asarray(picture, dtype=float) - 127) * (6 / side) ** 0.8
    # Photographs are duller than noise: most of a pixel's colour is its light.
    light = total.mean(axis=2, keepdims=True)
    total = light + (total - light) * rng.uniform(0.03, 0.4)
    base = rng.uniform(60, 170) + noise.uniform(-30, 30, 1 if grey else 3)
    total = total * rng.uniform(0.5, 1.1) + base
    image = Image.fromarray(np.clip(total, 0, 255).astype(np.uint8)).resize((width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(0, 8)):
        x, y = rng.randint(0, width), rng.randint(0, height)
        reach = rng.randint(10, width // 3)
        shades = (base + rng.uniform(-80, 80) + noise.uniform(-25, 25, base.size)).clip(0, 255)
        tint = tuple(int(v) for v in shades.repeat(3 if grey else 1))
        corners = (x - reach, y - reach * rng.uniform(0.3, 1.2), x + reach, y + reach)
        draw.ellipse(corners, fill=tint)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))


def page(
    lines: Sequence[str], rng: random.Random
) -> tuple[Image.Image, list[tuple[int, int, int, int]]]:
    """Lines printed on paper, and the corners of each line in pixels."""
    high = rng.randint(14, 26)
    width, height = rng.choice((256, 320, 384)), max(160, (len(lines) + 1) * (high + 8))
    paper = rng.randint(200, 255)
    image = Image.new("RGB", (width, height), (paper, paper, paper - rng.randint(0, 30)))
    draw = ImageDraw.Draw(image)
    face = font(rng.choice(TRAINING_FONTS), round(high * 0.7))
    places = []
    for i, line in enumerate(lines):
        x, y = rng.randint(4, 20), 6 + i * (high + 8)
        draw.text((x, y), line, fill=(rng.randint(0, 70),) * 3, font=face)
        right = min(width, x + round(draw.textlength(line, font=face)))
        places.append((x, y, max(right, x + 8), y + high))
    return image, places
