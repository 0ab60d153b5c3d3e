"""Optical character recognition with RapidOCR (PP-OCRv4 models, carried by its wheel).

Reads printed English and Chinese. Words of one line are merged into a line; lines are ordered as
people read them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as PILImage

from mllm.content import Box, Boxes
from mllm.wording import HAN, times
from tools.crop import enclosing
from tools.protocol import Image, Tool, ToolContext

Engine: TypeAlias = Callable[[Any], tuple[list[tuple[Any, str, float]] | None, Any]]

ENGINE_BYTES = 150 * 2**20
"""Memory of the loaded models, estimated."""
THREADS = 1
"""More threads wait for each other actively, which is ruinous on a busy machine."""
LEAST_SIDE = 384
"""A picture whose shorter side has fewer pixels is enlarged to it, at most three times."""
MOST_SIDE = 2000
"""Text is located on a picture of at most so many pixels a side."""
MARGIN = 0.5
"""Surroundings read with a region, as a share of its longer side, and dropped again: text that
fills a picture to its edges is located badly."""
LEAST_SCORE = 0.7
"""Readings that the recogniser is less sure of are drawings taken for letters."""
WORD_GAP = 0.7
"""Two words belong to one line up to this gap, in heights of the lower word."""


class ReadText(Tool):
    """Reads the text in a picture."""

    name = "read_text"
    timeout = 120.0

    def run(
        self,
        image: Image,
        context: ToolContext,
        region: Boxes | None = None,
        find: str | None = None,
    ) -> Boxes:
        """Read the text in a picture, line by line, or only what stands in the boxes.

        Args:
            find: Words to look for; the result says first in how many lines they stand.
        """
        whole = image.pil()
        left, top, right, bottom = (
            (0, 0, *whole.size) if region is None else enclosing(image, region, MARGIN)
        )
        part = whole.crop((left, top, right, bottom))
        with context.pool.get("ocr", _load, ENGINE_BYTES) as engine:
            words = _words(engine, part)
        boxes = [
            Box(
                artifact=image.artifact.id,
                width=whole.width,
                height=whole.height,
                x0=min(max(left + x0, 0.0), whole.width),
                y0=min(max(top + y0, 0.0), whole.height),
                x1=min(max(left + x1, 0.0), whole.width),
                y1=min(max(top + y1, 0.0), whole.height),
                text=text,
                score=round(score, 3),
            )
            for x0, y0, x1, y1, text, score in words
        ]
        lines = merge_lines(boxes)
        if region is not None:
            lines = [b for b in lines if any(_centre_in(b, r) for r in region.boxes)]
        counts = {"text": len(lines)}
        if find is not None:
            counts = {f'"{find}"': times(find, [line.text or "" for line in lines])}
        return Boxes(artifact=image.artifact.id, boxes=tuple(lines), counts=counts)


Word: TypeAlias = tuple[float, float, float, float, str, float]


def _words(engine: Engine, image: PILImage.Image) -> list[Word]:
    """Corners in pixels of ``image``, text and score (0 to 1) of each piece of text found."""
    scale = min(max(LEAST_SIDE / min(image.size), 1.0), 3.0)
    if scale > 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, PILImage.Resampling.LANCZOS)
    found, _ = engine(np.asarray(_not_too_thin(image))[:, :, ::-1])  # it takes blue first
    words = []
    for corners, text, score in found or []:
        points = np.asarray(corners, dtype=float) / scale
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        if text.strip() and float(score) >= LEAST_SCORE:
            said = _letter_o(text.strip())
            words.append((float(x0), float(y0), float(x1), float(y1), said, float(score)))
    return words


def _not_too_thin(image: PILImage.Image) -> PILImage.Image:
    """The engine fails on a strip, so that one is widened, to the right or below."""
    least = max(32, max(image.size) // 40)
    if min(image.size) >= least:
        return image
    size = (max(image.width, least), max(image.height, least))
    canvas = PILImage.new("RGB", size, image.getpixel((0, 0)))
    canvas.paste(image)
    return canvas


def _letter_o(text: str) -> str:
    """``RO0M`` as ``ROOM``: a zero beside the letter O, in a word without other digits."""

    def fix(match: re.Match[str]) -> str:
        word = match[0]
        return word.replace("0", "O") if re.search("O0|0O", word) else word

    return re.sub(r"(?<![1-9])\b[A-Za-z0]+\b", fix, text)


def merge_lines(words: Sequence[Box]) -> list[Box]:
    """Words that stand side by side become one box; lines go top to bottom, left to right."""
    lines: list[list[Box]] = []
    for word in sorted(words, key=lambda b: b.x0):
        home = next((line for line in lines if _continues(line[-1], word)), None)
        if home is None:
            lines.append([word])
        else:
            home.append(word)
    return _in_reading_order([_joined(line) for line in lines])


def _continues(word: Box, following: Box) -> bool:
    """Whether the second word stands right after the first on the same line."""
    heights = word.y1 - word.y0, following.y1 - following.y0
    low, high = min(heights), max(heights)
    shared = min(word.y1, following.y1) - max(word.y0, following.y0)
    gap = following.x0 - word.x1
    return shared > 0.55 * low and low > 0.5 * high and -low < gap <= WORD_GAP * low


def _joined(line: list[Box]) -> Box:
    text = line[0].text or ""
    for word in line[1:]:
        said = word.text or ""
        text += said if HAN.match(text[-1:]) and HAN.match(said) else f" {said}"
    return line[0].model_copy(
        update={
            "y0": min(b.y0 for b in line),
            "x1": max(b.x1 for b in line),
            "y1": max(b.y1 for b in line),
            "text": text,
            "score": min(b.score or 0.0 for b in line),
        }
    )


def _in_reading_order(lines: list[Box]) -> list[Box]:
    """Rows of lines whose middles lie within each other's height, each from left to right."""
    rows: list[list[Box]] = []
    for line in sorted(lines, key=lambda b: b.center[1]):
        row = rows[-1] if rows else []
        if row and line.center[1] < row[0].y0 + 0.7 * (row[0].y1 - row[0].y0):
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda b: b.x0)]


def _centre_in(line: Box, region: Box) -> bool:
    x, y = line.center
    return region.x0 <= x <= region.x1 and region.y0 <= y <= region.y1


def _load() -> Engine:
    from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-untyped]

    level = logging.getLogger().level
    engine: Engine = RapidOCR(
        intra_op_num_threads=THREADS,
        inter_op_num_threads=1,
        # Scaling is done before (``LEAST_SIDE``); by default it would enlarge a sign tenfold.
        det_limit_type="max",
        det_limit_side_len=MOST_SIDE,
        det_box_thresh=0.3,  # finds the faint lines of a page; the score drops what is no text
        cls_thresh=0.98,  # "HOT" upside down is "LOH": turn a line only when quite sure
    )
    logging.getLogger().setLevel(level)
    return engine
