"""The KV cache of a conversation that goes on: only what is new is computed.

Each turn brings the whole conversation. What it has in common with the tokens in the cache is
kept, what follows is dropped, and the rest is prefilled, a picture at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import torch
from torch import Tensor

from mllm.backends.engine import Block, Engine, Picture, Prompt


class SessionCache:
    """Tokens of one session and their keys and values."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clear()

    def _clear(self) -> None:
        self._cache = self._engine.cache()
        self._keys: list[int | tuple[str, int]] = []
        self._next: int | None = None

    def prefill(self, prompt: Prompt) -> tuple[Tensor, int]:
        """Bring the cache to ``prompt``. Returns the logits ``(vocabulary,)`` of the next token
        and how many tokens of the prompt were in the cache already."""
        keys = prompt.keys()
        kept = self._keep(_common(keys, self._keys, prompt.blocks))
        positions = self._engine.positions(prompt)
        if positions is not None:
            self._next = int(positions.max()) + 1
        # A picture's block is never split, and each forward takes one picture at most: so the
        # pixels need no batching, in which architectures differ, and memory stays bounded.
        stops: list[tuple[int, Picture | None]] = [
            (b.end, b.picture) for b in prompt.blocks if b.start >= kept
        ]
        last = stops.pop() if stops and stops[-1][0] == len(keys) else (len(keys), None)
        start = kept
        for end, picture in stops:
            self._append(keys, prompt.ids, start, end, positions, picture)
            start = end
        return self._append(keys, prompt.ids, start, last[0], positions, last[1]), kept

    def extend(self, ids: list[int]) -> Tensor:
        """Append generated tokens; the logits of the next one."""
        positions = None
        if self._next is not None:
            row = torch.arange(self._next, self._next + len(ids), device=self._engine.device)
            positions = row.expand(3, 1, -1)
            self._next += len(ids)
        return self._append(ids, ids, 0, len(ids), positions, None)

    def _append(
        self,
        keys: Sequence[int | tuple[str, int]],
        ids: Sequence[int],
        start: int,
        end: int,
        positions: Tensor | None,
        picture: Picture | None,
    ) -> Tensor:
        try:
            logits = self._engine.forward(
                ids[start:end],
                self._cache,
                None if positions is None else positions[..., start:end],
                picture,
            )
        except BaseException:  # stopped between two layers, the cache is of no use
            self._clear()
            raise
        self._keys += keys[start:end]
        return logits

    def _keep(self, common: int) -> int:
        """Drop all but the first ``common`` tokens. An architecture that cannot go back (a full
        sliding window, a recurrent state) starts over."""
        surplus = self._cache.get_seq_length() - common
        if surplus == 0:
            return common
        try:
            if not common or not self._cache.is_croppable:
                raise RuntimeError("not croppable")
            self._cache.crop(-surplus)
        except RuntimeError:
            self._clear()
            return 0
        del self._keys[common:]
        return common


def _common(
    new: list[int | tuple[str, int]], old: list[int | tuple[str, int]], blocks: list[Block]
) -> int:
    """Length of the common prefix: at least one token short of ``new``, since its last one gives
    the logits, and never inside a picture."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(new, old, strict=False)))
    same = min(same, len(new) - 1)
    return next((b.start for b in blocks if b.start < same < b.end), same)
