"""A turn while a local model writes it, token by token, under its grammar."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from mllm.backends.calls import Listener
from mllm.backends.protocol import MalformedOutput, ModelError
from mllm.content import Turn, Usage

THOUGHT = 0.75
"""Share of the room that a thought may take. Then it is ended, so that something is said: budget
forcing (s1, arXiv 2501.19393, section 3.1)."""


@dataclass
class Writing:
    """``matcher`` is the grammar (``mllm.backends.grammar``), ``ends`` the tokens that end a turn,
    ``room`` how many tokens may be written. ``must``: what the turn has to be, if anything.
    ``earlier``: calls that the conversation has. ``thought_end``: the token that ends a thought,
    where it is one."""

    matcher: Any
    listener: Listener
    tokenizer: Any
    ends: Collection[int]
    room: int
    must: Literal["JSON", "call"] | None
    earlier: int
    thought_end: int | None = None
    count: int = 0
    done: bool = False
    _stream: DecodeStream = field(default_factory=lambda: DecodeStream(skip_special_tokens=False))

    @property
    def over(self) -> bool:
        """Whether no more tokens are wanted."""
        return self.done or self.count >= self.room

    def allowed(self, logits: Tensor) -> Tensor:
        """``logits`` ``(vocabulary,)`` with -inf where the grammar forbids the token; where a
        thought takes too long, all but its end; where nothing was said yet, the end of the turn.
        """
        bias = torch.frombuffer(bytearray(self.matcher.compute_logit_bias()), dtype=torch.uint8)
        allowed = bias[: len(logits)].bool()
        end = self.thought_end
        if end is not None and allowed[end] and self._thought_enough():
            allowed = torch.zeros_like(allowed)
            allowed[end] = True
        elif self._silent():
            speaking = allowed.index_fill(0, torch.tensor(list(self.ends), dtype=torch.long), False)
            allowed = speaking if speaking.any() else allowed
        return logits.masked_fill(~allowed.to(logits.device), -torch.inf)

    def _thought_enough(self) -> bool:
        return self.listener.thinking and self.count >= THOUGHT * self.room

    def _silent(self) -> bool:
        return not self.listener.text and self.listener.calls_text is None

    def write(self, token: int) -> tuple[list[int], list[str]]:
        """Take ``token``, and any that the grammar leaves no choice about after it. Returns them
        all and the pieces of text that they make. Raises ``ModelError``."""
        if not self.matcher.consume_token(token):
            raise ModelError(f"the grammar stopped: {self.matcher.get_error()}")
        left = self.room - self.count - 1
        forced = [] if self.matcher.is_stopped() else self.matcher.compute_ff_tokens()[:left]
        if forced:
            self.matcher.consume_tokens(forced)
        new = [token, *forced]
        self.count += len(new)
        self.done = new[-1] in self.ends or self.matcher.is_stopped()
        pieces = [self.listener.hear(self._characters(token)) for token in new]
        return new, [piece for piece in pieces if piece]

    def turn(self, prompt: int, cached: int) -> Turn:
        """What was written, after ``prompt`` tokens of which ``cached`` were. ``listener.finish``
        was called before. Raises ``MalformedOutput`` where it was cut off and is of no use."""
        listener = self.listener
        constrained = listener.calls_text is not None or self.must is not None
        if constrained and not (self.done or self.matcher.is_accepting()):
            raise MalformedOutput(
                f"the model's {self.must or 'call'} was cut off after {self.count} tokens: raise "
                f"max_tokens or ask for less",
                listener.text + (listener.calls_text or ""),
            )
        return Turn(
            text=listener.text,
            reasoning=listener.reasoning,
            calls=listener.calls(1 + self.earlier),
            usage=Usage(input=prompt, cached=cached, output=self.count),
            truncated=not self.done,
        )

    def _characters(self, token: int) -> str:
        """Whole characters: one of several bytes comes out with its last token."""
        if token in self.ends:
            return ""
        return self._stream.step(self.tokenizer.backend_tokenizer, token) or ""
