"""Downloads: a click from which a file comes, waited for until all of it is there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from playwright.async_api import Error

from tools.gui.failures import Failure
from tools.gui.hand import Hand
from tools.gui.judge import Done
from tools.gui.preflight import guarded

BEGINS = 5.0
"""Seconds within which a file begins to come."""
COMES = 10.0
"""Seconds that it may take, in what an action has."""


async def download(hand: Hand) -> Done:
    """Raises ``Failure`` timeout where no file comes, or not all of it in time. The file stays with
    the browser and goes when it ends."""
    spot = await hand.aim(hand.target)
    await hand.view.page.mouse.move(spot.x, spot.y)
    await hand.begin()
    assert hand.session.watch is not None
    log, what = hand.session.watch.log, f"download {spot}"
    async with guarded(spot, hand.view):
        await hand.view.page.mouse.click(spot.x, spot.y)
    end = time.monotonic() + BEGINS
    while not (log.files or log.stopped or log.dismissed):
        if time.monotonic() > end:
            raise Failure("timeout", f"{spot} was clicked and no file came. Look at the page.")
        await asyncio.sleep(0.02)
    if not log.files:  # the limits or a question kept it from coming, and that is told
        return Done(what, spot.element.ref)
    try:
        path = Path(await asyncio.wait_for(log.files[0].path(), COMES))
    except TimeoutError:
        raise Failure(
            "timeout", f"{log.downloads[0]!r} is still coming. Wait, then look."
        ) from None
    except Error:  # it broke off
        return Done(what, spot.element.ref, False, f"{log.downloads[0]!r} did not come whole")
    return Done(what, spot.element.ref, True, f"{log.downloads[0]!r}, {path.stat().st_size} bytes")
