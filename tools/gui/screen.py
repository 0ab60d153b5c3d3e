"""Screenshots: remembered for points on them, with references on demand, never with a secret."""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from dataclasses import dataclass, field

from PIL import Image as PILImage
from PIL import ImageDraw

from tools.annotate import draw_boxes
from tools.gui.observation import Corners, Snapshot
from tools.protocol import SCREENSHOT, Picture

SHOTS = 20
"""Screenshots that points may still refer to."""
MARKED = "marked"
"""How the ids of pictures with marks begin."""
MARKS = 80
"""Elements that are drawn on a picture with marks."""
EDGE = 2
"""Pixels around a secret that are painted over with it."""


@dataclass
class Screen:
    shots: OrderedDict[str, Snapshot] = field(default_factory=OrderedDict)
    """What was on the screen when a picture was taken, by the picture's hash."""

    def show(
        self, data: bytes, veiled: tuple[Corners, ...], snapshot: Snapshot, marks: bool = False
    ) -> Picture:
        """A screenshot (the bytes of its file) of what ``snapshot`` tells of, without what stands
        at ``veiled``; with ``marks`` it carries a frame and the reference on every control in
        view."""
        image: PILImage.Image = PILImage.open(io.BytesIO(data))
        if veiled:
            image, data = _covered(image, veiled)
        if marks:
            image = draw_boxes(image, snapshot.boxes("screen")[:MARKS], numbered=False)
            data = _file(image)
        self.shots[hashlib.sha256(data).hexdigest()] = snapshot
        while len(self.shots) > SHOTS:
            self.shots.popitem(last=False)
        return Picture(image, parent="", name=MARKED if marks else SCREENSHOT, data=data)

    def place(self, ref: str) -> Corners | None:
        """Where an element stood on the last screenshot, None where it was not to be seen."""
        if not self.shots:
            return None
        last = next(reversed(self.shots.values()))
        element = last.find(ref)
        return element.corners if element and last.in_view(element) else None


def _covered(image: PILImage.Image, places: tuple[Corners, ...]) -> tuple[PILImage.Image, bytes]:
    """The picture without what stands at ``places``, and its file."""
    plain = image.convert("RGB")
    pen = ImageDraw.Draw(plain)
    for x0, y0, x1, y1 in places:
        pen.rectangle((x0 - EDGE, y0 - EDGE, x1 + EDGE, y1 + EDGE), fill="black")
    data = _file(plain)
    return PILImage.open(io.BytesIO(data)), data


def _file(picture: PILImage.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
