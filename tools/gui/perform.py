"""Carrying out one action on a tab, as a person would."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Literal, assert_never

from playwright.async_api import ElementHandle, Error

from tools.gui import failures, fields
from tools.gui.actions import (
    STEPS,
    Action,
    AskPerson,
    Back,
    Check,
    Clear,
    Drag,
    DragBy,
    Extract,
    Finish,
    Goto,
    PointAt,
    Press,
    Scroll,
    Select,
    Tabs,
    Type,
    Upload,
    WaitFor,
)
from tools.gui.downloads import download
from tools.gui.evidence import finish
from tools.gui.failures import Failure
from tools.gui.hand import Hand
from tools.gui.judge import Done
from tools.gui.observation import Told
from tools.gui.preflight import Aim, guarded
from tools.gui.reading import extracted, waited
from tools.gui.safety import with_scheme
from tools.gui.tabs import tabs
from tools.gui.verdict import within

LOADING = 15.0
"""Seconds that a page may take to load."""
STARTED = "Download is starting"
NOTICE = "chrome-error://chromewebdata/"
ALIVE = 1.0
"""Seconds within which a tab shows that it does not hang, or lets go of what was dragged."""
HOVERS = 0.35
"""Seconds: menus open a moment after the pointer has come, so that crossing them opens none."""
KEYS = {"ctrl": "Control", "control": "Control", "alt": "Alt", "shift": "Shift", "cmd": "Meta",
        "meta": "Meta", "enter": "Enter", "return": "Enter", "esc": "Escape", "escape": "Escape",
        "tab": "Tab", "space": "Space", "backspace": "Backspace", "delete": "Delete",
        "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight",
        "home": "Home", "end": "End", "pageup": "PageUp", "pagedown": "PageDown"}  # fmt: skip


async def perform(action: Action, hand: Hand, told: Told) -> Done:
    """Raises ``Failure`` where nothing was done, or playwright's ``Error``."""
    match action:
        case Goto():
            return await _goto(hand, action.url)
        case Back():
            return await _back(hand)
        case PointAt(name="download"):
            return await download(hand)
        case PointAt():
            return await _point(hand, action.name)
        case Type():
            return await fields.write(hand, action.text, "type")
        case Clear():
            return await fields.write(hand, "", "clear")
        case Press():
            return await _press(hand, action.keys)
        case Select():
            return await fields.select(hand, action.options)
        case Check():
            return await fields.check(hand, action.on)
        case Drag() | DragBy():
            return await _drag(hand)
        case Scroll():
            return await _scroll(hand, action)
        case Upload():
            return await fields.upload(hand)
        case WaitFor():
            return await _wait(hand, action)
        case Extract():
            return await _extract(hand, action.start)
        case Tabs():
            return await tabs(hand, action)
        case Finish():
            return await finish(action, hand, told)
        case AskPerson():
            raise failures.Failure("failed", "a person is not asked through the page")
    assert_never(action)


async def _goto(hand: Hand, url: str) -> Done:
    url = with_scheme(url)
    if objection := hand.session.limits.objection(url):
        raise failures.refused(url, objection)
    view = hand.view
    try:
        await asyncio.wait_for(view.page.evaluate("1"), ALIVE)
    except TimeoutError:  # a tab that hangs cannot be navigated
        hung, view = view, await hand.session.new_tab()
        closing = asyncio.ensure_future(hung.page.close())
        closing.add_done_callback(lambda task: task.cancelled() or task.exception())
    except Error:  # it is on its way to another page already
        pass
    await hand.begin()
    try:
        response = await view.page.goto(url, wait_until="domcontentloaded", timeout=LOADING * 1000)
    except Error as error:
        if "has been closed" in error.message:
            raise
        log = hand.session.watch.log if hand.session.watch else None
        if log and (log.stopped or log.dismissed or log.downloads or STARTED in error.message):
            return Done(f"goto {url}")
        why = re.search(r"net::\w+", error.message)
        reason = why[0] if why else error.message.splitlines()[0]
        if why:  # the browser's notice would come in the way of the next goto
            with suppress(Error):
                await view.page.wait_for_url(NOTICE, wait_until="commit", timeout=1000)
        raise failures.navigation(url, reason) from None
    status = f"answered {response.status}" if response else "loaded"
    return Done(f"goto {url}", own=True, proof=status)


async def _back(hand: Hand) -> Done:
    page = hand.view.page
    if await page.evaluate("history.length") < 2:
        if len(hand.session.tabs()) < 2:
            raise failures.navigation("the page before", "there is none")
        await hand.begin()
        await page.close()
        return Done("close this tab", own=True, proof="the tab before is in front")
    await hand.begin()
    url = page.url
    await page.go_back(wait_until="domcontentloaded", timeout=LOADING * 1000)
    return Done("back", own=page.url != url or None, proof="loaded", must_change=True)


