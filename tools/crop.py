"""Parts of pictures: cut out, and enlarged."""

from __future__ import annotations

import math

from PIL import Image as PILImage

from mllm.content import Boxes
from tools.protocol import Image, Picture, Tool, ToolError

MARGIN = 0.06
"""What is added on each side of a region, as a share of its longer side."""
LEAST_SIDE = 448
"""Pixels of the shorter side after a zoom without a factor."""
MOST_SIDE = 4096
"""Pixels of the longer side that no zoom exceeds."""

Corners = tuple[int, int, int, int]


class Crop(Tool):
    """Cuts out the rectangle that holds a region."""

    name = "crop"
    timeout = 20.0

    def run(self, image: Image, region: Boxes) -> Picture:
        """Cut out the part of a picture that holds the boxes."""
        return Picture(cut(image, region)[0], parent=image.artifact.id, name="crop")


class Zoom(Tool):
    """Cuts out a region and enlarges it."""

    name = "zoom"
    timeout = 20.0

    def run(self, image: Image, region: Boxes, factor: float | None = None) -> Picture:
        """Cut out the part of a picture that holds the boxes, enlarged.

        Args:
            factor: How many times larger; enough to see details when left out.
        """
        part = cut(image, region)[0]
        if factor is None:
            factor = max(LEAST_SIDE / min(part.size), 1.0)
        elif not (math.isfinite(factor) and 1 <= factor <= 32):
            raise ToolError(f"factor is {factor:g}; it must lie between 1 and 32")
        factor = min(factor, MOST_SIDE / max(part.size))
        size = (max(1, round(part.width * factor)), max(1, round(part.height * factor)))
        larger = part.resize(size, PILImage.Resampling.LANCZOS)
        return Picture(larger, parent=image.artifact.id, name="zoom")


def cut(
    image: Image, region: Boxes, margin: float = MARGIN
) -> tuple[PILImage.Image, tuple[int, int]]:
    """The part of ``image`` that encloses every box of ``region`` and a margin, RGB; and the
    position of its top left corner in pixels of ``image``.

    Raises ``ToolError`` for a region that is empty or lies on another picture.
    """
    corners = enclosing(image, region, margin)
    return image.pil().crop(corners), corners[:2]


def enclosing(image: Image, region: Boxes, margin: float = MARGIN) -> Corners:
    """The smallest rectangle around the boxes and a margin, in whole pixels of ``image``."""
    on_picture(image, region)
    if not region.boxes:
        raise ToolError(f"{region.id or 'region'} holds no box, so there is nothing to cut out")
    a = image.artifact
    width, height = (a.width, a.height) if a.width and a.height else image.pil().size
    x0, y0 = min(b.x0 for b in region.boxes), min(b.y0 for b in region.boxes)
    x1, y1 = max(b.x1 for b in region.boxes), max(b.y1 for b in region.boxes)
    extra = margin * max(x1 - x0, y1 - y0)
    left, top = max(math.floor(x0 - extra), 0), max(math.floor(y0 - extra), 0)
    right, bottom = min(math.ceil(x1 + extra), width), min(math.ceil(y1 + extra), height)
    if left >= right or top >= bottom:
        raise ToolError(f"{region.id or 'region'} lies outside {a.id} ({width}x{height} pixels)")
    return left, top, right, bottom


def on_picture(image: Image, boxes: Boxes) -> None:
    """Raise ``ToolError`` unless the boxes belong to the picture."""
    if boxes.artifact != image.artifact.id:
        raise ToolError(
            f"{boxes.id or 'the boxes'} lie on {boxes.artifact}, not on {image.artifact.id}; "
            f"use {boxes.artifact}"
        )
