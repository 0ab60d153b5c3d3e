"""Tool calls as text: how a model writes them, and how they are read while they come.

    looking for cups
    <tool_call>
    {"name": "detect", "arguments": {"image": "img1", "labels": ["cup"]}}
    </tool_call>

(the Hermes format, which most open models are trained on)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from mllm.content import ToolCall
from mllm.episode import THINK, THINK_END

OPENER, CLOSER = "<tool_call>", "</tool_call>"
_THOUGHT = re.compile(rf"{THINK_END}|(?={OPENER})")


@dataclass(frozen=True)
class CallFormat:
    """White space around the JSON of a call, and between calls, as the chat template writes it."""

    lead: str = "\n"
    trail: str = "\n"
    between: str = "\n"


class Listener:
    """Takes what a model says, piece by piece, and tells text from calls.

    Text goes through at once, without white space at either end of the turn; ``text`` is all of
    it. From the first opener on everything is kept in ``calls_text``, None while there is none.
    What a reasoning model thinks between ``<think>`` and ``</think>`` before it speaks is kept
    apart, in ``reasoning``.
    """

    def __init__(self, *, may_call: bool, thinking: bool = False) -> None:
        """Without ``may_call`` everything is text. ``thinking``: the prompt opened the thought."""
        self._may_call = may_call
        self._thinking: bool | None = thinking or None
        """None until the first characters tell."""
        self._held = ""
        self.text = self.reasoning = ""
        self.calls_text: str | None = None

    @property
    def thinking(self) -> bool:
        """Whether a thought has begun and not ended."""
        return bool(self._thinking)

    def hear(self, piece: str) -> str:
        """The text that is certain after this piece, possibly empty."""
        if self.calls_text is not None:
            self.calls_text += piece
            return ""
        self._held += piece
        if self._thinking is None and (start := self._held.lstrip()):
            if start != THINK and THINK.startswith(start):
                return ""
            self._thinking = start.startswith(THINK)
        if self._thinking:
            if not (thought := _THOUGHT.search(self._held)):
                return ""
            said = self._held[: thought.start()]
            self.reasoning = said.strip().removeprefix(THINK).strip()
            self._held, self._thinking = self._held[thought.end() :], False
        if self._may_call and OPENER in self._held:
            self._held, _, after = self._held.partition(OPENER)
            self.calls_text = OPENER + after
            return self._say(self._held.rstrip())
        # An opener may have begun, and white space may turn out to be the end.
        begun = _overlap(self._held, OPENER) if self._may_call else 0
        return self._say(self._held[: len(self._held) - begun].rstrip())

    def finish(self) -> str:
        """What was held back and turned out to be text. Of a model that thinks, what comes before
        the end of another thought is none."""
        if self.calls_text is not None or self._thinking:
            return ""
        last = self._say(self._held.rstrip())
        if self.reasoning and THINK_END in self.text:
            more, _, said = self.text.rpartition(THINK_END)
            self.reasoning, self.text = f"{self.reasoning}\n{more}", said.lstrip()
        return last

    def calls(self, first: int) -> tuple[ToolCall, ...]:
        """The calls, with ids counted from ``first``. Raises ``ValueError`` when one is not
        complete and well-formed."""
        calls: list[ToolCall] = []
        rest = (self.calls_text or "").strip()
        while rest:
            body = rest.removeprefix(OPENER).lstrip()
            value, end = json.JSONDecoder().raw_decode(body)
            after = body[end:].lstrip()
            if not rest.startswith(OPENER) or not after.startswith(CLOSER):
                raise ValueError(f"a call stands between {OPENER} and {CLOSER}")
            if not isinstance(value, dict) or not isinstance(value.get("name"), str):
                raise ValueError('a call is {"name": TOOL, "arguments": {...}}')
            calls.append(
                ToolCall(
                    id=f"call{first + len(calls)}",
                    name=value["name"],
                    arguments=value.get("arguments", {}),
                )
            )
            rest = after.removeprefix(CLOSER).lstrip()
        return tuple(calls)

    def _say(self, ready: str) -> str:
        self._held = self._held[len(ready) :]
        if not self.text:
            ready = ready.lstrip()
        self.text += ready
        return ready


def _overlap(text: str, mark: str) -> int:
    """Length of the longest end of ``text`` that may be the beginning of ``mark``."""
    return next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
