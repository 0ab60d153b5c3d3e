"""Vision encoder: a convolutional stem down to patches of 8 pixels, then a ViT.

The stem replaces ViT's patch embedding because early convolutions make small transformers
trainable in minutes (Xiao et al., arXiv 2106.14881).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mllm.model.attention import attend
from mllm.model.config import NanoConfig


class VisionEncoder(nn.Module):
    """Pictures ``(n, 3, size, size)`` in -1..1 to patch features ``(n, grid * grid, d_vision)``,
    row by row from the top left."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.vision_hidden_size
        self.stem = Stem(d)
        self.rows = nn.Parameter(torch.zeros(config.grid, 1, d))
        self.columns = nn.Parameter(torch.zeros(1, config.grid, d))
        heads = config.vision_heads
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(config.vision_layers))
        self.norm = nn.LayerNorm(d)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.stem(pictures).permute(0, 2, 3, 1) + self.rows + self.columns
        x = x.flatten(1, 2)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class Stem(nn.Sequential):
    """Three halvings, 3 channels to ``d``: an eighth of the resolution."""

    def __init__(self, d: int) -> None:
        super().__init__(
            *_conv(3, 32, stride=2),
            *_conv(32, 64, stride=2),
            *_conv(64, 64, stride=1),
            nn.Conv2d(64, d, 3, stride=2, padding=1),
        )


def _conv(i: int, o: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(i, o, 3, stride=stride, padding=1), nn.GroupNorm(8, o), nn.GELU()


class Block(nn.Module):
    """Pre-norm transformer block with full attention."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(d)
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.norm2 = nn.LayerNorm(d)
        self.up = nn.Linear(d, 4 * d)
        self.down = nn.Linear(4 * d, d)

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        qkv = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = attend(q, k, v).transpose(1, 2).reshape(n, t, d)
        x = x + self.out(seen)
        out: Tensor = x + self.down(F.gelu(self.up(self.norm2(x))))
        return out
