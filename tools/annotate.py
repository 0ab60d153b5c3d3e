"""Boxes drawn on pictures, for people: numbered, labelled, legible at any size.

``draw_boxes`` is also what the HTML report shows. Colours are Okabe and Ito's (2008), told apart
with any colour vision; a label always has the same colour within a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import cycle

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from mllm.content import Box, Boxes
from mllm.data.lexicon import normalize
from mllm.geometry import intersection
from mllm.wording import HAN
from tools.crop import on_picture
from tools.protocol import Image, Picture, Tool

Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PALETTE: tuple[Color, ...] = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (240, 228, 66),
)  # fmt: skip
LEAST_SIDE = 640
"""A picture whose longer side is smaller is enlarged to it, so that labels can be read."""
MAX_TEXT = 28
"""Characters of a label."""
_HAN_FONTS = (
    "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "msyh.ttc", "simhei.ttf",
)  # fmt: skip


class Annotate(Tool):
    """Draws boxes on a picture."""

    name = "annotate"
    timeout = 20.0

    def run(self, image: Image, boxes: Boxes) -> Picture:
        """Draw numbered boxes on a picture, to show where things are."""
        on_picture(image, boxes)
        drawn = draw_boxes(image.pil(), boxes.boxes)
        return Picture(drawn, parent=image.artifact.id, name="marked")


def draw_boxes(
    image: PILImage.Image, boxes: Sequence[Box], numbered: bool = True
) -> PILImage.Image:
    """A copy of ``image`` with the boxes on it, RGB; small pictures come back enlarged.

    ``numbered`` writes the row, counted from 1 as in ``boxes1.2``, before each label. Boxes are
    scaled from the picture size that they carry.
    """
    scale = max(LEAST_SIDE / max(image.size), 1.0)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = image.convert("RGB")
    if scale > 1:
        canvas = canvas.resize(size, PILImage.Resampling.LANCZOS)
    draw = ImageDraw.Draw(canvas)
    unit = max(size) / 640
    thick = max(2, round(3 * unit))
    font_size = round(min(15 * unit, 15 + 9 * unit))
    placed = [b.model_copy(update=_scaled(b, size)) for b in boxes]
    colors = _colors(placed)

    for box, color in zip(placed, colors, strict=True):
        frame = (box.x0, box.y0, box.x1, box.y1)
        radius = min(2.0 * thick, (box.x1 - box.x0) / 4, (box.y1 - box.y0) / 4)
        halo = (255, 255, 255) if _dark(color) else (20, 20, 20)
        draw.rounded_rectangle(_grown(frame, thick / 2), radius + 1, outline=halo, width=thick + 2)
        draw.rounded_rectangle(frame, radius, outline=color, width=thick)

    captions = [_caption(box, row if numbered else None) for row, box in enumerate(placed, 1)]
    font = _font("".join(captions), font_size)
    taken: list[Box] = []
    for box, color, text in zip(placed, colors, captions, strict=True):
        if text:
            taken.append(_tag(draw, box, text, color, font, size, taken))
    return canvas


def _tag(
    draw: ImageDraw.ImageDraw,
    box: Box,
    text: str,
    color: Color,
    font: Font,
    size: tuple[int, int],
    taken: Sequence[Box],
) -> Box:
    """Draw a label where it hides the least, and return the place that it took."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    pad = max(3, round((bottom - top) * 0.28))
    wide, high = right - left + 2 * pad, bottom - top + 2 * pad

    def place(x: float, y: float) -> Box:
        x0, y0 = max(min(x, size[0] - wide), 0), max(min(y, size[1] - high), 0)
        return box.model_copy(update={"x0": x0, "y0": y0, "x1": x0 + wide, "y1": y0 + high})

    spots = [
        place(box.x0, box.y0 - high),  # above, the usual place
        place(box.x0, box.y1),
        place(box.x0, box.y0),
        place(box.x1 - wide, box.y0 - high),
        place(box.x1 - wide, box.y1),
        place(box.x1, box.y0),
        place(box.x0 - wide, box.y0),
        place(box.x0, box.y1 - high),
        place(box.x1 - wide, box.y1 - high),
    ]
    # Least overlap with other labels; then rather outside the box than over it.
    best = min(spots, key=lambda s: (sum(intersection(s, t) for t in taken), intersection(s, box)))
    draw.rounded_rectangle((best.x0, best.y0, best.x1, best.y1), pad, fill=color)
    ink = (255, 255, 255) if _dark(color) else (20, 20, 20)
    draw.text((best.x0 + pad - left, best.y0 + pad - top), text, ink, font=font)
    return best


def _caption(box: Box, row: int | None) -> str:
    """``2 red cup``, ``3 "EXIT"``. Chinese becomes English where no font can write it."""
    name = " ".join(w for w in (box.color, box.label) if w)
    if box.text is not None:
        name = f'{name} "{box.text}"'.strip()
    if HAN.search(name) and _han_font() is None:
        name = normalize(box.label or "") or ("text" if box.text is not None else "object")
    if len(name) > MAX_TEXT:
        name = name[: MAX_TEXT - 3].rstrip() + "..."
    return f"{row} {name}".strip() if row is not None else name


def _colors(boxes: Sequence[Box]) -> list[Color]:
    """A colour for each box: the same for the same label, boxes without one take turns."""
    turns = cycle(PALETTE)
    by_label: dict[str, Color] = {}
    colors = []
    for box in boxes:
        if box.label is None:
            colors.append(next(turns))
            continue
        if box.label not in by_label:
            by_label[box.label] = next(turns)
        colors.append(by_label[box.label])
    return colors


def _scaled(box: Box, size: tuple[int, int]) -> dict[str, float]:
    """The corners of a box on a picture of ``size``, kept inside it."""
    across, down = size[0] / box.width, size[1] / box.height
    return {
        "x0": min(max(box.x0 * across, 0), size[0] - 2),
        "y0": min(max(box.y0 * down, 0), size[1] - 2),
        "x1": max(min(box.x1 * across, size[0] - 1), 1),
        "y1": max(min(box.y1 * down, size[1] - 1), 1),
    }


def _grown(
    frame: tuple[float, float, float, float], by: float
) -> tuple[float, float, float, float]:
    return frame[0] - by, frame[1] - by, frame[2] + by, frame[3] + by


def _dark(color: Color) -> bool:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140


def _font(text: str, size: int) -> Font:
    name = _han_font() if not text.isascii() else None
    if name is not None:
        return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


@cache
def _han_font() -> str | None:
    """A font on this system that writes Chinese. Pillow looks through the system's folders."""
    for name in _HAN_FONTS:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        return name
    return None
