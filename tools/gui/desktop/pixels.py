"""A screen read from its pixels alone: rectangles that are drawn like controls, and their text.

No learned detector yet: outlines are traced with OpenCV and judged by size, place of the text and
brightness, which knows flat and lightly shaded themes and misses what has no outline (links, bare
icons, menu entries other than as text). Text is read by ``ReadText``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from PIL import Image as PILImage

from mllm.content import Artifact, Box
from tools.gui.native.labels import in_reading_order, named
from tools.gui.native.port import Names, element
from tools.gui.observation import Corners, Element
from tools.gui.secrets import Secrets
from tools.pool import default_pool
from tools.protocol import Image, ToolContext
from tools.read_text import ReadText

MARK = (10, 26)
"""Least and greatest side of a checkbox in pixels; CONTROL is the height of other controls."""
CONTROL = (18, 64)
NARROW = 30
"""Least width of a control."""
SHARE = 0.97
"""Of the screen's width, from which a rectangle is a window rather than a control."""
STRAIGHT = 0.86
"""Least share of its bounding box that a rectangle's outline encloses; round corners cost some."""
SAME = 0.6
"""Intersection over union from which two outlines are of one control, or of one seen again."""
INSIDE = 0.6
"""Share of a text that lies in the control that it belongs to."""
ARROW = 34
"""Pixels at the right of a list that hold its arrow."""
INK = 60
"""Difference in brightness that is drawn rather than shaded."""


@dataclass
class Pixels:
    """Reads screenshots. An element keeps its reference as long as one of its kind stays about
    where it was, in the same application; buttons and text must go on saying the same."""

    secrets: Secrets
    names: Names
    app: int = 0
    last: dict[int, list[tuple[Element, int]]] = field(default_factory=dict)
    """What was read, with the keys of the references, by application."""
    count: int = 0
    veiled: dict[str, str] = field(default_factory=dict)
    """What stands for the secrets that fields hold, by their references."""
    seen: bytes = b""
    """The pixels that ``last`` was read from: a screen at rest is read once."""

    def read(self, picture: PILImage.Image, app: int) -> list[Element]:
        """``app`` is the process that the window in front belongs to."""
        pixels = picture.tobytes()
        if (pixels, app) != (self.seen, self.app):
            found = elements(picture, _lines(picture))
            self.last[app] = self._matched(self.last.get(app, ()), found)
            self.seen, self.app = pixels, app
        told = []
        for e, key in self.last[app]:
            ref = self.names.ref(key)
            value = self.veiled.get(ref, e.value)
            told.append(element(self.secrets, ref, e.role, e.name, value, e.state, e.corners))
        return told

    def _matched(
        self, known: Sequence[tuple[Element, int]], found: Sequence[Element]
    ) -> list[tuple[Element, int]]:
        free, now = list(known), []
        for e in found:
            key = next((k for other, k in free if _again(other, e)), None)
            if key is None:
                self.count += 1
                key = self.count
            free = [(other, k) for other, k in free if k != key]
            now.append((e, key))
        return now


def elements(picture: PILImage.Image, lines: Sequence[Box]) -> list[Element]:
    """Controls with the text in them, and the other text, as people read: from top to bottom."""
    grey = np.asarray(picture.convert("L"))
    texts = [(line.text or "", (line.x0, line.y0, line.x1, line.y1)) for line in lines]
    found, taken = [], set()
    for corners in outlines(grey):
        inside = [i for i, (_, place) in enumerate(texts) if _part_of(place, corners) > INSIDE]
        control = _control(grey, corners, [texts[i] for i in inside])
        if control is not None:
            found.append(control)
            taken |= set(inside)
    found += [
        Element("", "text", text, corners=place)
        for i, (text, place) in enumerate(texts)
        if i not in taken
    ]
    return named(in_reading_order(found))


