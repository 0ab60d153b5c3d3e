"""Whether what was expected holds on a page."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Error

from tools.gui.actions import Expect
from tools.gui.judge import denial, plain
from tools.gui.targets import REFERENCE
from tools.gui.view import View


async def holds(
    expect: Expect | None, view: View, ref: str, acted: View | None = None
) -> dict[str, bool]:
    """Each expectation in words, and whether it holds now. ``ref``: the action's target, or "".
    ``acted``: the tab that was acted on, where ``view`` may be another that opened. What is gone is
    gone there, and the target holds its value there."""
    if expect is None:
        return {}
    own = view if acted is None or acted.page.is_closed() else acted
    said: dict[str, bool] = {}
    if expect.text is not None:
        said[f'text "{expect.text}"'] = plain(expect.text) in await text_of(view)
    if expect.url is not None:
        said[f'url with "{expect.url}"'] = expect.url in view.url
    if expect.value is not None:
        said[f'value "{expect.value}"'] = await _value(own, ref) == expect.value
    if expect.gone is not None:
        if REFERENCE.fullmatch(expect.gone):
            absent = not await _drawn(own, expect.gone)
        else:
            absent = plain(expect.gone) not in await text_of(own)
        said[f'gone "{expect.gone}"'] = absent
    return said


async def within(
    expect: Expect | None, view: View, ref: str, seconds: float, acted: View | None = None
) -> dict[str, bool]:
    """As ``holds``, once all of it holds, or when the time is up."""
    end = time.monotonic() + seconds
    while True:
        try:
            said = await holds(expect, view, ref, acted)
            if all(said.values()) or time.monotonic() >= end:
                return said
        except (Error, TimeoutError):  # between two pages
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(0.05)


async def text_of(view: View) -> str:
    return plain(" ".join(await view.each("text", 0)))


async def denied(fact: Expect, view: View, seconds: float) -> str:
    """The sentence that denies the text of a fact, once there is none ("") or the time is up."""
    end = time.monotonic() + seconds
    while fact.text is not None:
        said = denial("\n\n".join(await view.each("text", 0)), fact.text)
        if not said or time.monotonic() >= end:
            return said
        await asyncio.sleep(0.05)
    return ""


async def _value(view: View, ref: str) -> str | None:
    home = view.home(ref) if ref else None
    try:
        found = await home.ask("value", int(ref[1:])) if home else None
    except Error:
        return None
    value = found[0] if found else None
    return None if value is None else str(value)


async def _drawn(view: View, ref: str) -> bool:
    home = view.home(ref)
    try:
        row = await home.ask("about", int(ref[1:])) if home else None
    except Error:
        return False
    return bool(row and row[5])
