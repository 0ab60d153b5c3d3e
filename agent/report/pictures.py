"""Pictures inside a report: small enough to send, sharp enough to look at."""

from __future__ import annotations

import base64
import io

from PIL import Image

from agent.store import MediaStore
from mllm.content import Artifact

KEEP = 300_000
"""Bytes up to which a PNG is embedded as it is."""

SIDE = 1280
"""Pixels of the longer side that a larger picture is brought down to."""


def data_uri(artifact: Artifact, store: MediaStore) -> str:
    """The picture as its tools saw it, as a ``data:`` URI.

    Raises ``OSError`` when the store lost it.
    """
    path = store.path(artifact)
    # A PNG needs no turning upright, so its bytes show what the working copy shows.
    if artifact.mime == "image/png" and path.stat().st_size <= KEEP:
        return _uri(path.read_bytes(), "image/png")
    image = store.image(artifact)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=85)
    return _uri(out.getvalue(), "image/webp")


def _uri(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
