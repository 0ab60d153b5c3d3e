"""Other textures for training pictures (RandConv, Xu et al., ICLR 2021, arXiv 2007.13003)."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import conv2d

FILTERED = 0.5
"""Share of the training pictures that get other textures."""


def other_textures(images: torch.Tensor) -> torch.Tensor:
    """Pictures (N, 3, H, W) of 0 to 1, some of them through a random filter: shapes stay, colours
    and textures change, so that a network that sees few designs looks at shapes.
    """
    changed = images.clone()
    for number in torch.nonzero(torch.rand(len(images)) < FILTERED).flatten().tolist():
        size = int(torch.randint(0, 3, ())) * 2 + 1
        weights = torch.randn(3, 3, size, size) / math.sqrt(3 * size * size)
        picture = images[number : number + 1]
        filtered = conv2d(picture - 0.5, weights, padding=size // 2)
        filtered = filtered * picture.std() / (filtered.std() + 1e-5) + 0.5
        share = torch.rand(())
        changed[number] = (share * picture + (1 - share) * filtered)[0].clamp(0, 1)
    return changed
