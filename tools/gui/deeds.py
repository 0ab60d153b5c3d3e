"""What was done to a page and what came of it, as data: from it a script is written
(``agent.script.export``) and a run is repeated (``agent.script.replay``).

A deed is opened just before its effect, while its elements are as they were meant, and closed when
the page has settled. No secret is in it: typed ones are placeholders, and pages are masked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, Literal

from playwright.async_api import Error, Frame

from mllm.content import Value
from tools.gui.actions import Action, Drag, DragBy, Expect, Finish, Spot, WaitFor
from tools.gui.failures import Failure
from tools.gui.judge import Done, Verdict
from tools.gui.locators import Anchor, Locator, anchor, text_place
from tools.gui.observation import MARKS, Corners, Told
from tools.gui.preflight import resolve
from tools.gui.shown import Shown
from tools.gui.targets import REFERENCE
from tools.gui.view import View
from tools.gui.watch import Log


class Held(Value):
    """What an element held after an action."""

    value: str | None = None
    options: tuple[str, ...] = ()
    input: bool = False

    @property
    def hidden(self) -> bool:
        """Whether it is a password: of one only the length is told."""
        return bool(self.value) and set(self.value or "") == {"•"}


class Deed(Value):
    """One action that was done, and what came of it."""

    action: dict[str, Any]
    what: str
    expect: dict[str, Any] | None = None
    accept_dialog: bool = False
    answer: str | None = None
    anchors: dict[str, Anchor] = {}
    """By what the action calls the elements: a reference, words."""
    verdict: Literal["verified", "unverified", "contradicted"] = "unverified"
    why: str = ""
    held: Held | None = None
    fields: dict[str, Held] = {}
    """What those fields held of which a claim says a value, by what it calls them."""
    by_label: bool = False
    """Whether its target is a box that its label draws: the box itself cannot be pointed at."""
    url: str = ""
    """Of the page it was done on; ``then`` is the address afterwards."""
    then: str = ""
    frames: tuple[str, ...] = ()
    """The addresses of the documents inside of the page that lead to its elements."""
    presses: int = 0
    """Of a slider that keys move (``tools.gui.slider``)."""
    tab: str = "t1"
    front: str = "t1"
    """The tab in front afterwards."""
    places: dict[str, tuple[Locator, ...]] = {}
    """The frames in which texts stood (a text that is gone: before)."""
    dialogs: int = 0
    downloads: tuple[str, ...] = ()
    point: tuple[float, float] | None = None
    """In the viewport, where a picture was pointed at."""
    grips: dict[str, tuple[float, float]] = {}
    """Of a drag between points of a picture: where they lie in its elements, in pixels from the
    inner edge, by ``target`` and ``to``."""
    size: tuple[int, int] | None = None
    """Of the viewport."""
    place: Corners | None = None
    """Where its target stood on the last screenshot, in pixels."""
    shown: tuple[Shown, ...] = ()
    """Of a claim that the task is done: every fact of it."""
    recovery: bool = False
    """Whether it only removed something that was in the way."""


def claims(action: Action, expect: Expect | None) -> Iterator[Expect]:
    """Everything that was to hold."""
    if expect is not None:
        yield expect
    if isinstance(action, WaitFor):
        yield action.until
    if isinstance(action, Finish):
        yield from action.evidence


async def opened(
    action: Action, expect: Expect | None, refs: dict[str, str], view: View, told: Told
) -> Deed:
    """A deed that is about to be done; ``refs`` are those of ``target`` and ``to``."""
    anchors: dict[str, Anchor] = {}
    places: dict[str, tuple[Locator, ...]] = {}
    fields: dict[str, Held] = {}
    named = dict(refs)
    for claim in claims(action, expect):
        gone = claim.gone if claim.gone and REFERENCE.fullmatch(claim.gone) else None
        for said in (gone, getattr(claim, "target", None)):
            if said is not None and (ref := await _ref(said, view, told)):
                named[said] = ref
                if said != gone and (held := await _held(ref, view)):
                    fields[said] = held
        if claim.gone and (place := await settled(text_place(claim.gone, view))) is not None:
            places[claim.gone] = place
    for said, ref in named.items():
        if known := await settled(anchor(ref, view)):
            anchors[said] = known
    spot = getattr(action, "target", None)
    target = anchors.get("target")
    drawn = target is None or target.role == "canvas"
    marked = target is not None and target.role in MARKS
    window = view.page.viewport_size
    return Deed(
        action=action.model_dump(mode="json", exclude_none=True),
        what=action.name,
        expect=expect.model_dump(exclude_none=True) if expect else None,
        anchors=anchors,
        places=places,
        fields=fields,
        by_label=marked and bool(await settled(_by_label(named["target"], view))),
        url=view.url,
        frames=tuple(dict.fromkeys(_frames(named.values(), view))),
        tab=view.tab,
        front=view.tab,
        point=(spot.x, spot.y) if isinstance(spot, Spot) and drawn else None,
        grips=await _grips(action, refs, view) if isinstance(action, Drag | DragBy) else {},
        size=(window["width"], window["height"]) if window else None,
    )


async def closed(
    deed: Deed, done: Done, verdict: Verdict, ref: str, view: View, front: View, log: Log
) -> Deed:
    """What came of it. ``view`` is the tab it was done on."""
    places = dict(deed.places)
    texts = [deed.expect or {}, deed.action.get("until", {}), *deed.action.get("evidence", [])]
    for text in filter(None, (claim.get("text") for claim in texts)):
        if (place := await settled(text_place(text, front))) is not None:
            places[text] = place
    return deed.model_copy(
        update={
            "what": done.what,
            "presses": done.presses,
            "verdict": verdict.kind,
            "why": verdict.why,
            "held": await _held(ref, view) if ref else None,
            "then": front.url,
            "front": front.tab,
            "places": places,
            "dialogs": len(log.dialogs),
            "downloads": tuple(log.downloads),
        }
    )


async def settled(work: Awaitable[Any]) -> Any:
    """What ``work`` gives, None where the page went away under it: a record is no reason to
    fail."""
    try:
        return await asyncio.wait_for(work, 2.0)
    except (Error, TimeoutError):
        return None


async def _ref(said: str, view: View, told: Told) -> str:
    try:
        return (await resolve(said, view, told)).ref
    except (Failure, Error, TimeoutError):
        return ""


async def _held(ref: str, view: View) -> Held | None:
    home = view.home(ref)
    told = await settled(home.ask("held", int(ref[1:]))) if home else None
    return Held.model_validate(told) if told else None


async def _grips(
    action: Action, refs: dict[str, str], view: View
) -> dict[str, tuple[float, float]]:
    found = {}
    for end, ref in refs.items():
        spot = getattr(action, end)
        if isinstance(spot, Spot) and (edge := await settled(_inner_edge(ref, view))):
            found[end] = (round(spot.x - edge[0], 1), round(spot.y - edge[1], 1))
    return found


async def _inner_edge(ref: str, view: View) -> tuple[float, float] | None:
    """Where an element begins inside of its border, in the viewport."""
    handle = await view.handle(ref)
    box = await handle.bounding_box() if handle else None
    if handle is None or box is None:
        return None
    left, top = await handle.evaluate("el => [el.clientLeft, el.clientTop]")
    return box["x"] + left, box["y"] + top


async def _by_label(ref: str, view: View) -> bool:
    handle = await view.handle(ref)
    return handle is not None and bool(await handle.evaluate(_LABELLED))


def _frames(refs: Iterable[str], view: View) -> Iterator[str]:
    for ref in refs:
        home = view.home(ref)
        frame: Frame | None = home.frame if home else None
        while frame is not None and frame.parent_frame is not None:
            yield view.secrets.mask(frame.url)
            frame = frame.parent_frame


_LABELLED = """box => {
  const { x, y, width, height } = box.getBoundingClientRect();
  const hit = box.getRootNode().elementFromPoint(x + width / 2, y + height / 2);
  return !!box.labels?.length && box !== hit && !box.contains(hit);
}"""
