"""How to find an element again in another browser.

A locator is only kept after playwright found the very element with it, at the moment of acting.
Best first, as playwright's own recorder ranks them: role with accessible name, label, placeholder,
visible text, test id, the id that the page's author gave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

from playwright.async_api import ElementHandle, Error, Frame
from playwright.async_api import Locator as Found

from mllm.content import Value
from tools.gui.secrets import PLACEHOLDER
from tools.gui.view import View

By = Literal["role", "label", "placeholder", "text", "title", "test_id", "css", "path"]
MOST = 5
"""Locators that are kept of an element: a replay goes on to the next when one fails."""


class Locator(Value):
    """``value`` is the role, label, ... or selector; ``nth`` is set where several fit, from 0."""

    by: By
    value: str
    name: str = ""
    """The accessible name, beside a role."""
    nth: int | None = None

    @property
    def robust(self) -> bool:
        """Whether a person would find it by the same words."""
        return self.nth is None and self.by != "path"

    def on(self, frame: Frame) -> Found:
        """Playwright's locator in a frame."""
        match self.by:
            case "role":
                role = cast(Any, self.value)
                found = frame.get_by_role(role, name=self.name, exact=True)
            case "label":
                found = frame.get_by_label(self.value, exact=True)
            case "placeholder":
                found = frame.get_by_placeholder(self.value, exact=True)
            case "text":
                found = frame.get_by_text(self.value, exact=True)
            case "title":
                found = frame.get_by_title(self.value, exact=True)
            case "test_id":
                found = frame.get_by_test_id(self.value)
            case "css" | "path":
                found = frame.locator(self.value)
        return found if self.nth is None else found.nth(self.nth)


class Anchor(Value):
    """An element: ``frames`` lead to its document, each of ``found`` to it, the best first."""

    role: str
    name: str
    frames: tuple[Locator, ...] = ()
    found: tuple[Locator, ...] = ()

    def words(self) -> str:
        return f'{self.role} "{self.name}"'


async def anchor(ref: str, view: View) -> Anchor | None:
    """How to find an element again; None when it is gone."""
    home, handle = view.home(ref), await view.handle(ref)
    if home is None or handle is None:
        return None
    told = await home.ask("clues", int(ref[1:]))
    if told is None:
        return None
    found = await _tried(told["found"], home.frame, handle)
    frames = await _way(home.frame, view)
    if frames is None:
        return None
    return Anchor(role=told["role"], name=told["name"], frames=frames, found=found)


async def locate(known: Anchor, view: View) -> str:
    """The reference of the one visible element that an anchor means now, "" when there is none."""
    frame = view.page.main_frame
    for step in known.frames:
        holder = await _only(step, frame)
        inner = await holder.content_frame() if holder else None
        if inner is None:
            return ""
        frame = inner
    for locator in known.found:
        if handle := await _only(locator, frame):
            document = await view.document(frame)
            return f"e{await document.ask('number', handle)}"
    return ""


async def text_place(text: str, view: View) -> tuple[Locator, ...] | None:
    """The way to the first frame in which playwright sees ``text``; None when in none."""
    for frame in view.page.frames:
        try:
            if await frame.get_by_text(text).filter(visible=True).count():
                return await _way(frame, view)
        except Error:  # it went away meanwhile
            continue
    return None


async def _way(frame: Frame, view: View) -> tuple[Locator, ...] | None:
    steps: list[Locator] = []
    while frame.parent_frame is not None:
        parent = await view.document(frame.parent_frame)
        holder = await frame.frame_element()
        told = await parent.ask("clues", holder)
        found = await _tried(told["found"], frame.parent_frame, holder) if told else ()
        if not found:
            return None
        steps.insert(0, found[0])
        frame = frame.parent_frame
    return tuple(steps)


async def _tried(
    clues: list[list[str]], frame: Frame, handle: ElementHandle
) -> tuple[Locator, ...]:
    """Those clues with which playwright finds ``handle`` alone. Only where there are none, its
    place among others and its way through the document: after a change they mean something else.
    """
    all = [Locator(by=cast(By, by), value=value, name=name) for by, value, name in clues]
    plain = [one for one in all if not PLACEHOLDER.search(one.value + one.name)]
    look: Callable[[Locator], Awaitable[list[int]]] = lambda one: one.on(frame).evaluate_all(  # noqa: E731
        "(all, el) => [all.length, all.indexOf(el)]", handle
    )
    sought = await asyncio.gather(*map(look, plain), return_exceptions=True)
    alone, among = [], []
    for one, answer in zip(plain, sought, strict=True):
        if isinstance(answer, BaseException) or answer[1] < 0:
            continue
        if answer[0] == 1:
            alone.append(one)
        else:
            among.append(one.model_copy(update={"nth": answer[1]}))
    best = [one for one in alone if one.robust]
    among.sort(key=lambda one: one.by in ("css", "path"))
    return tuple((best or [*among[:1], *alone])[:MOST])


async def _only(locator: Locator, frame: Frame) -> ElementHandle | None:
    try:
        handles = await locator.on(frame).element_handles()
    except Error:
        return None
    shown = [h for h in handles if await h.is_visible()]
    # A field that is drawn by its label is not visible itself, and yet the one that is meant.
    fits = shown or handles
    return fits[0] if len(fits) == 1 else None
