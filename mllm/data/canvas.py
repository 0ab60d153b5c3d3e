"""The canvas of a scene: places for looks, apart from each other or with mild occlusion."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mllm.data.looks import Layer, SpriteLook, clear_size, drawn
from mllm.data.signs import SignLook

LEAST_VISIBLE = 0.6
MIDDLE_VISIBLE = 0.85  # of the central half of an object, where its colour is looked for


class Canvas:
    """Finds places for looks: apart from each other, or, if crowded, with mild occlusion."""

    def __init__(self, size: tuple[int, int], *, crowded: bool) -> None:
        self.size = size
        self.crowded = crowded
        self.boxes: list[tuple[int, int, int, int]] = []  # solid boxes so far
        self.masks: list[NDArray[np.bool_]] = []
        self.closed: list[bool] = []  # may not be covered (further)

    def place(
        self, rng: random.Random, look: SpriteLook | SignLook, *, alone: bool
    ) -> tuple[int, int] | None:
        """Top left corner of the look's layer, or None where nothing fits."""
        layer = drawn(look)
        for x, y in self._spots(rng, layer):
            box = (x, y, x + layer.solid.shape[1], y + layer.solid.shape[0])
            met = [k for k, other in enumerate(self.boxes) if _near(box, other)]
            if not met or self._may_cover(met, box, layer.solid, alone):
                for k in met:
                    self.closed[k] = True
                self.boxes.append(box)
                self.masks.append(layer.solid)
                self.closed.append(alone or bool(met))
                return x - layer.left, y - layer.top
        return None

    def _spots(self, rng: random.Random, layer: Layer) -> Iterator[tuple[int, int]]:
        high, wide = layer.solid.shape
        across, down = self.size[0] - wide - 2, self.size[1] - high - 2
        for _ in range(60 if min(across, down) >= 0 else 0):
            yield 1 + int(rng.random() * (across + 1)), 1 + int(rng.random() * (down + 1))

    def _may_cover(
        self,
        met: list[int],
        box: tuple[int, int, int, int],
        solid: NDArray[np.bool_],
        alone: bool,
    ) -> bool:
        """Whether the new object may overlap the only other one that it meets."""
        if not self.crowded or alone or len(met) > 1 or self.closed[met[0]]:
            return False
        below, mask = self.boxes[met[0]], self.masks[met[0]].copy()
        x0, y0 = max(box[0], below[0]), max(box[1], below[1])
        x1, y1 = min(box[2], below[2]), min(box[3], below[3])
        if x0 >= x1 or y0 >= y1:
            return True
        total, middle = np.count_nonzero(mask), np.count_nonzero(_middle(mask))
        hidden = solid[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
        mask[y0 - below[1] : y1 - below[1], x0 - below[0] : x1 - below[0]] &= ~hidden
        if np.count_nonzero(mask) < LEAST_VISIBLE * total:
            return False
        if np.count_nonzero(_middle(mask)) < MIDDLE_VISIBLE * middle:
            return False
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        seen = (rows[-1] + 1 - rows[0]) * (columns[-1] + 1 - columns[0])
        return clear_size(float(seen) / (self.size[0] * self.size[1])) is not None


def _middle(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The central half of a mask, each way."""
    high, wide = mask.shape
    return mask[high // 4 : high - high // 4, wide // 4 : wide - wide // 4]


def _near(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Whether two boxes overlap or lie within two pixels of each other."""
    return a[0] < b[2] + 2 and b[0] < a[2] + 2 and a[1] < b[3] + 2 and b[1] < a[3] + 2
