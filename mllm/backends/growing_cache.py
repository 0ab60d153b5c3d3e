"""A KV cache that grows without copying itself at every token.

transformers' dynamic layer concatenates: each new token copies all keys and values before it. In
a session that goes on for thousands of tokens this is most of what a late step costs more than an
early one. Here a layer keeps room to grow, and doubles it when it is full.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 256
"""Tokens that a layer has room for at first."""


class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A ``DynamicLayer`` whose ``keys`` and ``values`` ``(b, heads, n, dim)`` are the filled
    starts of larger buffers. For inference only: it writes in place."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_room, self._value_room = _room(key_states), _room(value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if end > self._key_room.shape[-2]:
            self._key_room = _grown(self._key_room, start, end)
            self._value_room = _grown(self._value_room, start, end)
        self._key_room[..., start:end, :] = key_states
        self._value_room[..., start:end, :] = value_states
        self.keys = self._key_room[..., :end, :]
        self.values = self._value_room[..., :end, :]
        return self.keys, self.values

    def repeated(self, rows: int) -> GrowingLayer:
        """A layer of ``rows`` rows, each with what the only row of this one holds."""
        make: Callable[[], GrowingLayer] = GrowingLayer
        layer = make()
        if self.keys is not None and self.values is not None:  # else it shares those of another
            layer.update(*(x.expand(rows, -1, -1, -1) for x in (self.keys, self.values)))
        return layer

    def batch_select_indices(self, indices: Tensor) -> None:
        if not self.is_initialized:
            return
        end = self.get_seq_length()
        self._key_room, self._value_room = self._key_room[indices], self._value_room[indices]
        self.keys = self._key_room[..., :end, :]
        self.values = self._value_room[..., :end, :]

    def reorder(self, columns: Tensor) -> None:
        """Keep, as place i of each row, what stands at place ``columns[row, i]`` of ``(b, n)``."""
        if self.keys is None or self.values is None:
            return
        self.keys = _taken(self._key_room, self.keys, columns)
        self.values = _taken(self._value_room, self.values, columns)


def growing(cache: DynamicCache) -> DynamicCache:
    """``cache``, still empty, with its plain layers replaced by growing ones. Layers of other
    kinds (sliding windows, recurrent states) bound or manage their size themselves."""
    make: Callable[[], DynamicLayer] = GrowingLayer
    cache.layers = [make() if type(x) is DynamicLayer else x for x in cache.layers]
    if cache.layer_class_to_replicate is DynamicLayer:
        cache.layer_class_to_replicate = GrowingLayer
    return cache


def repeated(cache: DynamicCache, rows: int) -> DynamicCache:
    """A cache of growing layers as one of ``rows`` rows that all begin with what it holds."""
    twin = copy(cache)
    twin.layers = [x.repeated(rows) for x in cache.layers if isinstance(x, GrowingLayer)]
    return twin


def _room(states: Tensor) -> Tensor:
    b, heads, _, dim = states.shape
    return states.new_empty(b, heads, ROOM, dim)


def _grown(room: Tensor, filled: int, wanted: int) -> Tensor:
    b, heads, size, dim = room.shape
    larger = room.new_empty(b, heads, max(2 * size, wanted), dim)
    larger[..., :filled, :] = room[..., :filled, :]
    return larger


def _taken(room: Tensor, filled: Tensor, columns: Tensor) -> Tensor:
    index = columns[:, None, :, None].expand(-1, filled.shape[1], -1, filled.shape[3])
    start = room[..., : columns.shape[1], :]
    return start.copy_(filled.gather(2, index))
