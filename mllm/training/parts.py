"""What a namer trains on: parts of the detector's scenes, one around each object, and parts that
show nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm  # type: ignore[import-untyped]

from mllm.data.lexicon import INDEX
from mllm.data.scenes import Scene, render, sample_scene
from mllm.naming import NOTHING, part
from mllm.training.detector_data import Sorts, invented_scenes, nothing, recoloured_scenes

SIDE = 72
CONTEXT = 1.4
"""More of the picture than in use, so that there is room to shift and scale."""
VISIBLE = 0.25
"""Least visible share of an object: of less, nobody could tell what it is."""
_ELSEWHERE = 0.35
"""Share of the scenes of which a part beside all objects is taken too."""
_TRIES = 6

BoxOf = tuple[float, float, float, float]


@dataclass(frozen=True)
class Parts:
    """``pixels`` ``(n, 72, 72, 3)``, bytes, and what each part shows, ``classes`` ``(n,)``."""

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]

    @classmethod
    def of(cls, folder: Path, seed: int, counts: Sorts) -> Parts:
        """The parts in a folder, written there first where they are not yet."""
        pixels, classes = folder / "pixels", folder / "classes.npy"
        if not classes.exists():  # it is written last
            folder.mkdir(parents=True, exist_ok=True)
            kinds = []
            with pixels.open("wb") as file:
                for picture, kind in _cut(folder / "designs", seed, counts):
                    file.write(picture.tobytes())
                    kinds.append(kind)
            np.save(classes, np.array(kinds, np.int64))
        shape = (-1, SIDE, SIDE, 3)
        return cls(np.memmap(pixels, np.uint8, "r").reshape(shape), np.load(classes))


def _cut(designs: Path, seed: int, counts: Sorts) -> Iterator[tuple[Image.Image, int]]:
    scenes = chain(
        (sample_scene(seed, index) for index in range(counts.plain)),
        recoloured_scenes(counts.recoloured, seed + 1),
        invented_scenes(designs, counts.invented, seed + 2),
    )
    number = counts.plain + counts.recoloured + counts.invented
    for scene in tqdm(scenes, desc="scenes", total=number):
        yield from of_scene(scene)
    for index in range(counts.empty):
        picture = nothing(seed + 3, index)
        place = _somewhere(random.Random(f"{seed}/{index}/part"), picture)
        yield part(picture, place, CONTEXT, SIDE), NOTHING


def of_scene(scene: Scene) -> Iterator[tuple[Image.Image, int]]:
    """Parts of a scene and their classes, a pure function of it."""
    rng, picture = random.Random(f"{scene.seed}/{scene.index}/parts"), render(scene)
    for thing in scene.objects:
        if thing.visible >= VISIBLE:
            yield part(picture, thing.box, CONTEXT, SIDE), INDEX[thing.label]
    if rng.random() < _ELSEWHERE:
        places = (_somewhere(rng, picture) for _ in range(_TRIES))
        free = (p for p in places if not any(_meet(p, thing.box) for thing in scene.objects))
        if place := next(free, None):
            yield part(picture, place, CONTEXT, SIDE), NOTHING


def _somewhere(rng: random.Random, picture: Image.Image) -> BoxOf:
    wide = rng.uniform(25, 90)
    high = min(wide * rng.uniform(0.6, 1.6), picture.height)
    x, y = rng.uniform(0, picture.width - wide), rng.uniform(0, picture.height - high)
    return x, y, x + wide, y + high


def _meet(a: BoxOf, b: BoxOf) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
