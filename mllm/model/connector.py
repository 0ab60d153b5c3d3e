"""Connector: patch features to the visual tokens that the decoder reads.

Two paths are added. ``aligned`` projects every patch into the space of the word embeddings, where
the dense pretraining loss pulls it to the word of what it shows; the mean of the 2x2 aligned
patches *is* a word-like token that the decoder understands at once. The pixel shuffle (Shi et al.,
arXiv 1609.05158, as in SmolVLM) with an MLP adds the detail that a mean loses. It starts at zero:
random features on top of the words hide them, and nothing is learned from pictures.
"""

from __future__ import annotations

from torch import Tensor, nn

from mllm.model.config import NanoConfig


class Connector(nn.Module):
    """Patch features ``(n, grid * grid, d_vision)`` to ``(tokens, aligned)``: visual tokens
    ``(n, image_tokens, d)`` and aligned patches ``(n, grid * grid, d)``."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.grid, self.r = config.grid, config.shuffle
        d = config.hidden_size
        self.aligned = nn.Linear(config.vision_hidden_size, d)
        self.mlp = nn.Sequential(
            nn.Linear(config.vision_hidden_size * self.r**2, d), nn.GELU(), nn.Linear(d, d)
        )

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        aligned = self.aligned(features)
        tokens = self.mlp(self._shuffle(features).flatten(2)) + self._shuffle(aligned).mean(2)
        return tokens, aligned

    def _shuffle(self, x: Tensor) -> Tensor:
        """``(n, grid * grid, c)`` to ``(n, image_tokens, r * r, c)``: neighbours side by side."""
        n, _, c = x.shape
        side = self.grid // self.r
        x = x.view(n, side, self.r, side, self.r, c).transpose(2, 3)
        return x.reshape(n, side * side, self.r * self.r, c)
