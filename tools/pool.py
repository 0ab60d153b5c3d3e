"""One pool of loaded experts a process: weights load at first use and share a memory budget."""

from __future__ import annotations

import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

FALLBACK_BYTES = 2 * 2**30
"""Budget where the system does not tell its memory."""


@dataclass
class _Slot:
    size: int
    users: int = 0
    loaded: bool = False
    expert: Any = None
    lock: threading.RLock = field(default_factory=threading.RLock)


class ExpertPool:
    """Lends loaded experts and forgets the least recently used ones when memory is short.

    Threads may share a pool. An expert is loaded once however many threads ask for it, is lent
    to one thread at a time (few experts may be called from two), and is never evicted while lent.

        with pool.get("ocr", RapidOCR, size=90 * 2**20) as ocr:
            ocr(pixels)
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()  # least recently used first
        self._lock = threading.Lock()

    @contextmanager
    def get(self, key: Hashable, load: Callable[[], T], size: int) -> Iterator[T]:
        """Lend the expert ``key``, calling ``load`` when it is not in memory.

        ``size`` is about how many bytes it takes once loaded. Room is made before loading. The
        budget is exceeded only by experts in use: a single one larger than it still loads.
        Raises what ``load`` raises, and tries again at the next call.
        """
        with self._lock:
            slot = self._slots.setdefault(key, _Slot(size))
            self._slots.move_to_end(key)
            slot.users += 1
            evicted = self._evict(self.budget_bytes)
        _free(evicted)
        try:
            with slot.lock:
                if not slot.loaded:
                    slot.expert = load()
                    slot.loaded = True
                yield slot.expert
        finally:
            with self._lock:
                slot.users -= 1
                if not slot.loaded and slot.users == 0:
                    del self._slots[key]
                evicted = self._evict(self.budget_bytes)
            _free(evicted)

    def loaded(self) -> dict[Hashable, int]:
        """Bytes of each expert in memory, least recently used first."""
        with self._lock:
            return {key: slot.size for key, slot in self._slots.items() if slot.loaded}

    def clear(self) -> None:
        """Forget every expert that is not in use."""
        with self._lock:
            evicted = self._evict(0)
        _free(evicted)

    def _evict(self, limit: int) -> list[_Slot]:
        """Take idle slots out until ``limit`` holds, the least recently used first."""
        used = sum(slot.size for slot in self._slots.values())
        evicted = []
        for key in [key for key, slot in self._slots.items() if slot.users == 0]:
            if used <= limit:
                break
            evicted.append(self._slots.pop(key))
            used -= evicted[-1].size
        return evicted


def _free(evicted: list[_Slot]) -> None:
    """Models hold reference cycles, so that dropping them is not enough to free their memory."""
    if evicted:
        evicted.clear()
        gc.collect()


@cache
def default_pool() -> ExpertPool:
    """The pool that all runs of a process share: half of the memory that is free now."""
    return ExpertPool(_available() // 2)


def _available() -> int:
    """Bytes that this process may still take, by the system and by its container's limit."""
    free = FALLBACK_BYTES * 2
    try:
        rows = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(r.split()[1]) * 1024 for r in rows if r.startswith("MemAvailable"))
    except (OSError, StopIteration):
        if "SC_PHYS_PAGES" in os.sysconf_names:
            free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except OSError:
        return free
    return free if limit == "max" else min(free, max(int(limit) - used, 0))
