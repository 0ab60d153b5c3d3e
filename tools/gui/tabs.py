"""The tabs of the browser: listed, brought to the front, closed. Popups are tabs as any other."""

from __future__ import annotations

import json
from contextlib import suppress

from playwright.async_api import Error

from tools.gui.actions import Tabs
from tools.gui.failures import Failure
from tools.gui.hand import Hand
from tools.gui.judge import Done
from tools.gui.session import Session
from tools.gui.view import View


async def tabs(hand: Hand, action: Tabs) -> Done:
    """Raises ``Failure`` not_found for a tab that is not open, wrong_kind for closing the last."""
    session = hand.session
    known = session.tabs()
    if action.do == "list":
        await hand.begin()
        return Done("tabs", own=True, proof=f"{len(known)} open", text=await _rows(session))
    view = hand.view if action.tab is None and action.do == "close" else _find(known, action.tab)
    if action.do == "close":
        if len(known) == 1:
            raise Failure("wrong_kind", f"{view.tab} is the only tab; use goto or back instead.")
        await hand.begin()
        await view.page.close()
        return Done(f"close {view.tab}", own=view.page.is_closed(), proof="it is closed")
    await hand.begin()
    session.front(view)
    with suppress(Error):  # a tab that hangs is in front for us all the same
        await view.page.bring_to_front()
    return Done(f"switch to {view.tab}", own=True, proof="it is in front")


def where(session: Session) -> str:
    """What is told of the tabs beside every page, "" while there is one."""
    known = session.tabs()
    if len(known) < 2 or (front := session.in_front()) is None:
        return ""
    return f"tabs {' '.join(view.tab for view in known)}; {front.tab} is in front"


def _find(known: list[View], tab: str | None) -> View:
    for view in known:
        if view.tab == tab:
            return view
    listed = ", ".join(view.tab for view in known)
    raise Failure("not_found", f"there is no tab {tab or 'without a name'}; open are: {listed}")


async def _rows(session: Session) -> str:
    front, rows = session.in_front(), []
    for view in session.tabs():
        title = ""
        with suppress(Error):
            title = session.secrets.mask(await view.page.title())
        url = session.secrets.mask(view.page.url)
        here = " (in front)" if view is front else ""
        rows.append(f"{view.tab} {json.dumps(title[:80], ensure_ascii=False)} {url[:80]}{here}")
    return "\n".join(rows)
