"""Text decoder: pre-norm blocks with rotary positions (RoFormer, arXiv 2104.09864), grouped-query
attention (arXiv 2305.13245) and SwiGLU (arXiv 2002.05202)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.cache_utils import Cache

from mllm.model.attention import attend
from mllm.model.config import NanoConfig

PIECE = 256
"""Queries that attention takes at once in training."""

Biases: TypeAlias = Sequence[Sequence[Tensor]]
"""What attention adds to its scores: for each segment, and in it for each piece of the queries."""


class Decoder(nn.Module):
    """Embeddings ``(b, t, d)`` to hidden states ``(b, t, d)``.

    ``positions`` is ``(b, t)``. ``masks`` are boolean, true where a query may look, one for each
    segment of a packed row, ``(b, 1, n, n)``, of which none sees another; or the one for all,
    ``(b, 1, t, past + t)``. Nobody looks ahead.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.theta = config.rope_theta
        self.groups = config.num_attention_heads // config.num_key_value_heads
        self.blocks = nn.ModuleList(Block(config, i) for i in range(config.decoder_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(
        self, x: Tensor, positions: Tensor, masks: Sequence[Tensor], cache: Cache | None
    ) -> Tensor:
        rotation = rope(positions, self.head_dim, self.theta)
        biases = [self._biases(mask, x.dtype, cache) for mask in masks]
        for block in self.blocks:
            x = block(x, rotation, biases, cache)
        out: Tensor = self.norm(x)
        return out

    def _biases(self, mask: Tensor, dtype: torch.dtype, cache: Cache | None) -> list[Tensor]:
        """What attention adds to its scores, ``(b, 1, groups * queries, keys)`` for each piece of
        the queries. Nobody looks ahead: in training long segments are done in pieces, each with no
        more keys than it can see."""
        t, keys = mask.shape[2:]
        bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -1e9)
        ends = range(PIECE, t, PIECE) if cache is None else ()
        parts = [bias[:, :, s:e, : keys - t + e] for s, e in pairwise((0, *ends, t))]
        return [part.repeat(1, 1, self.groups, 1) if t > 1 else part for part in parts]


class Block(nn.Module):
    """Attention over what came before, then SwiGLU."""

    def __init__(self, config: NanoConfig, layer: int) -> None:
        super().__init__()
        d, f = config.hidden_size, config.intermediate_size
        self.layer = layer
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.head_dim = config.head_dim
        self.norm1 = nn.RMSNorm(d, eps=config.rms_norm_eps)
        self.qkv = nn.Linear(d, (self.heads + 2 * self.kv_heads) * self.head_dim, bias=False)
        self.out = nn.Linear(self.heads * self.head_dim, d, bias=False)
        self.norm2 = nn.RMSNorm(d, eps=config.rms_norm_eps)
        self.gate_up = nn.Linear(d, 2 * f, bias=False)
        self.down = nn.Linear(f, d, bias=False)

    def forward(
        self, x: Tensor, rotation: tuple[Tensor, Tensor], biases: Biases, cache: Cache | None
    ) -> Tensor:
        x = x + self._attend(self.norm1(x), rotation, biases, cache)
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        out: Tensor = x + self.down(F.silu(gate) * up)
        return out

    def _attend(
        self, x: Tensor, rotation: tuple[Tensor, Tensor], biases: Biases, cache: Cache | None
    ) -> Tensor:
        b, t, _ = x.shape
        qkv = self.qkv(x).view(b, t, -1, self.head_dim).transpose(1, 2)
        q, k, v = qkv.split([self.heads, self.kv_heads, self.kv_heads], 1)
        q, k = rotate(q, rotation), rotate(k, rotation)
        if cache is not None:
            k, v = cache.update(k, v, self.layer)
        if len(biases) == 1:
            seen = self._in_pieces(q, k, v, *biases)
        else:
            lengths = [pieces[-1].shape[-1] for pieces in biases]
            parts = (x.split(lengths, 2) for x in (q, k, v))
            segments = zip(*parts, biases, strict=True)
            seen = torch.cat([self._in_pieces(*segment) for segment in segments], 2)
        out: Tensor = self.out(seen.transpose(1, 2).reshape(b, t, -1))
        return out

    def _in_pieces(self, q: Tensor, k: Tensor, v: Tensor, biases: Sequence[Tensor]) -> Tensor:
        if len(biases) == 1:
            return self._seen(q, k, v, *biases)
        # Split and joined, not sliced: the gradient of a slice is as large as the whole.
        qs, ks, vs = (torch.split(x, PIECE, 2) for x in (q, k, v))
        return torch.cat(
            [
                self._seen(qs[i], torch.cat(ks[: i + 1], 2), torch.cat(vs[: i + 1], 2), bias)
                for i, bias in enumerate(biases)
            ],
            2,
        )

    def _seen(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        # The heads of a group are further queries to its keys: so nothing of the cache is copied.
        b, _, t, _ = q.shape
        groups = self.heads // self.kv_heads
        q = q.reshape(b, self.kv_heads, groups * t, self.head_dim)
        seen = attend(q, k, v, bias)
        return seen.view(b, self.heads, t, self.head_dim)


def rope(positions: Tensor, dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines ``(b, 1, t, dim)`` of the rotation at each position."""
    exponent = torch.arange(0, dim, 2, device=positions.device, dtype=torch.float32) / dim
    angles = positions[:, None, :, None].float() / theta**exponent
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the pairs ``(i, i + dim / 2)`` of ``x`` ``(b, heads, t, dim)``."""
    cos, sin = (r.to(x.dtype) for r in rotation)
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin
