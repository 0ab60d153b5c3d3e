"""A second opinion on what is in a box: a small classifier that sees nothing else.

A detector names things with the features that it finds them with, at the size that they have in the
picture. A network that is given the part alone, at one size, names those of an unseen design better
(decoupled classification refinement, Cheng et al., arXiv 1810.04002), and can say that
there is nothing.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import silu

from mllm.data.lexicon import NAMES

if TYPE_CHECKING:
    from mllm.yolo import Found

SIDE = 64
"""Pixels of a part."""
CONTEXT = 1.2
"""Side of the square part that is cut out, of the longer side of the box."""
WIDTHS = (32, 64, 128, 256)
NOTHING = len(NAMES)
"""The class of parts that show no object."""
LEAST = 0.01
"""Least share of an opinion that is told."""
_AT_ONCE = 64
_SMALLEST = 2.0  # pixels


class Namer(nn.Module):
    """A residual network: a part ``(n, 3, 64, 64)`` in -0.5..0.5, scores of the ``NAMES`` and of
    ``NOTHING`` ``(n, 81)``."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.features = nn.Sequential(
            nn.Conv2d(3, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a), nn.SiLU(),
            Block(a, b, 2), Block(b, c, 2), Block(c, c, 1), Block(c, d, 2), Block(d, d, 1),
        )  # fmt: skip
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(d, NOTHING + 1)

    def forward(self, parts: Tensor) -> Tensor:
        out: Tensor = self.head(self.dropout(self.features(parts).mean((2, 3))))
        return out

    @classmethod
    def load(cls, path: Path) -> Namer:
        """The network that ``save`` wrote, for use.

        Raises ``OSError``, ``SafetensorError`` or ``RuntimeError`` for a file that is not that.
        """
        namer = cls()
        namer.load_state_dict(load_file(path))
        return namer.eval()

    def save(self, path: Path) -> Path:
        """Write the weights in half precision."""
        half = copy.deepcopy(self).half()  # counters of batches stay whole numbers
        save_file({k: v.contiguous() for k, v in half.state_dict().items()}, path)
        return path

    @torch.inference_mode()
    def names(self, picture: Image.Image, boxes: Sequence[Found]) -> list[dict[str, float]]:
        """What may be in each box of an RGB picture, by name, from 0 to 1; what is missing to 1 is
        that there is nothing, or very unlikely. The mean over the part and its mirror image."""
        if not boxes:
            return []
        cuts = [_pixels(part(picture, (b.x0, b.y0, b.x1, b.y1))) for b in boxes]
        shares = [
            (self(some).softmax(1) + self(some.flip(3)).softmax(1)) / 2
            for some in torch.split(torch.stack(cuts), _AT_ONCE)
        ]
        return [
            {name: share for name, share in zip(NAMES, row, strict=False) if share >= LEAST}
            for row in torch.cat(shares).tolist()
        ]


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        )
        self.second = nn.Sequential(
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        )
        self.around: nn.Module = nn.Identity()
        if before != after:
            self.around = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(before, after, 1, bias=False),
                nn.BatchNorm2d(after),
            )

    def forward(self, x: Tensor) -> Tensor:
        return silu(self.around(x) + self.second(silu(self.first(x))))


def part(
    picture: Image.Image,
    box: tuple[float, float, float, float],
    context: float = CONTEXT,
    side: int = SIDE,
) -> Image.Image:
    """The square around a box, ``context`` times its longer side, as ``side`` pixels. Where it
    leaves the picture the picture's edge goes on."""
    x0, y0, x1, y1 = box
    half = context * max(x1 - x0, y1 - y0, _SMALLEST) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = math.floor(x - half), math.floor(y - half)
    right, bottom = math.ceil(x + half), math.ceil(y + half)
    inside = (
        min(max(left, 0), picture.width - 1), min(max(top, 0), picture.height - 1),
        max(min(right, picture.width), 1), max(min(bottom, picture.height), 1),
    )  # fmt: skip
    pixels = np.asarray(picture.crop(inside))
    beyond = ((inside[1] - top, bottom - inside[3]), (inside[0] - left, right - inside[2]), (0, 0))
    square = Image.fromarray(np.pad(pixels, beyond, mode="edge"))
    where = (x - half - left, y - half - top, x + half - left, y + half - top)
    return square.resize((side, side), Image.Resampling.BILINEAR, box=where, reducing_gap=2.0)


def _pixels(part: Image.Image) -> Tensor:
    """A part as the network takes it."""
    return torch.from_numpy(np.array(part)).permute(2, 0, 1).float() / 255 - 0.5
