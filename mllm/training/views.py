"""Scenes as the vision encoder trains on them: small pictures with a label on every patch.

Drawing costs more than a training step on the picture, so a pool of scenes is drawn once and seen
several times, mirrored in every other round. View *i* is a pure function of (seed, pool, i).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mllm.data.lexicon import INDEX
from mllm.data.phrasing import phrasings
from mllm.data.scenes import SIGN_COLORS, owner_map, render, sample_scene

NO_COLOR = -1
BACKGROUND = -1
PLACES = tuple(phrasings("en")["settings"])
"""What a background may show; other backgrounds are just patterns."""


@dataclass(frozen=True)
class Thing:
    """An object of a view, its box in shares of the picture."""

    label: str
    color: str | None
    size: str
    box: tuple[float, float, float, float]

    @property
    def center(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class View:
    """A picture ``(size, size, 3)`` uint8, per-patch category and colour numbers ``(grid, grid)``
    with -1 for none, the objects, and the place that the background shows. The numbers of places
    follow those of the categories."""

    pixels: NDArray[np.uint8]
    categories: NDArray[np.int8]
    colors: NDArray[np.int8]
    things: tuple[Thing, ...]
    setting: str

    def mirrored(self) -> View:
        things = tuple(
            Thing(t.label, t.color, t.size, (1 - t.box[2], t.box[1], 1 - t.box[0], t.box[3]))
            for t in self.things
        )
        flip = np.s_[:, ::-1]
        return View(
            self.pixels[flip], self.categories[flip], self.colors[flip], things, self.setting
        )


class Views:
    """An endless sequence of views over ``pool`` scenes, drawn when first asked for and kept in
    memory (about 50 kB each at 128 pixels)."""

    def __init__(self, seed: int, pool: int, size: int, grid: int, style: str = "train") -> None:
        self.seed, self.pool, self.size, self.grid, self.style = seed, pool, size, grid, style
        self._drawn: dict[int, View] = {}

    def __getitem__(self, index: int) -> View:
        number = index % self.pool
        if number not in self._drawn:
            self._drawn[number] = draw(self.seed, number, self.size, self.grid, self.style)
        view = self._drawn[number]
        return view.mirrored() if (index // self.pool + number) % 2 else view


def draw(seed: int, index: int, size: int, grid: int, style: str) -> View:
    """Scene ``index`` drawn, shrunk to a square and labelled patch by patch."""
    scene = sample_scene(seed, index, style=style)
    picture = render(scene).resize((size, size), Image.Resampling.BICUBIC)
    centres = (np.arange(grid) + 0.5) / grid
    rows, columns = (centres * scene.height).astype(int), (centres * scene.width).astype(int)
    owners = owner_map(scene)[np.ix_(rows, columns)]
    objects = scene.objects
    behind = BACKGROUND
    if scene.setting in PLACES:
        behind = len(INDEX) + PLACES.index(scene.setting)
    categories = np.array([INDEX[o.label] for o in objects] + [behind], np.int8)
    colors = [NO_COLOR if o.color is None else SIGN_COLORS.index(o.color) for o in objects]
    w, h = scene.width, scene.height
    things = tuple(
        Thing(o.label, o.color, o.size, (o.box[0] / w, o.box[1] / h, o.box[2] / w, o.box[3] / h))
        for o in objects
    )
    return View(
        np.asarray(picture),
        categories[owners],
        np.array([*colors, NO_COLOR], np.int8)[owners],
        things,
        scene.setting,
    )


def stream(seed: int, index: int, purpose: str) -> random.Random:
    """The random numbers of one sample for one purpose."""
    return random.Random(f"{purpose}/{seed}/{index}")
