"""Several prompts that begin alike, read and continued side by side.

One forward takes the next tokens of every row. Rows have lengths of their own: what is shorter
is padded on the left, so that the newest token of every row stands in the last place, where some
models look for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from mllm.backends.engine import Engine
from mllm.backends.growing_cache import GrowingLayer, repeated


class Rows:
    """A KV cache with a row a prompt."""

    @torch.inference_mode()
    def __init__(self, engine: Engine, beginning: DynamicCache, position: int, rows: int) -> None:
        """``beginning``: keys and values of what the prompts begin with; it is copied.
        ``position``: that of the token after it."""
        self._engine = engine
        self._cache = repeated(beginning, rows)
        shape = rows, beginning.get_seq_length()
        self._mask = torch.ones(shape, dtype=torch.long, device=engine.device)
        self._next = torch.full((rows,), position, device=engine.device)

    @torch.inference_mode()
    def extend(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Append ``ids`` to the rows, at least a token to each. Returns the logits
        ``(b, vocabulary)`` of the next token of each, in float32."""
        lengths = torch.tensor([len(row) for row in ids], device=self._engine.device)
        width, least = int(lengths.max()), int(lengths.min())
        # Padding comes last at first: nobody looks ahead, so it is seen by none.
        padded = [[*row, *[row[-1]] * (width - len(row))] for row in ids]
        place = torch.arange(width, device=self._engine.device)
        self._mask = torch.cat([self._mask, (place < lengths[:, None]).long()], 1)
        logits = self._engine.forward(
            padded,
            self._cache,
            self._engine.following(self._next, width),
            mask=self._mask,
            keep=width - least + 1,
        )
        self._next = self._next + lengths
        if least < width:
            self._justify(width - lengths)
        rows = torch.arange(len(ids), device=lengths.device)
        return logits[rows, lengths - least].float()

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        chosen = torch.tensor(rows, device=self._engine.device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._next = self._mask[chosen], self._next[chosen]

    def _justify(self, padding: Tensor) -> None:
        """Bring ``padding`` ``(b,)`` places of each row from its end to its beginning, and drop
        there what is padding in all rows."""
        size, longest = self._mask.shape[1], int(self._mask.sum(1).max())
        place = torch.arange(size - longest, size, device=self._engine.device)
        columns = (place - padding[:, None]) % size
        for layer in self._cache.layers:
            assert isinstance(layer, GrowingLayer)
            layer.reorder(columns)
        self._mask = self._mask.gather(1, columns)
