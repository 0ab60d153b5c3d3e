"""What a decoding method is: another way to read a conversation with the same model."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from mllm.backends.engine import Engine, Prompt
from mllm.backends.session_cache import SessionCache


class Reader:
    """Reads one conversation, and gives the model's logits as they are.

    A turn calls ``prefill`` once, then ``weigh`` before and ``extend`` after each token. A method
    derives from this class and replaces what it changes.
    """

    def __init__(self, engine: Engine) -> None:
        self._cache = SessionCache(engine)

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


class Decoding(Protocol):
    """A decoding method, which any number of sessions share."""

    def reader(self, engine: Engine) -> Reader:
        """A reader for one session. Raises ``ModelError`` for a model that it cannot serve."""
        ...
