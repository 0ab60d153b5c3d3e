"""A screen read from its pixels alone: the controls that are drawn on it, and their text.

Controls are seen in two ways. A detector trained on screenshots of pages (``mllm.yolo.ELEMENTS``)
knows them by their looks: links, bare icons, entries of menus too. Outlines traced with OpenCV add
rectangles that it does not see, judged by size, place of the text and brightness; without weights
they are all there is. Text is read by ``ReadText``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from PIL import Image as PILImage

from mllm.content import Artifact, Box
from mllm.yolo import ELEMENTS, Detector
from tools.detect import MEMORY
from tools.gui.native.labels import FIELDS, in_reading_order, named
from tools.gui.native.port import Names, element
from tools.gui.observation import MARKS, Corners, Element
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
SURE = 0.3
"""Least score of what the detector sees."""
OWN_SIZE = 1920
"""Longer side of a screen, in pixels, up to which the detector looks at it as it is."""


class Drawn(NamedTuple):
    """Where a control is drawn, and its role; "" where its outline alone is known."""

    corners: Corners
    role: str = ""


Sight: TypeAlias = Callable[[PILImage.Image], list[Drawn]]
Said: TypeAlias = tuple[str, Corners]
"""A text and where it stands."""


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
            found = elements(picture, read_lines(picture))
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


def seen(picture: PILImage.Image) -> list[Drawn]:
    """What the detector sees, and outlines where it sees nothing."""
    found = detected(picture)
    rest = [o for o in outlined(picture) if not any(_touch(o.corners, d.corners) for d in found)]
    return found + rest


def detected(picture: PILImage.Image) -> list[Drawn]:
    """What the detector sees, the surest first; nothing where there are no weights."""
    if not ELEMENTS.is_file():
        return []

    def load() -> Detector:
        return Detector(ELEMENTS, own_size=OWN_SIZE)

    size = ELEMENTS.stat().st_size * MEMORY
    with default_pool().get(("elements", ELEMENTS), load, size) as detector:
        found = detector.find(picture.convert("RGB"), SURE, SAME)
    return [Drawn((f.x0, f.y0, f.x1, f.y1), f.name) for f in found]


def outlined(picture: PILImage.Image) -> list[Drawn]:
    """Traced outlines."""
    return [Drawn(corners) for corners in outlines(np.asarray(picture.convert("L")))]


def elements(picture: PILImage.Image, lines: Sequence[Box], sight: Sight = seen) -> list[Element]:
    """Controls with the text in them, and the other text, as people read: from top to bottom.
    Several rows of text in one, such as a list that opened, are told as text, too, because each
    may be clicked. ``sight`` is how controls are seen."""
    grey = np.asarray(picture.convert("L"))
    drawn = sight(picture)
    texts = [said for line in lines for said in _said(line, [d.corners for d in drawn])]
    found, taken = [], set()
    for corners, role in drawn:
        inside = [i for i, (_, place) in enumerate(texts) if _part_of(place, corners) > INSIDE]
        said = [texts[i] for i in inside]
        control = (_known if role else _judged)(grey, Drawn(corners, role), said)
        if control is not None:
            found.append(control)
            taken |= set() if _rows([texts[i] for i in inside]) > 1 else set(inside)
    found += [
        Element("", "text", text, corners=place)
        for i, (text, place) in enumerate(texts)
        if i not in taken
    ]
    return named(in_reading_order(found))


def _said(line: Box, controls: Sequence[Corners]) -> Iterator[Said]:
    """A line of text, cut between words where the controls that they lie in are others: links side
    by side are often read as one line. Where a word stands is told by its share of the letters."""
    text = line.text or ""
    wide = (line.x1 - line.x0) / max(len(text), 1)
    middle = (line.y0 + line.y1) / 2
    words, start = [], 0
    for word in text.split(" "):
        x = line.x0 + (start + len(word) / 2) * wide
        home = next((c for c in controls if c[0] <= x <= c[2] and c[1] <= middle <= c[3]), None)
        words.append((home, word, start))
        start += len(word) + 1
    for _, part in groupby(words, lambda one: one[0]):
        some = list(part)
        said = " ".join(word for _, word, _ in some)
        x0 = line.x0 + some[0][2] * wide
        if said:
            yield said, (x0, line.y0, x0 + len(said) * wide, line.y1)


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


def _known(grey: Any, drawn: Drawn, texts: list[Said]) -> Element:
    """What the detector saw, with what is in it. How a switch or a slider stands is not read."""
    box, role = drawn
    words = " ".join(text for text, _ in texts)
    if role in ("textbox", "combobox"):
        return Element("", role, "", words, (), box)
    if role in ("checkbox", "radio"):
        return Element("", role, "", None, _checked(grey, box), box)
    return Element("", role, "" if role in (*MARKS, *FIELDS) else words, corners=box)


def _judged(grey: Any, drawn: Drawn, texts: list[Said]) -> Element | None:
    """What an outline is of; None where it is only a sign of a text."""
    box = drawn.corners
    x0, _, x1, _ = box
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


def _arrow(grey: Any, box: Corners, texts: list[Said]) -> bool:
    """Whether something that is no text is drawn at the right end, and nothing else in the way."""
    x0, y0, x1, y1 = (round(v) for v in box)
    if x1 - x0 < 2 * ARROW or any(place[2] > x1 - ARROW * 0.8 for _, place in texts):
        return False
    end = grey[y0 + 5 : y1 - 5, x1 - ARROW : x1 - 5].astype(int)
    ink = np.abs(end - int(np.median(end))) > INK
    rows, columns = ink.any(axis=1).sum(), ink.any(axis=0).sum()
    return bool(3 <= rows <= ARROW / 2 and 4 <= columns <= ARROW / 2)


def _rows(texts: list[Said]) -> int:
    """How many lines stand one below the other."""
    ends = sorted((place[1], place[3]) for _, place in texts)
    return sum(i == 0 or top >= ends[i - 1][1] - 2 for i, (top, _) in enumerate(ends))


def _centred(box: Corners, texts: list[Said]) -> bool:
    left = min(place[0] for _, place in texts) - box[0]
    right = box[2] - max(place[2] for _, place in texts)
    return abs(left - right) <= max(6.0, 0.12 * (left + right))


def _again(old: Element, new: Element) -> bool:
    if old.role != new.role or not old.corners or not new.corners:
        return False
    says = old.name == new.name or old.role in (*MARKS, *FIELDS)
    return says and _overlap(old.corners, new.corners) > SAME


def _part_of(text: Corners, box: Corners) -> float:
    return _shared(text, box) / max(_area(text), 1.0)


def _overlap(a: Corners, b: Corners) -> float:
    shared = _shared(a, b)
    return shared / max(_area(a) + _area(b) - shared, 1.0)


def _touch(a: Corners, b: Corners) -> bool:
    """Whether one lies mostly in the other."""
    return _shared(a, b) > 0.5 * min(_area(a), _area(b))


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


def read_lines(picture: PILImage.Image) -> Sequence[Box]:
    """The lines of text on a picture, in reading order."""
    width, height = picture.size
    shot = Artifact(
        id="screen", kind="image", sha256="", mime="image/png", width=width, height=height
    )
    context = cast(ToolContext, SimpleNamespace(pool=default_pool()))
    return ReadText().run(Image(shot, _Still(picture)), context).boxes
