"""What was measured so far, a line a reply: a long evaluation that was killed goes on there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.errors import InputError
from agent.evaluation.hallucination_scores import Replies


class Kept:
    """Replies in ``file``, by row and scene; without a file nothing is kept.

    The first line says what is measured (``about``). Raises ``InputError`` for a file that
    cannot be used, or that holds the replies of another evaluation.
    """

    def __init__(self, file: Path | None, about: Mapping[str, Any]) -> None:
        self._file = file
        self._replies: dict[tuple[str, str], Replies] = {}
        if file is None:
            return
        head = json.dumps(about)
        try:
            text = file.read_text("utf-8") if file.exists() else ""
            # The last line of a process that was killed may be torn.
            whole, _, torn = text.rpartition("\n")
            first, *replies = whole.split("\n")
            if text and (first or torn) != head:
                raise InputError(
                    f"{file} holds something else than the replies of this evaluation: give the "
                    "same model, seed, number and trained parts as before, or another file"
                )
            self._replies = dict(map(_read, replies))
            if torn or not text:
                other = file.with_name(f"{file.name}.new")
                other.write_text("\n".join([head, *replies]) + "\n", "utf-8")
                other.replace(file)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{file} cannot be used to keep replies ({error}): give another file"
            ) from error

    def reply(self, row: str, scene: str, answer: Callable[[], Replies]) -> Replies:
        """The reply that was kept, or else that of ``answer``, which is kept from now on."""
        if (known := self._replies.get((row, scene))) is not None:
            return known
        replies = answer()
        if self._file is not None:
            data = {
                "row": row,
                "scene": scene,
                "description": replies.description,
                "answers": dict(replies.answers),
                "seconds": replies.seconds,
            }
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(data, ensure_ascii=False) + "\n")
        return replies


def _read(line: str) -> tuple[tuple[str, str], Replies]:
    data = json.loads(line)
    replies = Replies(data["description"], data["answers"], tuple(data["seconds"]))
    return (data["row"], data["scene"]), replies
