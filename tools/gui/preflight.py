"""Before the pointer is used: where to point, and what prevents it.

An element is pointed at where it is really hit, through frames and open shadow roots. A guard in
all documents then stops a press that would land on something else, because pages move between a
look and a click.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from playwright.async_api import Error

from mllm.content import Point
from tools.gui import failures
from tools.gui.failures import Failure
from tools.gui.numbered import is_number
from tools.gui.observation import Element, Told
from tools.gui.targets import REFERENCE, by_words, missing
from tools.gui.view import FRAME_PATIENCE, Document, View, painted


@dataclass(frozen=True)
class Aim:
    """An element and, in pixels of the viewport, where to point at it."""

    element: Element
    x: float = 0.0
    y: float = 0.0

    def __str__(self) -> str:
        return self.element.label()


async def resolve(target: str, view: View, told: Told) -> Element:
    """The element that a reference or words mean. Raises ``Failure`` stale, not_found or
    ambiguous."""
    if REFERENCE.fullmatch(target) is None:
        return by_words(await view.snapshot(), target)
    home, row = view.home(target), None
    if home is None and (tab := view.elsewhere(target)):
        raise failures.elsewhere(target, tab)
    if home is not None:
        try:
            row = await home.ask("about", int(target[1:]))
        except Error:
            row = None
    if row is None:
        raise missing(await view.snapshot(), target, told.past.get(target))
    element, known = as_element(row), told.past.get(target)
    if known is None or not known.near or is_number(known.near):
        return element
    # A list that is sorted anew may show another row in the same element.
    now = (await view.snapshot()).find(target)
    if now is not None and now.near != known.near:
        raise failures.another(known.label(), now.label())
    return replace(element, near=known.near)


def as_element(row: list[Any]) -> Element:
    """A row of the page's scripts as an element, wherever it is drawn."""
    number, role, name, value, state, _, options = row
    return Element(f"e{number}", role, name, value, painted(state), None, tuple(options))


async def aim(element: Element, view: View, using: bool = True) -> Aim:
    """Wait until the element stands still, scroll it into view if need be, and find a point where
    it is hit. What is disabled cannot be used, only scrolled or hovered. Raises ``Failure`` stale,
    hidden, disabled, covered."""
    home = view.home(element.ref)
    if home is None:
        raise failures.stale(element.label(), [])
    found = await home.ask("aim", int(element.ref[1:]), using)
    match found.get("failure"):
        case "stale":
            raise failures.stale(element.label(), [])
        case "hidden":
            raise failures.hidden(element.label())
        case "disabled":
            raise failures.disabled(element.label())
        case "covered":
            raise _covered(element.label(), found)
    x, y = found["spot"]
    x, y = await _up(home, view, x, y, element)
    return Aim(element, x, y)


async def _up(
    home: Document, view: View, x: float, y: float, element: Element
) -> tuple[float, float]:
    """A point of a document as one of the viewport, hit-tested in every document above."""
    while home.holder is not None and home.frame.parent_frame is not None:
        parent = await view.document(home.frame.parent_frame)
        box = await parent.ask("frameBox", home.holder)
        if box is None:
            raise failures.hidden(element.label())
        _, left, top, scale, right, bottom = box
        x, y = left + x * scale, top + y * scale
        size = await parent.ask("viewport")
        if not (
            max(left, 0) <= x < min(right, size[0]) and max(top, 0) <= y < min(bottom, size[1])
        ):
            offset = (x - left, y - top)
            await home.holder.evaluate(_REVEAL, list(offset))
            box = await parent.ask("frameBox", home.holder)
            _, left, top, scale, right, bottom = box
            x, y = left + offset[0], top + offset[1]
        if blocked := await parent.ask("through", home.holder, x, y):
            raise _covered(element.label(), blocked)
        home = parent
    return x, y


_REVEAL = """(frame, [dx, dy]) => {
  frame.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  const r = frame.getBoundingClientRect(), x = r.x + dx, y = r.y + dy;
  if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight)
    scrollBy({ left: x - innerWidth / 2, top: y - innerHeight / 2, behavior: "instant" });
}"""


async def at(point: Point, view: View) -> Aim:
    """What lies at a point of a screenshot of the present viewport."""
    document = await view.document(view.page.main_frame)
    width, height = await document.ask("viewport")
    return await under(point.x * width / point.width, point.y * height / point.height, view)


async def under(x: float, y: float, view: View) -> Aim:
    """What lies at a point of the viewport. Raises ``Failure`` not_found outside of it."""
    document = await view.document(view.page.main_frame)
    whole = (x, y)
    while True:
        hit = await document.ask("at", x, y)
        if hit is None:
            raise Failure("not_found", f"there is nothing at ({whole[0]:g}, {whole[1]:g})")
        number, role = hit[0], hit[1]
        inner = await _frame_at(view, document, number) if role == "iframe" else None
        if inner is None:
            return Aim(as_element(hit), *whole)
        document, (_, left, top, scale, _, _) = inner
        x, y = (x - left) / scale, (y - top) / scale


async def _frame_at(view: View, parent: Document, number: int) -> tuple[Document, list[Any]] | None:
    """The document inside of the frame with this number, and where its content lies."""
    for frame in parent.frame.child_frames:
        box = await parent.ask("frameBox", await view.holder(frame))
        if box and box[0] == number:
            return await view.document(frame), box
    return None


@asynccontextmanager
async def guarded(target: Aim, view: View) -> AsyncIterator[None]:
    """Presses inside of this land on the target or nowhere, in no document of the tab: what comes
    over a frame is part of another one. Raises ``Failure`` moved."""
    home = view.home(target.element.ref)
    await view.each("guard", 0)
    if home is None or not await home.ask("guard", int(target.element.ref[1:])):
        await view.each("release")
        raise failures.stale(target.element.label(), [])
    others = [d for d in await _documents(view) if d is not home]
    landed: list[Any] = []
    try:
        yield
    finally:
        released = (document.ask("release") for document in (home, *others))
        landed = await asyncio.gather(*released, return_exceptions=True)
    if elsewhere := next((about for about in landed if isinstance(about, list)), None):
        raise failures.moved(str(target), _label(elsewhere))
    if landed[0] is None:  # an error says that the press led to another page, or to a dialog
        raise failures.moved(str(target), "nothing that hears of a click")


async def _documents(view: View) -> list[Document]:
    """Those of the tab that answer."""
    frames = [frame for frame in view.page.frames if not frame.is_detached()]
    asked = (view.document(frame, FRAME_PATIENCE) for frame in frames)
    found = await asyncio.gather(*asked, return_exceptions=True)
    return [document for document in found if isinstance(document, Document)]


def _covered(what: str, found: dict[str, Any]) -> Failure:
    by = _label(found["by"]) if found["by"] else "the edge of its container"
    return failures.covered(what, by, tuple(as_element(row) for row in found["controls"]))


def _label(about: list[Any]) -> str:
    number, role, name = about
    return Element(f"e{number}", role, name[:60]).label()
