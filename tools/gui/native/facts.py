"""What holds on a screen, and what a person would want to know of a control: from its snapshot."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tools.gui.actions import Expect, Fact
from tools.gui.asked import Asked
from tools.gui.judge import plain
from tools.gui.native.port import short
from tools.gui.observation import WRITABLE, Element, Snapshot
from tools.gui.targets import REFERENCE
from tools.gui.words import RULES

DIALOGS = ("dialog", "alertdialog")
AROUND = 1500
"""Characters of what stands around a control."""
REMEMBERED = 40
"""Actions whose screen of before is kept."""


@dataclass
class Claims:
    """What was done, as far as a later claim must agree with it."""

    found: dict[str, str] = field(default_factory=dict)
    """Text of the windows that were opened, by address, before the first action on them."""
    before: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Text of the screen before each action that could have an effect."""
    kept: set[str] = field(default_factory=set)
    """References of the fields that took what was put into them."""
    told: set[str] = field(default_factory=set)
    """References that were there before an action."""
    asked: Asked = field(default_factory=Asked)
    opened: bool = True
    """Whether nothing was done yet on the window in front, which no action led to."""

    def act(self, snapshot: Snapshot) -> None:
        """An action that can have an effect begins on this screen."""
        if self.opened:
            self.found.setdefault(snapshot.url, text_of(snapshot))
        self.opened = False
        self.before.append(text_of(snapshot))
        self.told |= {e.ref for e in snapshot.elements}

    def became(self, fact: Fact, ref: str) -> bool:
        """Whether something in the fact, which holds, was not so on the windows as they were
        opened. What was opened just now shows nothing that was done."""
        if self.opened:
            return False
        if fact.value is not None and ref in self.kept:
            return True
        if fact.text is not None and not any(_within(fact.text, t) for t in self.found.values()):
            return True
        if fact.url is not None and not any(fact.url in url for url in self.found):
            return True
        if fact.gone is None:
            return False
        if REFERENCE.fullmatch(fact.gone):
            return fact.gone in self.told
        return any(_within(fact.gone, text) for text in self.before)


def holds(expect: Expect | None, snapshot: Snapshot, ref: str, exact: bool) -> dict[str, bool]:
    """Each expectation in words, and whether it holds now. ``ref``: the action's target, or "".
    What is read from pixels (not ``exact``) is compared without its spaces, which are guessed."""
    if expect is None:
        return {}
    said: dict[str, bool] = {}
    seen = text_of(snapshot)
    if expect.text is not None:
        said[f'text "{expect.text}"'] = _within(expect.text, seen, exact)
    if expect.url is not None:
        said[f'url with "{expect.url}"'] = expect.url in snapshot.url
    if expect.value is not None:
        found = snapshot.find(ref)
        value = found.value if found else None
        said[f'value "{expect.value}"'] = value is not None and same(
            value, short(expect.value), exact
        )
    if expect.gone is not None:
        there = _within(expect.gone, seen, exact)
        if REFERENCE.fullmatch(expect.gone):
            there = snapshot.find(expect.gone) is not None
        said[f'gone "{expect.gone}"'] = not there
    return said


CARETS = "l|i1"


def same(held: str, wanted: str, exact: bool) -> bool:
    """Whether a field holds it. From pixels, spaces and case are not certain, and a blinking caret
    at the end is read as a thin letter."""
    if exact:
        return held == wanted
    read, said = _joined(held), _joined(wanted)
    return read == said or (bool(said) and read[:-1] == said and read[-1] in CARETS)


def text_of(snapshot: Snapshot) -> str:
    parts = (part for e in snapshot.elements for part in (e.name, e.value or ""))
    return plain(" ".join(parts))


def about(element: Element | None, snapshot: Snapshot, exact: bool) -> dict[str, Any]:
    """The facts of a control that decide whether a person is asked (``approval.needed``); of what
    has the focus when there is none. From pixels (not ``exact``) kinds are guesses: anything but a
    checkbox may be a button that does what its words say."""
    if element is None:
        focus = [e for e in snapshot.elements if "focused" in e.state]
        element = focus[-1] if focus else None
    around = " ".join(e.name for e in snapshot.elements if not e.acts)[:AROUND]
    dialog = any(e.role in DIALOGS for e in snapshot.elements)
    if element is None:
        return {"field": True, "sends": _pressed(snapshot), "dialog": dialog, "around": around}
    field = element.role in WRITABLE
    guessed = not exact and element.role != "checkbox"
    return {
        "label": f"{element.name} | {element.value or ''}" if guessed else element.name,
        "role": "clickable" if guessed else element.role,
        "field": field,
        "sends": _pressed(snapshot) if field else "",
        "secret": "secret" in element.state,
        "dialog": dialog,
        "around": around,
    }


def _pressed(snapshot: Snapshot) -> str:
    """The label of the button that Enter may press: the default one; where none is known, one that
    a person would be asked about."""
    buttons = [e for e in snapshot.elements if e.role == "button"]
    default = [e.name for e in buttons if "default" in e.state]
    wary = [e.name for e in buttons if any(words.on(e.name) for words, _ in RULES.values())]
    return next(iter(default or wary), "")


def _within(part: str, seen: str, exact: bool = False) -> bool:
    return plain(part) in seen if exact else _joined(part) in _joined(seen)


def _joined(text: str) -> str:
    return "".join(text.split()).casefold()
