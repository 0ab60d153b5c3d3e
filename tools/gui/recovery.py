"""Fixed recoveries: what is tried by itself when an action fails before it had any effect.

    covered    -> dismiss what lies on top, if it offers that
    stale      -> the one element that is now what the reference was; words are looked up again
    moved      -> look where it is now
    hidden     -> scroll to it
    not_found  -> scroll on, where scrolling brings new elements (lists that draw what is in view)
    disabled   -> wait a moment; else say what is missing

Each kind is tried once an action and told. All of these failures mean that nothing was done; an
action that may have had an effect is never repeated here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from playwright.async_api import Error

from tools.gui import approval, failures
from tools.gui.actions import PointAt, Target
from tools.gui.deeds import Deed, opened
from tools.gui.failures import Failure, Kind
from tools.gui.observation import Element, Told
from tools.gui.preflight import aim, as_element, guarded
from tools.gui.targets import REFERENCE, by_words
from tools.gui.view import View
from tools.gui.words import DISMISS

WAIT = 1.0
"""Seconds in which a disabled control may become usable."""
SCREENS = 12
"""Screens that are searched."""


@dataclass
class Recovery:
    """The recoveries of one action. ``targets`` are its targets by argument name; a recovery may
    put another reference in the place of one."""

    targets: dict[str, Target]
    told: list[str]
    """What was done, in words, for the observation; and as data, for the record."""
    deeds: list[Deed] = field(default_factory=list)
    tried: set[Kind] = field(default_factory=set)

    def offers(self, failure: Failure) -> bool:
        """Whether something is left to try."""
        return failure.kind in _REMEDIES and failure.kind not in self.tried

    async def mend(self, failure: Failure, view: View) -> bool:
        """Whether the action may be tried again. Raises a ``Failure`` that says more than
        ``failure`` where only that is possible."""
        self.tried.add(failure.kind)
        try:
            words = await _REMEDIES[failure.kind](self, failure, view)
        except (Error, TimeoutError):
            return False
        if words:
            self.told.append(f"recovered from {failure.kind}: {words}")
        return bool(words)

    async def dismiss(self, failure: Failure, view: View) -> str:
        """Click what closes or refuses the thing on top. What agrees to something is left to the
        model, and so is what a person would have to approve."""
        for control in failure.ways_out:
            if control.name.casefold().strip(" .!") not in DISMISS:
                continue
            home = view.home(control.ref)
            facts = await home.ask("facts", int(control.ref[1:])) if home else None
            click = PointAt(name="click", target=control.ref)
            if approval.needed(click, control.label(), facts, "", view.url, False):
                continue
            try:
                spot = await aim(control, view)
                deed = await opened(click, None, {"target": control.ref}, view, Told())
                await view.page.mouse.move(spot.x, spot.y)
                async with guarded(spot, view):
                    await view.page.mouse.click(spot.x, spot.y)
            except Failure:
                continue
            self.deeds.append(deed.model_copy(update={"then": view.url, "recovery": True}))
            await asyncio.sleep(0.15)  # such things fade away
            await view.calm()
            return f"clicked {control.label()} on what was in the way"
        return ""

    async def find_again(self, failure: Failure, view: View) -> str:
        words: list[str] = []
        for name, target in self.targets.items():
            if not isinstance(target, str):
                continue
            if REFERENCE.fullmatch(target) is None:
                words.append(f"looked for {target!r} again")
                continue
            home = view.home(target)
            if home is None or await home.ask("about", int(target[1:])):
                continue
            number = await home.ask("again", int(target[1:]))
            if number is None:
                return ""
            self.targets[name] = f"e{number}"
            words.append(f"e{number} is what {target} was")
        return "; ".join(words)

    async def look_again(self, failure: Failure, view: View) -> str:
        await view.calm()
        return "looked where it is now"

    async def reveal(self, failure: Failure, view: View) -> str:
        element = await self._element(view)
        home = view.home(element.ref) if element else None
        if element is None or home is None:
            return ""
        await home.ask("reveal", int(element.ref[1:]))
        await view.calm()
        row = await home.ask("about", int(element.ref[1:]))
        return "scrolled to it" if row and row[5] else ""

    async def search(self, failure: Failure, view: View) -> str:
        """Scroll on as long as that brings elements that were not there."""
        target = next((t for t in self.targets.values() if isinstance(t, str)), "")
        if not target or REFERENCE.fullmatch(target):
            return ""
        page = await view.document(view.page.main_frame)
        known = {e.ref for e in (await view.snapshot()).elements}
        for screens in range(1, SCREENS + 1):
            if not await page.ask("onward", screens == 1):
                break
            await view.calm()
            snapshot = await view.snapshot()
            try:
                by_words(snapshot, target)
            except Failure as missing:
                here = {e.ref for e in snapshot.elements}
                if missing.kind == "not_found":
                    if here <= known:
                        break
                    known |= here
                    continue
            return f"scrolled on {screens} screen{'s' * (screens > 1)} until it was there"
        await page.ask("rewind")
        await view.calm()
        return ""

    async def wait(self, failure: Failure, view: View) -> str:
        element = await self._element(view)
        home = view.home(element.ref) if element else None
        if element is None or home is None:
            return ""
        if "readonly" in element.state:
            return ""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            row = await home.ask("about", int(element.ref[1:]))
            if row is None or "disabled" not in row[4]:
                return "waited until it could be used"
            await asyncio.sleep(0.1)
        missing = [
            as_element(row).row() for row in await home.ask("lacks", int(element.ref[1:]))
        ]
        raise failures.disabled(element.label(), missing)

    async def _element(self, view: View) -> Element | None:
        """The first target, where it is there."""
        target = next(iter(self.targets.values()), None)
        if not isinstance(target, str):
            return None
        if REFERENCE.fullmatch(target) is None:
            return by_words(await view.snapshot(), target)
        home = view.home(target)
        row = await home.ask("about", int(target[1:])) if home else None
        return as_element(row) if row else None


_REMEDIES: dict[Kind, Callable[[Recovery, Failure, View], Awaitable[str]]] = {
    "covered": Recovery.dismiss,
    "stale": Recovery.find_again,
    "moved": Recovery.look_again,
    "hidden": Recovery.reveal,
    "not_found": Recovery.search,
    "disabled": Recovery.wait,
}
