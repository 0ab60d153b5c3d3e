"""Whether an action had the effect that was expected of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Error

from tools.gui.actions import Expect
from tools.gui.hand import Done
from tools.gui.targets import REFERENCE
from tools.gui.view import View
from tools.gui.watch import Refusal

Kind = Literal["verified", "unverified", "contradicted"]


@dataclass(frozen=True)
class Verdict:
    kind: Kind
    why: str

    def words(self) -> str:
        return f"{self.kind} ({self.why})"


def decide(
    before: dict[str, bool],
    after: dict[str, bool],
    done: Done,
    refusals: list[Refusal],
    loading: bool,
    looks: bool,
) -> Verdict:
    """Judge an action. ``before`` and ``after`` say of each expectation, in words, whether it held;
    ``done`` whether the action did by itself what it says (a field holds what was typed).

    A refusal of the server refutes everything. What held before already proves nothing, except for
    actions that only look. What does not hold while the page still loads is not known.
    """
    if decisive := [r.words() for r in refusals if r.decisive]:
        return Verdict("contradicted", "; ".join(decisive))
    if done.own is False:
        return Verdict("contradicted", done.proof)
    if not after:
        if done.own:
            return Verdict("verified", done.proof)
        return Verdict("unverified", "nothing was expected")
    if failed := [what for what, holds in after.items() if not holds]:
        kind: Kind = "unverified" if loading else "contradicted"
        still = ", the page is still loading" if loading else ""
        return Verdict(kind, f"not so: {', '.join(failed)}{still}")
    old = [what for what in after if before.get(what) and not what.startswith("value")]
    if old and not looks:
        return Verdict("unverified", f"was so before: {', '.join(old)}")
    return Verdict("verified", ", ".join(after))


async def holds(expect: Expect | None, view: View, ref: str) -> dict[str, bool]:
    """Each expectation in words, and whether it holds now. ``ref``: the action's target, or ""."""
    if expect is None:
        return {}
    said: dict[str, bool] = {}
    seen = ""
    if expect.text is not None or expect.gone is not None:
        seen = await text_of(view)
    if expect.text is not None:
        said[f'text "{expect.text}"'] = plain(expect.text) in seen
    if expect.url is not None:
        said[f'url with "{expect.url}"'] = expect.url in view.url
    if expect.value is not None:
        said[f'value "{expect.value}"'] = await _value(view, ref) == expect.value
    if expect.gone is not None:
        absent = plain(expect.gone) not in seen
        if REFERENCE.fullmatch(expect.gone):
            absent = not await _drawn(view, expect.gone)
        said[f'gone "{expect.gone}"'] = absent
    return said


async def within(expect: Expect | None, view: View, ref: str, seconds: float) -> dict[str, bool]:
    """As ``holds``, once all of it holds, or when the time is up."""
    end = time.monotonic() + seconds
    while True:
        try:
            said = await holds(expect, view, ref)
            if all(said.values()) or time.monotonic() >= end:
                return said
        except (Error, TimeoutError):  # between two pages
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(0.05)


async def text_of(view: View) -> str:
    return plain(" ".join(await view.each("text", 0)))


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


def plain(text: str) -> str:
    return " ".join(text.split()).casefold()
