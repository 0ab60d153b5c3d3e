"""Loading what a person hands in: safely, with one clear sentence when it cannot be used.

A picture keeps its original bytes. What tools and models see is made from them in memory, the
same every time: first frame, EXIF orientation applied, transparency on white, RGB, at most
``MAX_SIDE`` pixels a side. An ``Artifact`` carries the size of that working copy.
"""

from __future__ import annotations

import hashlib
import io
import mimetypes
import warnings
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image, ImageOps, UnidentifiedImageError

from agent.errors import InputError
from mllm.content import Artifact

MAX_PIXELS = 40_000_000
"""Larger pictures are refused before they are decoded."""
MAX_SIDE = 4096
"""Larger pictures are scaled down for tools and models."""
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
"""Modes that a PNG file keeps as they are."""

Source: TypeAlias = "str | Path | bytes | Image.Image"
"""A file, encoded bytes, or a picture in memory."""


@dataclass(frozen=True)
class Loaded:
    """An input that was read and checked. The artifact has no id yet."""

    artifact: Artifact
    data: bytes
    suffix: str

    def named(self, id: str) -> Loaded:
        return replace(self, artifact=self.artifact.model_copy(update={"id": id}))


def load_image(source: Source) -> Loaded:
    """A picture. Raises ``InputError`` when it is missing, no picture, damaged or too large."""
    name, data = _read_picture(source)
    picture, kind = decode(data, name)
    mime = Image.MIME.get(kind, "application/octet-stream")
    artifact = Artifact(
        id="",
        kind="image",
        sha256=hashlib.sha256(data).hexdigest(),
        mime=mime,
        width=picture.width,
        height=picture.height,
        origin=name,
    )
    return Loaded(artifact, data, f".{kind.lower()}")


def load_file(source: str | Path, kind: Literal["audio", "video"]) -> Loaded:
    """A sound or a video. Only its outside is checked here; the tool that decodes it does the
    rest. Raises ``InputError``."""
    path = _file(source)
    mime = mimetypes.guess_type(path.name)[0] or ""
    if not mime.startswith((kind, "application/ogg")):
        raise InputError(f"{path} does not look like {kind} by its name: give a {kind} file.")
    data = _bytes(path)
    artifact = Artifact(
        id="",
        kind=kind,
        sha256=hashlib.sha256(data).hexdigest(),
        mime=mime,
        seconds=_wave_seconds(data),
        origin=path.name,
    )
    return Loaded(artifact, data, path.suffix.lower())


def decode(data: bytes, name: str = "the picture") -> tuple[Image.Image, str]:
    """The working copy, in RGB, and the file format ("PNG"). Raises ``InputError``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
        if picture.width * picture.height > MAX_PIXELS:
            raise _too_large(name, f"{picture.width}x{picture.height} pixels")
        kind = picture.format or "PNG"
        picture.load()
        return working_copy(picture), kind
    except Image.DecompressionBombError:
        raise _too_large(name, "hundreds of megapixels") from None
    except UnidentifiedImageError:
        raise InputError(
            f"{name} is not a picture in a known format: use PNG, JPEG, WebP, GIF, BMP or TIFF."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(
            f"{name} is damaged ({_first_line(error)}): save or download it again."
        ) from None


def working_copy(picture: Image.Image) -> Image.Image:
    """Upright, opaque, RGB and of bearable size."""
    picture = ImageOps.exif_transpose(picture)
    picture = _eight_bits(picture)
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scaled from 16 bits, which Pillow would clip to white."""
    if not picture.mode.startswith("I"):
        return picture
    import numpy as np  # late: the command starts without it

    deep = np.asarray(picture).clip(0, 65535)
    scale = 256 if picture.mode != "I" or deep.max() > 255 else 1
    return Image.fromarray((deep // scale).astype(np.uint8))


def encode(picture: Image.Image) -> bytes:
    """PNG bytes: lossless, and quick rather than small."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _read_picture(source: Source) -> tuple[str, bytes]:
    if isinstance(source, Image.Image):
        upright = ImageOps.exif_transpose(source)  # PNG keeps no orientation
        kept = upright.mode in PNG_MODES
        return "picture", encode(upright if kept else _eight_bits(upright).convert("RGB"))
    if isinstance(source, bytes):
        if not source:
            raise InputError("The picture is empty: give the bytes of a PNG or JPEG file.")
        return "picture", source
    path = _file(source)
    return path.name, _bytes(path)


def _file(source: str | Path) -> Path:
    if str(source).startswith(("http://", "https://")):
        raise InputError(f"{source} is an address, not a file: download it first.")
    path = Path(source).expanduser()
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file.")
    if not path.is_file():
        raise InputError(f"{path} does not exist: check the path.")
    return path


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if not data:
        raise InputError(f"{path} is empty (0 bytes): save or download it again.")
    return data


def _too_large(name: str, size: str) -> InputError:
    limit = MAX_PIXELS // 1_000_000
    return InputError(f"{name} is too large ({size}; at most {limit} megapixels): scale it down.")


def _wave_seconds(data: bytes) -> float | None:
    """Duration of WAV bytes; other formats are measured by the tool that decodes them."""
    try:
        with wave.open(io.BytesIO(data)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
