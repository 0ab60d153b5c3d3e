"""What a run offers to its tools: artifacts and boxes by id, media, the model, the experts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.store import MediaStore
from agent.transcript import Transcript
from mllm.backends.protocol import Backend
from mllm.content import Artifact, Boxes
from tools.pool import ExpertPool
from tools.protocol import ToolError


@dataclass(frozen=True)
class RunContext:
    """A ``tools.protocol.ToolContext`` over the transcript of a live run."""

    media: MediaStore
    model: Backend
    pool: ExpertPool
    transcript: Transcript
    run: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        return self.transcript.task

    @property
    def lang(self) -> str:
        return self.transcript.lang

    def artifact(self, id: str) -> Artifact:
        """Raises ``ToolError`` that names the known ids."""
        known = self.transcript.artifacts
        if id not in known:
            raise ToolError(f"There is no {id!r}. {_list('Media', known)}")
        return known[id]

    def boxes(self, id: str) -> Boxes:
        """The set ``boxes1``, or a set of one row, ``boxes1.2``. Raises ``ToolError``."""
        known = self.transcript.boxes
        if id in known:
            return known[id]
        name, _, row = id.partition(".")
        if name not in known or not row.isdecimal():
            raise ToolError(f"There is no {id!r}. {_list('Boxes', known)}")
        whole = known[name]
        if not 1 <= int(row) <= len(whole.boxes):
            raise ToolError(f"There is no row {row} in {name}: it has {len(whole.boxes)} rows.")
        return Boxes(id=id, artifact=whole.artifact, boxes=(whole.boxes[int(row) - 1],))

    def boxes_id(self, number: int) -> str:
        """The id of the ``number``-th new set, from 1."""
        return f"boxes{len(self.transcript.boxes) + number}"

    def picture_id(self, parent: str, name: str, taken: set[str]) -> str:
        """The next free id for a picture: ``img1.crop2``, or ``shot1`` without a parent."""
        stem = re.sub(r"[^a-z0-9_]", "", name.lower()) or "made"
        if parent in self.transcript.artifacts:
            stem = f"{parent}.{stem}"
        number = 1
        while f"{stem}{number}" in self.transcript.artifacts or f"{stem}{number}" in taken:
            number += 1
        return f"{stem}{number}"


def _list(what: str, known: dict[str, Artifact] | dict[str, Boxes]) -> str:
    return f"{what} of this run: {', '.join(list(known)) or 'none yet'}."
