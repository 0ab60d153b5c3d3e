"""Scaled dot-product attention, by the faster of two equal ways."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """``softmax(q k^T / sqrt(dim) + bias) v`` for ``(b, heads, t, dim)``; ``bias`` is added to the
    scores, ``(b, 1, t, keys)``.

    On a CPU plain products take a third of the time of torch's fused kernel in bfloat16 (forward
    and backward, 2 to 32 rows of 256 to 1024 tokens); a GPU takes the fused kernel.
    """
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    out: Tensor = scores.softmax(-1).to(v.dtype) @ v
    return out
