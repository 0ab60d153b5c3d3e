"""What a field is called where nothing says so: by the text that stands beside or above it. And
the order in which people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.gui.observation import MARKS, Corners, Element

FIELDS = ("textbox", "searchbox", "combobox", "spinbutton", "slider", "progressbar")
"""What has its words to the left or above."""
WIDE = 240
"""Pixels that may lie between a field and its words, on a row."""
HIGH = 30
"""The same between words and the field below them, or the height of large words."""
ROW = 12
"""Pixels within which middles are of one row."""


def named(elements: Sequence[Element]) -> list[Element]:
    """The same elements; fields and marks without a name get that of the nearest words. A text
    that names one is left in the list, because it is there."""
    texts = [e for e in elements if e.role in ("text", "heading", "option") and e.name]
    return [_with_name(e, texts) if _nameless(e) else e for e in elements]


def in_reading_order(elements: Sequence[Element]) -> list[Element]:
    """Rows from the top, each from the left; what is not drawn comes last, as it came."""
    drawn = [e for e in elements if e.corners]
    return [*sorted(drawn, key=_row), *(e for e in elements if not e.corners)]


def _row(e: Element) -> tuple[float, float]:
    x0, y0, _, y1 = e.corners or (0, 0, 0, 0)
    large = e.role in ("dialog", "alertdialog")
    return (0, 0) if large else (1 + round((y0 + y1) / 2 / ROW), x0)


def _nameless(e: Element) -> bool:
    return not e.name and e.corners is not None and e.role in (*MARKS, *FIELDS)


def _with_name(e: Element, texts: Sequence[Element]) -> Element:
    assert e.corners is not None
    near = [(far, t.name) for t in texts if t.corners and (far := _far(e, e.corners, t.corners))]
    words = min(near)[1] if near else ""
    return replace(e, name=words.rstrip(" :*"))


def _far(e: Element, field: Corners, words: Corners) -> float | None:
    """How far words are from a field that they may name; None where they cannot."""
    x0, y0, x1, y1 = field
    a0, b0, a1, b1 = words
    shared = min(y1, b1) - max(y0, b0)
    if shared > 0.5 * min(y1 - y0, b1 - b0):
        right, left = a0 - x1, x0 - a1
        if e.role in MARKS and -4 <= right <= WIDE:
            return max(right, 0.0) + 0.1
        if -4 <= left <= WIDE:
            return max(left, 0.0) + 0.1
        return None
    above = y0 - b1
    beside = min(x1, a1) - max(x0, a0)
    if e.role in FIELDS and -4 <= above <= max(HIGH, b1 - b0) and beside > 0:
        return max(above, 0.0) + WIDE  # words on the row come first
    return None