async def _point(hand: Hand, how: str) -> Done:
    spot = await hand.aim(hand.target, using=how != "hover")
    mouse = hand.view.page.mouse
    await mouse.move(spot.x, spot.y)
    await hand.begin()
    what = f"{how} {spot}"
    if how == "hover":
        await mouse.move(spot.x + 0.5, spot.y)
        await asyncio.sleep(HOVERS)
        return Done(what, spot.element.ref)
    async with guarded(spot, hand.view):
        button: Literal["left", "right"] = "right" if how == "right" else "left"
        count = 2 if how == "double" else 1
        await mouse.click(spot.x, spot.y, button=button, click_count=count)
    drawn = isinstance(hand.target, Aim) or spot.element.role in ("canvas", "img")
    return Done(what, spot.element.ref, must_change=how != "right", by_picture=drawn)


async def _press(hand: Hand, keys: str) -> Done:
    combined = "+".join(KEYS.get(key.lower(), key) for key in re.split(r"(?<=.)\+", keys))
    ref = ""
    if hand.target is not None:
        spot = await hand.aim(hand.target)
        handle, ref = await hand.handle(spot.element), spot.element.ref
        await handle.focus()
        await _keeps(handle, spot)
        await hand.begin()
        await _keeps(handle, spot)
    else:
        await hand.begin()
    try:
        await hand.view.page.keyboard.press(combined)
    except Error as error:
        if "Unknown key" in error.message:
            raise Failure(
                "wrong_kind", f"there is no key {keys!r}; such as Enter, Control+A"
            ) from None
        raise
    return Done(f"press {combined}", ref, must_change=False)


async def _keeps(handle: ElementHandle, spot: Aim) -> None:
    """Raise ``Failure`` no_effect where the page gave the focus to something else, which the keys
    would reach."""
    if await handle.evaluate(_LOST):
        raise Failure("no_effect", f"{spot} does not keep the focus, so nothing was pressed.")


async def _drag(hand: Hand) -> Done:
    start, end = await hand.aim(hand.target), await hand.aim(hand.to)
    start = await hand.aim(hand.target)  # the second aim may have scrolled
    mouse = hand.view.page.mouse
    await mouse.move(start.x, start.y)
    await hand.begin()
    async with guarded(start, hand.view):
        try:
            await mouse.down()
            for i in range(1, STEPS + 1):
                share = i / STEPS
                await mouse.move(
                    start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)
                )
        except BaseException:  # the page is too slow; what comes next shall not be dragged, too
            with suppress(Error, TimeoutError):
                await asyncio.wait_for(mouse.up(), ALIVE)
            raise
        await mouse.up()
    return Done(f"drag {start} to {end}", start.element.ref, must_change=True, by_picture=True)


async def _scroll(hand: Hand, action: Scroll) -> Done:
    page, ref = hand.view.page, ""
    width, height = await page.evaluate("[innerWidth, innerHeight]")
    sign = 1 if action.direction in ("down", "right") else -1
    across = action.direction in ("left", "right")
    dx, dy = (
        (sign * action.screens * width, 0.0) if across else (0.0, sign * action.screens * height)
    )
    x, y = width / 2, height / 2
    if hand.target is not None:
        spot = await hand.aim(hand.target, using=False)
        x, y, ref = spot.x, spot.y, spot.element.ref
    await hand.begin()
    moved = False
    if hand.target is None:
        moved = await page.evaluate(_SCROLL, [dx, dy])
    if not moved:
        await page.mouse.move(x, y)
        await page.mouse.wheel(dx, dy)
        await asyncio.sleep(0.15)
    what = f"scroll {action.direction}"
    return Done(what, ref, must_change=True)


async def _wait(hand: Hand, action: WaitFor) -> Done:
    await hand.begin()
    said = await within(action.until, hand.view, "", action.seconds)
    return waited(action, said, "page")


async def _extract(hand: Hand, start: int) -> Done:
    await hand.begin()
    element, proof = hand.element, "read"
    if element is None:
        text = "\n".join(await hand.view.each("text", 0))
    elif element.options:
        text, proof = "\n".join(element.options), (await hand.field(element)).words()
    else:
        home = hand.view.home(element.ref)
        text = await home.ask("text", int(element.ref[1:])) if home else ""
        text = text.strip() or (await hand.field(element)).value
    return extracted(element.label() if element else "the page", text, start, proof)


_LOST = """el => {
  const now = el.getRootNode().activeElement;
  return !!now && now !== document.body && !el.contains(now);
}"""
_SCROLL = """([dx, dy]) => {
  const before = [scrollX, scrollY];
  scrollBy({ left: dx, top: dy, behavior: "instant" });
  return before[0] !== scrollX || before[1] !== scrollY;
}"""
