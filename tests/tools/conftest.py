"""A small tool context on a temporary folder: what a run would offer to tools."""

from __future__ import annotations

import hashlib
import io
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage

from mllm.backends.protocol import Backend
from mllm.content import Artifact, Box, Boxes
from tools.pool import ExpertPool, default_pool
from tools.protocol import Image, ToolError


@dataclass
class Files:
    """Media in a folder, by content hash."""

    folder: Path

    def path(self, artifact: Artifact) -> Path:
        return self.folder / artifact.sha256

    def image(self, artifact: Artifact) -> PILImage.Image:
        with PILImage.open(self.path(artifact)) as image:
            return image.convert("RGB")


@dataclass
class Context:
    """A ``ToolContext`` to which tests add pictures and boxes."""

    media: Files
    model: Backend | None = None
    pool: ExpertPool = field(default_factory=default_pool)
    task: str = ""
    lang: str = "en"
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    answers: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    sets: dict[str, Boxes] = field(default_factory=dict)

    def artifact(self, id: str) -> Artifact:
        if id not in self.artifacts:
            raise ToolError(f"there is no {id}; known: {', '.join(self.artifacts) or 'nothing'}")
        return self.artifacts[id]

    def boxes(self, id: str) -> Boxes:
        name, _, row = id.partition(".")
        if name not in self.sets:
            raise ToolError(f"there are no {id}; known: {', '.join(self.sets) or 'none'}")
        found = self.sets[name]
        if not row:
            return found
        if not row.isdigit() or not 1 <= int(row) <= len(found.boxes):
            raise ToolError(f"{name} has rows 1 to {len(found.boxes)}, not {row}")
        return found.model_copy(update={"id": id, "boxes": (found.boxes[int(row) - 1],)})

    def add_image(self, image: PILImage.Image, id: str = "") -> Image:
        """Store a picture and give it as a tool argument; its id is img1, img2 ... by default."""
        png = io.BytesIO()
        image.save(png, "PNG")
        return self.add_file(png.getvalue(), "image", "image/png", id, image.size)

    def add_file(
        self, data: bytes, kind: Any, mime: str, id: str = "", size: tuple[int, int] | None = None
    ) -> Image:
        artifact = Artifact(
            id=id or f"img{len(self.artifacts) + 1}",
            kind=kind,
            sha256=hashlib.sha256(data).hexdigest(),
            mime=mime,
            width=size[0] if size else None,
            height=size[1] if size else None,
        )
        self.media.path(artifact).write_bytes(data)
        self.artifacts[artifact.id] = artifact
        return Image(artifact, self.media)

    def add_boxes(self, image: Image, *boxes: Box) -> Boxes:
        """Register a set of boxes under the next id: boxes1, boxes2 ..."""
        id = f"boxes{len(self.sets) + 1}"
        self.sets[id] = Boxes(id=id, artifact=image.artifact.id, boxes=boxes)
        return self.sets[id]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(Files(tmp_path))


def box(
    corners: tuple[float, float, float, float], label: str | None = None, **more: object
) -> Box:
    """A box on a picture ``img1`` of 256 x 256 pixels."""
    x0, y0, x1, y1 = corners
    about: dict[str, Any] = {
        "artifact": "img1",
        "width": 256,
        "height": 256,
        "label": label,
        **more,
    }
    return Box(x0=x0, y0=y0, x1=x1, y1=y1, **about)