def outlines(grey: Any) -> list[Corners]:
    """Rectangles (corners in pixels) that are drawn in a picture (height, width; uint8), of the
    sizes of controls, inner ones of nested pairs dropped."""
    import cv2

    edges = cv2.morphologyEx(cv2.Canny(grey, 20, 60), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    traced, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes: list[Corners] = []
    for contour in traced:
        x, y, w, h = cv2.boundingRect(contour)
        if _control_size(w, h, grey.shape[1]) and cv2.contourArea(contour) > STRAIGHT * (w - 1) * (
            h - 1
        ):
            boxes.append((float(x), float(y), float(x + w), float(y + h)))
    boxes.sort(key=_area, reverse=True)
    kept: list[Corners] = []
    for box in boxes:
        if all(_overlap(box, other) < SAME for other in kept):
            kept.append(box)
    return kept


def _control_size(w: int, h: int, width: int) -> bool:
    mark = MARK[0] <= w <= MARK[1] and MARK[0] <= h <= MARK[1] and abs(w - h) <= 4
    return mark or (CONTROL[0] <= h <= CONTROL[1] and NARROW <= w < SHARE * width and w > 1.2 * h)


def _control(grey: Any, box: Corners, texts: list[tuple[str, Corners]]) -> Element | None:
    """What is drawn there; None where it is only a sign of a text."""
    x0, y0, x1, y1 = box
    words = " ".join(text for text, _ in texts)
    if x1 - x0 <= MARK[1]:
        return None if words else Element("", "checkbox", "", None, _checked(grey, box), box)
    if _arrow(grey, box, texts):
        return Element("", "combobox", "", words, (), box)
    if words and _centred(box, texts):
        return Element("", "button", words, corners=box)
    return Element("", "textbox", "", words, (), box)


def _checked(grey: Any, box: Corners) -> tuple[str, ...]:
    """Whether something is drawn in a box: ink of a cross, or a filled box with a light sign."""
    x0, y0, x1, y1 = (round(v) for v in box)
    edge = max(3, (x1 - x0) // 5)
    inner = grey[y0 + edge : y1 - edge, x0 + edge : x1 - edge].astype(int)
    around = int(np.median(grey[max(y0 - 4, 0) : y1 + 4, max(x0 - 4, 0) : x1 + 4]))
    drawn = int(inner.max() - inner.min()) > INK or abs(int(np.median(inner)) - around) > INK
    return ("checked",) if drawn else ()


def _arrow(grey: Any, box: Corners, texts: list[tuple[str, Corners]]) -> bool:
    """Whether something that is no text is drawn at the right end, and nothing else in the way."""
    x0, y0, x1, y1 = (round(v) for v in box)
    if x1 - x0 < 2 * ARROW or any(place[2] > x1 - ARROW * 0.8 for _, place in texts):
        return False
    end = grey[y0 + 5 : y1 - 5, x1 - ARROW : x1 - 5].astype(int)
    ink = np.abs(end - int(np.median(end))) > INK
    rows, columns = ink.any(axis=1).sum(), ink.any(axis=0).sum()
    return bool(3 <= rows <= ARROW / 2 and 4 <= columns <= ARROW / 2)


def _centred(box: Corners, texts: list[tuple[str, Corners]]) -> bool:
    left = min(place[0] for _, place in texts) - box[0]
    right = box[2] - max(place[2] for _, place in texts)
    return abs(left - right) <= max(6.0, 0.12 * (left + right))


def _again(old: Element, new: Element) -> bool:
    if old.role != new.role or not old.corners or not new.corners:
        return False
    says = old.name == new.name or old.role in ("textbox", "combobox", "checkbox")
    return says and _overlap(old.corners, new.corners) > SAME


def _part_of(text: Corners, box: Corners) -> float:
    return _shared(text, box) / max(_area(text), 1.0)


def _overlap(a: Corners, b: Corners) -> float:
    shared = _shared(a, b)
    return shared / max(_area(a) + _area(b) - shared, 1.0)


def _shared(a: Corners, b: Corners) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


@dataclass(frozen=True)
class _Still:
    """A picture as a tool's argument, without a run that stores it."""

    picture: PILImage.Image

    def image(self, artifact: Artifact) -> PILImage.Image:
        return self.picture

    def path(self, artifact: Artifact) -> Path:
        raise FileNotFoundError(artifact.id)


def _lines(picture: PILImage.Image) -> Sequence[Box]:
    """The lines of text on a picture, in reading order."""
    width, height = picture.size
    shot = Artifact(
        id="screen", kind="image", sha256="", mime="image/png", width=width, height=height
    )
    context = cast(ToolContext, SimpleNamespace(pool=default_pool()))
    return ReadText().run(Image(shot, _Still(picture)), context).boxes
