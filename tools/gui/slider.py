"""Sliders that are no input fields: arrow keys move them, and a number says how far they are."""

from __future__ import annotations

import re
from dataclasses import replace

from playwright.async_api import ElementHandle

from tools.gui import failures
from tools.gui.failures import Failure
from tools.gui.hand import Hand
from tools.gui.judge import Done
from tools.gui.observation import Element, Snapshot

MOST = 500
"""Presses of a key at a time."""
ROUNDS = 4
"""Times that the number is read, for sliders whose steps are not alike."""
_NUMBER = re.compile(r"(?<![\w.])[-\u2212+]?\d+(?:\.\d+)?")
_OWN = ""
"""Among what a number was read from: the slider itself says it (``aria-valuenow``)."""


async def slide(hand: Hand, element: Element, text: str, what: str) -> Done:
    """Move a slider to the number in ``text`` by its arrow keys.

    How far it is, it says itself; of one that does not, the number on the page is read that
    changes with it and is told closest to it. Raises ``Failure`` wrong_kind where ``text`` has no
    number, no_effect where no number moves."""
    goal = _number(text)
    if goal is None:
        raise failures.wrong_kind(element.label(), "a number: it is a slider")
    handle = await hand.handle(element)
    await handle.focus()
    await hand.begin()
    before = await _numbers(hand, handle)
    for first in (1, -1):  # it may stand at its end
        await _press(hand, first)
        now = await _numbers(hand, handle)
        moved = [ref for ref in now if ref in before and now[ref] != before[ref]]
        if moved:
            break
    else:
        raise Failure("no_effect", f"{element.label()} is moved by no key: use drag or drag_by.")
    ref = _nearest(moved, element, await hand.view.snapshot())
    step, pressed = (now[ref] - before[ref]) / first, first
    for _ in range(ROUNDS):
        away = max(-MOST, min(round((goal - now[ref]) / step), MOST))
        if not away:
            break
        await _press(hand, away)
        pressed += away
        now = await _numbers(hand, handle)
        if ref not in now:
            break
    shown = now.get(ref)
    proof = f"it is at {shown:g}" if shown is not None else "it no longer says where it is"
    return replace(Done(what, element.ref, shown == goal, proof), presses=pressed)


def key(presses: int) -> str:
    """The key that is pressed so often."""
    return "ArrowRight" if presses > 0 else "ArrowLeft"


async def _press(hand: Hand, times: int) -> None:
    for _ in range(abs(times)):
        await hand.view.page.keyboard.press(key(times))


async def _numbers(hand: Hand, handle: ElementHandle) -> dict[str, float]:
    """The number of the slider, or of everything on the page that shows a single one."""
    own = await handle.evaluate("el => el.getAttribute('aria-valuenow')")
    if own is not None and (said := _number(own)) is not None:
        return {_OWN: said}
    told = ((e.ref, e.name if e.value is None else e.value) for e in
            (await hand.view.snapshot()).elements)  # fmt: skip
    return {ref: said for ref, text in told if (said := _number(text)) is not None}


def _nearest(refs: list[str], element: Element, snapshot: Snapshot) -> str:
    """Of these the one that is told closest to ``element``."""
    place = {e.ref: i for i, e in enumerate(snapshot.elements)}
    at = place.get(element.ref, 0)
    return min(refs, key=lambda ref: abs(place.get(ref, len(place)) - at))


def _number(text: str) -> float | None:
    found = _NUMBER.findall(text)
    return float(found[0].replace("\u2212", "-")) if len(found) == 1 else None
