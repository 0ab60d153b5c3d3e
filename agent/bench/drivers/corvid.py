"""Corvid's Agent: verification off, everything else as it comes, so with the run on the disk."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from agent import Agent, Budget
from agent.store import MediaStore
from mllm.content import Artifact, Media, MediaReader, Message, ToolCall, ToolSpec, Turn
from tools import tool
from tools.protocol import Picture

from .task import DESCRIPTION, TASK, TOOL, Camera, main


class Scripted:
    """A backend, and its one session: as the local one does, it reads a picture when it is new
    and knows it from then on."""

    name = "scripted"

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.sent = 0
        self.pictures: dict[str, Artifact] = {}

    def session(self, media: MediaReader) -> Scripted:
        self.media = media
        return self

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), **options: Any
    ) -> Iterator[str | Turn]:
        for message in messages:
            self.sent += len(message.words().encode())
            for part in message.content:
                if isinstance(part, Media) and part.artifact.sha256 not in self.pictures:
                    self.pictures[part.artifact.sha256] = part.artifact
                    self.media.image(part.artifact)
        if options["tool_choice"] == "none" or self.camera.done:
            yield Turn(text="done")
        else:
            yield Turn(calls=(ToolCall(id="", name=TOOL, arguments={}),))

    def close(self) -> None:
        pass


def drive(camera: Camera, folder: Path) -> int:
    def screenshot() -> Picture:
        data = camera.shoot()
        return Picture(Image.open(io.BytesIO(data)), parent="", name="shot", data=data)

    screenshot.__doc__ = DESCRIPTION
    model = Scripted(camera)
    steps = camera.steps + 1
    agent = Agent(
        model,
        [tool(name=TOOL)(screenshot)],
        budget=Budget(steps=steps, pictures=steps),
        runs=folder,
        verify=False,
    )
    done = agent.run(TASK)
    assert done.answer == "done"
    files = MediaStore(done.run.folder)
    return model.sent + sum(files.path(a).stat().st_size for a in model.pictures.values())


if __name__ == "__main__":
    main(drive)
