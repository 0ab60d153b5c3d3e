"""Ways to choose the next token, for any local model: ``load(model, decoding="vcd")``."""

from __future__ import annotations

from collections.abc import Callable

from mllm.backends.protocol import ModelError
from mllm.decoding.method import Decoding, Reader
from mllm.decoding.vcd import VCD

__all__ = ["METHODS", "VCD", "Decoding", "Reader", "named"]

METHODS: dict[str, Callable[[], Decoding]] = {"vcd": VCD}
"""Methods that need no more than a name, with the values that their authors use."""


def named(decoding: str | Decoding) -> Decoding:
    """The method of that name, or the one given. Raises ``ModelError`` for an unknown name."""
    if not isinstance(decoding, str):
        return decoding
    if decoding not in METHODS:
        raise ModelError(f"no decoding method {decoding!r}: there is {', '.join(METHODS)}")
    return METHODS[decoding]()
