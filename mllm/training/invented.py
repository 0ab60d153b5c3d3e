"""Designs that nobody drew: sprites of the training designs bent, shaded and painted anew.

A detector that saw only a few designs learns them by heart. Each invented design has a style of its
own (how many shades, how colourful, outlined or not), and each of its sprites a shape of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter

from mllm.data import designs
from mllm.data.scenes import Scene, sample_scene

BEND = 5.0
"""Pixels, of a sprite of 96, that its points move at most (about two standard deviations)."""
_SIDE = 128


def invent(folder: Path, seed: int) -> Path:
    """Write one invented design as a folder of ``CATEGORY.png``, a pure function of the seed."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    drawers = designs.drawers("train")
    shades = int(rng.integers(3, 9)) if rng.random() < 0.5 else None
    colourful = rng.choice([0.0, 0.5, 0.8, 1.0, 1.2, 1.4], p=[0.08, 0.12, 0.2, 0.3, 0.2, 0.1])
    outline = int(rng.integers(0, 90)) if rng.random() < 0.25 else None
    bend = BEND * rng.random()
    for label in sorted({label for drawer in drawers for label in drawer}):
        drawn = [drawer[label] for drawer in drawers if label in drawer]
        sprites = drawn[int(rng.integers(len(drawn)))]  # any design as likely as another
        sprite = designs.picture(sprites[int(rng.integers(len(sprites)))])
        sprite = _painted(rng, _bent(rng, sprite, bend), float(colourful))
        if shades:
            sprite = _flat(sprite, shades)
        if outline is not None:
            sprite = _outlined(sprite, outline)
        sprite.save(folder / f"{label}.png", compress_level=1)
    return folder


def invented_scene(folder: Path, seed: int, index: int) -> Scene:
    """A scene in an invented design, without its signs: their font is the one for evaluation."""
    scene = sample_scene(seed, index, style=folder)
    shown = [
        (thing, placement)
        for thing, placement in zip(scene.objects, scene.placements, strict=True)
        if thing.label != "sign"
    ]
    return replace(
        scene, objects=tuple(t for t, _ in shown), placements=tuple(p for _, p in shown)
    )


def _bent(rng: np.random.Generator, sprite: Image.Image, bend: float) -> Image.Image:
    """The sprite stretched, slanted, and moved about smoothly."""
    pixels = np.zeros((_SIDE, _SIDE, 4), np.float32)
    top, left = (_SIDE - sprite.height) // 2, (_SIDE - sprite.width) // 2
    pixels[top : top + sprite.height, left : left + sprite.width] = np.asarray(sprite)
    pixels[..., :3] *= pixels[..., 3:] / 255
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32) - _SIDE / 2
    stretch = float(np.exp(rng.normal(0, 0.12)))
    slant_x, slant_y = rng.normal(0, 0.07, 2)
    field = rng.normal(0, bend / 2, (5, 5, 2)).astype(np.float32)
    moved = cv2.resize(field, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    to_x = x * stretch + y * slant_x + moved[..., 0] + _SIDE / 2
    to_y = y / stretch + x * slant_y + moved[..., 1] + _SIDE / 2
    bent = cv2.remap(pixels, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR)
    colours = bent[..., :3] / np.maximum(bent[..., 3:] / 255, 1 / 255)
    return Image.fromarray(np.clip(np.dstack([colours, bent[..., 3]]), 0, 255).astype(np.uint8))


def _painted(rng: np.random.Generator, sprite: Image.Image, colourful: float) -> Image.Image:
    """Hues turned (mostly a little), and colour and light changed as a whole."""
    pixels = np.asarray(sprite)
    turn = rng.normal(0, 12) if rng.random() < 0.65 else rng.uniform(0, 180)
    hsv = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + turn) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * colourful, 0, 255)
    light = 255 * (hsv[..., 2] / 255) ** float(np.exp(rng.normal(0, 0.25)))
    hsv[..., 2] = np.clip(light * rng.uniform(0.85, 1.1), 0, 255)
    rgb = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return Image.fromarray(np.dstack([rgb, pixels[..., 3]]))


def _flat(sprite: Image.Image, shades: int) -> Image.Image:
    """The sprite in few shades without gradients or fine detail."""
    even = sprite.convert("RGB").filter(ImageFilter.MedianFilter(5))
    result = even.quantize(shades + 1, dither=Image.Dither.NONE).convert("RGB")
    result.putalpha(sprite.getchannel("A"))
    return result


def _outlined(sprite: Image.Image, grey: int) -> Image.Image:
    alpha = sprite.getchannel("A")
    edge = Image.new("RGBA", sprite.size, (grey, grey, grey, 0))
    edge.putalpha(alpha.filter(ImageFilter.MaxFilter(5)))
    return Image.alpha_composite(edge, sprite)
