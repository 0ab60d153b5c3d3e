"""Screenshots of a tab."""

from __future__ import annotations

from playwright.async_api import Error

from tools.gui.observation import Snapshot
from tools.gui.screen import Screen
from tools.gui.view import View
from tools.gui.wish import Seen


async def shot(screen: Screen, view: View, snapshot: Snapshot, marks: bool = False) -> Seen:
    """A picture of the page that ``snapshot`` tells of, remembered in ``screen``."""
    try:
        data = await png(view)
        # What shows a secret may have come or moved since.
        veiled = (*snapshot.veiled, *(await view.snapshot()).veiled) if view.secrets else ()
    except Error:
        return ["no screenshot could be taken"]
    return [screen.show(data, veiled, snapshot, marks)]


async def png(view: View) -> bytes:
    return await view.page.screenshot(scale="css", timeout=5000)
