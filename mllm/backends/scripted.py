"""A model that follows a script, for tests, benchmarks and demonstrations; and cassettes, which
record what a real model said and play it back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from mllm.backends.protocol import Backend, ModelError, Session, ToolChoice
from mllm.content import MediaReader, Message, ToolSpec, Turn

Line = Turn | str | Exception | Callable[[Sequence[Message]], Turn | str]
"""One line of a script: what to say, an error to raise, or a function of the conversation."""

Say = Callable[[Sequence[Message], ToolChoice, dict[str, Any] | None], Turn]


class Scripted:
    """Says its lines one after another, whichever session asks.

    ``seen`` keeps the conversations that it was shown, in order. Out of lines it raises
    ``ModelError``.
    """

    def __init__(self, turns: Sequence[Line], name: str = "scripted") -> None:
        self.name = name
        self.seen: list[tuple[Message, ...]] = []
        self._lines = list(turns)
        self._lock = Lock()

    def session(self, media: MediaReader) -> Session:
        return Speaker(self._say)

    def _say(
        self, messages: Sequence[Message], _: ToolChoice, schema: dict[str, Any] | None
    ) -> Turn:
        with self._lock:
            self.seen.append(tuple(messages))
            if len(self.seen) > len(self._lines):
                raise ModelError(
                    f"the script has {len(self._lines)} turns and was asked for another: "
                    f"add a line to it"
                )
            line = self._lines[len(self.seen) - 1]
        if isinstance(line, Exception):
            raise line
        said = line(messages) if callable(line) else line
        return Turn(text=said) if isinstance(said, str) else said


def record(backend: Backend, path: str | Path) -> Backend:
    """``backend``, with every turn appended to the cassette ``path`` (JSON lines)."""
    return _Recorder(backend, Path(path))


def replay(path: str | Path) -> Backend:
    """A backend that answers a conversation as the cassette ``path`` has it; one that was
    recorded several times gets the recorded turns in order. Raises ``ModelError`` when the file
    is no cassette, and at a conversation that is not on it."""
    return _Player(Path(path))


class Speaker:
    """A session around a function from the conversation, the tool choice and the schema of the
    output to the whole turn."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        turn = self._say(messages, tool_choice, output_schema)
        yield from re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", turn.text)
        yield turn

    def close(self) -> None:
        pass


class _Recorder:
    def __init__(self, backend: Backend, path: Path) -> None:
        self.name = backend.name
        self._backend, self._path, self._lock = backend, path, Lock()

    def session(self, media: MediaReader) -> Session:
        return _RecordingSession(self._backend.session(media), self._write)

    def _write(self, key: str, turn: Turn) -> None:
        line = json.dumps(
            {"key": key, "model": self.name, "turn": turn.model_dump(mode="json")},
            ensure_ascii=False,
        )
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class _RecordingSession:
    def __init__(self, session: Session, write: Callable[[str, Turn], None]) -> None:
        self._session, self._write = session, write

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        for item in self._session.stream(
            messages,
            tools,
            tool_choice=tool_choice,
            output_schema=output_schema,
            max_tokens=max_tokens,
        ):
            if isinstance(item, Turn):
                self._write(_key(messages, output_schema), item)
            yield item

    def close(self) -> None:
        self._session.close()


class _Player:
    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._turns: dict[str, list[Turn]] = {}
        self.name = "cassette"
        try:
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self.name = entry["model"]
                turns = self._turns.setdefault(entry["key"], [])
                turns.append(Turn.model_validate(entry["turn"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{str(path)!r} is not a cassette ({error}): record one with "
                f"mllm.backends.scripted.record"
            ) from error

    def session(self, media: MediaReader) -> Session:
        return Speaker(self._say)

    def _say(
        self, messages: Sequence[Message], _: ToolChoice, schema: dict[str, Any] | None
    ) -> Turn:
        with self._lock:
            turns = self._turns.get(_key(messages, schema))
            if not turns:
                raise ModelError(
                    f"the cassette {str(self._path)!r} has no turn for this conversation "
                    f"({len(messages)} messages): record it again"
                )
            return turns.pop(0) if len(turns) > 1 else turns[0]


def _key(messages: Sequence[Message], schema: dict[str, Any] | None) -> str:
    """A hash of what the model is shown. Where a picture's file was does not count."""
    shown = [m.model_dump(mode="json") for m in messages]
    for message in shown:
        for part in message["content"]:
            if part["type"] == "media":
                part["artifact"]["origin"] = ""
    text = json.dumps([shown, schema], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
