"""What all actions on a screen share: where to point, and waiting until something holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.gui import failures
from tools.gui.actions import Expect
from tools.gui.native.aim import Aim, aim
from tools.gui.native.facts import Claims, holds
from tools.gui.native.port import Port
from tools.gui.observation import WRITABLE, Element, Snapshot, Told
from tools.gui.secrets import Secrets

PAUSE = 0.08
"""Seconds between two looks."""
ENABLES = 1.0
"""Seconds in which a disabled control may become usable."""
MISSING = 6
"""Empty fields that are named where a control is disabled."""


@dataclass(frozen=True)
class Hand:
    """Acts on the window in front. ``begin`` is called when all before the effect is settled; it
    asks whoever must be asked."""

    port: Port
    secrets: Secrets
    begin: Callable[[], None]
    now: Snapshot
    told: Told
    claims: Claims
    target: Element | Aim | None
    to: Element | Aim | None = None

    def aim(self, target: Element | Aim | None) -> Aim:
        """Where to point at it. Raises ``Failure`` hidden, stale, and disabled with what may be
        missing."""
        assert target is not None
        spot = target if isinstance(target, Aim) else aim(target, self.port)
        if "disabled" not in spot.element.state:
            return spot
        now = self.until(lambda now: _enabled(now, spot.element.ref), ENABLES)
        if not _enabled(now, spot.element.ref):
            empty = [e.label() for e in now.elements if e.role in WRITABLE and not e.value]
            raise failures.disabled(str(spot), empty[:MISSING])
        return spot

    def until(self, good: Callable[[Snapshot], bool], seconds: float) -> Snapshot:
        """The first screen that is good, or the one when the time is up."""
        end = time.monotonic() + seconds
        while True:
            now = self.port.read()
            if good(now) or time.monotonic() >= end:
                return now
            time.sleep(PAUSE)

    def within(self, expect: Expect | None, ref: str, seconds: float) -> dict[str, bool]:
        """What holds, once all of it does or the time is up."""
        said: dict[str, bool] = {}

        def good(now: Snapshot) -> bool:
            said.update(holds(expect, now, ref, self.port.exact))
            return all(said.values())

        self.until(good, seconds)
        return said


def _enabled(now: Snapshot, ref: str) -> bool:
    found = now.find(ref)
    return found is not None and "disabled" not in found.state
