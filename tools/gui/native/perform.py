"""Carrying out one action on a screen, as a person would, by pointer and keys."""

from __future__ import annotations

import json
from typing import assert_never

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
from tools.gui.failures import Failure
from tools.gui.judge import Done
from tools.gui.native import fields
from tools.gui.native.aim import Aim
from tools.gui.native.evidence import finish
from tools.gui.native.hand import Hand
from tools.gui.native.port import Window
from tools.gui.reading import extracted, waited

CLOSES = 1.5
"""Seconds within which a window closes."""


def perform(action: Action, hand: Hand) -> Done:
    """Raises ``Failure`` where nothing was done."""
    port = hand.port
    match action:
        case Goto():
            hand.begin()
            return Done(f"goto {action.url}", own=True, proof=port.open(action.url))
        case Back():
            hand.begin()
            port.back()
            return Done("back", must_change=True)
        case Upload() | PointAt(name="download"):
            raise Failure(
                "wrong_kind",
                "files are handed over on web pages only; use the application's own dialog. "
                "Nothing was done.",
            )
        case PointAt():
            return _point(hand, action.name)
        case Type():
            return fields.write(hand, action.text, "type")
        case Clear():
            return fields.write(hand, "", "clear")
        case Press():
            return _press(hand, action.keys)
        case Select():
            return fields.select(hand, action.options)
        case Check():
            return fields.check(hand, action.on)
        case Drag() | DragBy():
            start, end = hand.aim(hand.target), hand.aim(hand.to)
            hand.begin()
            port.drag((start.x, start.y), (end.x, end.y), STEPS)
            return Done(f"drag {start} to {end}", start.element.ref, must_change=True)
        case Scroll():
            x, y, ref = hand.now.width / 2, hand.now.height / 2, ""
            if hand.target is not None:
                spot = hand.aim(hand.target)
                x, y, ref = spot.x, spot.y, spot.element.ref
            hand.begin()
            port.scroll(x, y, action.direction, action.screens)
            return Done(f"scroll {action.direction}", ref, must_change=True)
        case WaitFor():
            hand.begin()
            return waited(action, hand.within(action.until, "", action.seconds), "screen")
        case Extract():
            return _extract(hand, action.start)
        case Tabs():
            return _windows(hand, action)
        case Finish():
            return finish(action, hand)
        case AskPerson():
            raise Failure("failed", "a person is not asked through the screen")
    assert_never(action)


def _point(hand: Hand, how: str) -> Done:
    spot = hand.aim(hand.target)
    hand.begin()
    hand.port.point(how, spot.x, spot.y)
    changes = how in ("click", "double")
    return Done(f"{how} {spot}", spot.element.ref, must_change=changes)


def _press(hand: Hand, keys: str) -> Done:
    ref = ""
    if hand.target is not None:
        element = hand.target.element if isinstance(hand.target, Aim) else hand.target
        ref = element.ref
        hand.begin()
        hand.port.focus(element)
    else:
        hand.begin()
    return Done(f"press {hand.port.press(keys)}", ref)


def _extract(hand: Hand, start: int) -> Done:
    hand.begin()
    target = hand.target.element if isinstance(hand.target, Aim) else hand.target
    read = [target] if target else hand.now.elements
    text = "\n".join(" ".join(filter(None, (e.name, e.value))) for e in read)
    return extracted(target.label() if target else "the screen", text, start)


def _windows(hand: Hand, action: Tabs) -> Done:
    """List the windows, bring one to the front, or close one."""
    port = hand.port
    known = port.windows()
    hand.begin()
    if action.do == "list":
        return Done("tabs", own=True, proof=f"{len(known)} open", text=rows(known))
    named = [w for w in known if w.id == action.tab]
    named = named or (known[-1:] if action.do == "close" and action.tab is None else [])
    if not named:
        listed = ", ".join(w.id for w in known) or "none"
        raise Failure("not_found", f"there is no window {action.tab}; open are: {listed}")
    window = named[0]
    if action.do == "switch":
        port.switch(window)
        front = port.windows()
        own = bool(front) and front[-1].id == window.id
        return Done(f"switch to {window.id}", own=own, proof="it is in front" if own else "not so")
    port.shut(window)
    hand.until(lambda _: window.id not in {w.id for w in port.windows()}, CLOSES)
    own = window.id not in {w.id for w in port.windows()}
    return Done(f"close {window.id}", own=own, proof="it is closed" if own else "it stays open")


def rows(windows: list[Window]) -> str:
    """A line a window, the one in front last."""
    return "\n".join(
        f"{w.id} {json.dumps(w.title[:80], ensure_ascii=False)} {w.app}"
        + (" (in front)" if w is windows[-1] else "")
        for w in windows
    )
