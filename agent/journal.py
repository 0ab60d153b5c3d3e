"""The effect journal: a side effect is written down before it happens, its outcome after.

A run that was killed finds, for each call with a side effect: nothing (it did not happen), an
intent with an outcome (it happened: the outcome is used again), a question (it did not happen: it
waits for a person), or an intent alone (nobody knows: it is not repeated unless a person says so).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.log import append_line
from mllm.content import Artifact, Boxes, Media, Record, Text, ToolCall, Value
from tools.protocol import Question

NAME = "effects.jsonl"


class NewPicture(Value):
    """A picture that a tool made: already in the store, still without an id."""

    type: Literal["picture"] = "picture"
    artifact: Artifact
    name: str


class Outcome(Value):
    """What a call came to, before the run gives ids to what is new."""

    parts: tuple[Text | Boxes | Media | Record | NewPicture, ...]
    error: bool = False
    seconds: float = 0.0
    traceback: str = ""
    full_text: str = ""


class _Entry(Value):
    call: ToolCall
    outcome: Outcome | None = Field(default=None, description="None: about to be made, or asked")
    question: Question | None = Field(default=None, description="it waits, and nothing was done")
    answers: Mapping[str, str] = Field(default={}, description="of a person, by question")


class Journal:
    """The side effects of one run. Every entry is on the disk when its method returns."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / NAME
        self._fd = -1
        # A torn last line was never acted on: an intent is on the disk before its effect begins.
        lines = self._path.read_bytes().rpartition(b"\n")[0] if self._path.exists() else b""
        self._size = len(lines) + 1 if lines else 0
        entries = [_Entry.model_validate_json(line) for line in lines.splitlines()]
        self._entries = {entry.call.id: entry for entry in entries}

    def intended(self, call: ToolCall) -> bool:
        """Whether this very call was begun before."""
        entry = self._entries.get(call.id)
        return entry is not None and entry.call == call

    def outcome(self, call: ToolCall) -> Outcome | None:
        """How it ended before, or None when that is not known."""
        return self._entries[call.id].outcome if self.intended(call) else None

    def question(self, call: ToolCall) -> Question | None:
        """What a person must answer before it is made, or None."""
        return self._entries[call.id].question if self.intended(call) else None

    def answers(self, call: ToolCall) -> Mapping[str, str]:
        """What a person answered about it so far."""
        return self._entries[call.id].answers if self.intended(call) else {}

    def begin(self, call: ToolCall, answers: Mapping[str, str] | None = None) -> None:
        """Write the intent. Raises ``RunError`` when it cannot be kept: then do not act."""
        self._add(_Entry(call=call, answers=answers or {}))

    def wait(self, call: ToolCall, question: Question) -> None:
        """Write that it was not made: a person is asked first."""
        self._add(_Entry(call=call, question=question, answers=self.answers(call)))

    def end(self, call: ToolCall, outcome: Outcome) -> None:
        """Write the outcome."""
        self._add(_Entry(call=call, outcome=outcome, answers=self.answers(call)))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _add(self, entry: _Entry) -> None:
        if self._fd < 0:  # most runs have no side effects, and then no journal
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            os.ftruncate(self._fd, self._size)
        line = entry.model_dump_json().encode() + b"\n"
        append_line(self._fd, line, self._size, self._folder)
        os.fdatasync(self._fd)
        self._size += len(line)
        self._entries[entry.call.id] = entry
