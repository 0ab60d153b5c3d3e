"""What a decoding method is: another way to read a conversation with the same model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from mllm.backends.engine import Engine, Prompt
from mllm.backends.rows import Rows
from mllm.backends.session_cache import SessionCache


class Reader:
    """Reads a conversation, and gives the model's logits as they are.

    A turn calls ``prefill`` once, then ``weigh`` before and ``extend`` after each token; several
    turns side by side call ``branch`` and do the same with what it gives. A method derives from
    this class and replaces what it changes, in both, or lets ``branch`` give None.
    """

    def __init__(self, engine: Engine) -> None:
        self._cache = SessionCache(engine)
        # Apart from the conversation, so that it and branches do not drop each other's tokens.
        self._beginning = SessionCache(engine)

    def prefill(self, prompt: Prompt) -> tuple[Tensor, int]:
        """The logits ``(vocabulary,)`` after ``prompt``, and how many of its tokens were cached."""
        return self._cache.prefill(prompt)

    def extend(self, ids: list[int]) -> Tensor:
        """The logits ``(vocabulary,)`` after ``ids``, which were generated."""
        return self._cache.extend(ids)

    def weigh(self, logits: Tensor) -> Tensor:
        """The logits to choose the next token by. ``logits`` are those of ``prefill`` or
        ``extend``, -inf where the grammar forbids the token, and there they must stay so."""
        return logits

    def branch(self, prompts: Sequence[Prompt]) -> tuple[Branches, Tensor, list[int]] | None:
        """As ``SessionCache.branch``: several prompts that begin alike, read side by side. None
        where that cannot be: they are read one after the other then."""
        if (branched := self._beginning.branch(prompts)) is None:
            return None
        rows, logits, cached = branched
        return Branches(rows), logits, cached


class Branches:
    """Several prompts that go on side by side, each a row; used as a ``Reader`` is."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def extend(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """The logits ``(b, vocabulary)`` after ``ids``, which were generated, at least one in each
        row."""
        return self._rows.extend(ids)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        self._rows.keep(rows)

    def weigh(self, logits: Tensor) -> Tensor:
        """As ``Reader.weigh``, ``(b, vocabulary)``."""
        return logits


class Decoding(Protocol):
    """A decoding method, which any number of sessions share."""

    def reader(self, engine: Engine) -> Reader:
        """A reader for one session. Raises ``ModelError`` for a model that it cannot serve."""
        ...
