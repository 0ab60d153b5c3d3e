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
from mllm.backends.rows import Rows


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

    def branch(self, prompts: Sequence[Prompt]) -> tuple[Rows, Tensor, list[int]] | None:
        """Bring the cache to the common beginning of ``prompts`` and read their rests side by
        side. Returns the rows, the logits ``(b, vocabulary)`` of the next token of each, and how
        many tokens of each were in a cache. None where the model takes no rows, and for prompts
        that begin differently or with pictures in their rests."""
        keys, first = [p.keys() for p in prompts], prompts[0]
        common = min(_common(k, keys[0], p.blocks) for k, p in zip(keys, prompts, strict=True))
        apart = any(b.end > common for p in prompts for b in p.blocks)
        if not common or apart or not self._engine.takes_rows:
            return None
        _, kept = self.prefill(Prompt(first.ids[:common], first.blocks))
        position = common if self._next is None else self._next
        rows = Rows(self._engine, self._cache, position, len(prompts))
        logits = rows.extend([p.ids[common:] for p in prompts])
        return rows, logits, [kept, *[common] * (len(prompts) - 1)]

    def extend(self, ids: list[int]) -> Tensor:
        """Append generated tokens; the logits of the next one."""
        positions = None
        if self._next is not None:
            start = torch.tensor([self._next], device=self._engine.device)
            positions = self._engine.following(start, len(ids))
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
                [ids[start:end]],
                self._cache,
                None if positions is None else positions[..., start:end],
                picture,
            )
        except BaseException:  # stopped between two layers, the cache is of no use
            self._clear()
            raise
        self._keys += keys[start:end]
        return logits[0, 0].float()

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
