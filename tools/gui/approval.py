"""What a person must approve before it is done, decided by fixed rules over facts of the page.

The rules look at what a control is called, what its form asks for and says, and what an action is.
They ask rather too often where the words are clear, and not at all where a page hides what a
control does: they are a belt, the domain limits are the braces. The words are in ``words.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tools.gui.actions import Action, Drag, DragBy, PointAt, Press, Type, Upload
from tools.gui.words import DISMISS, FEW, FINAL, NO, RULES, SENDS, YES

QUESTION = 200
"""Characters of a dialog that asks one question rather than tells a story."""
ENTER = ("enter", "return", "numpadenter", "\r", "\n")
BINS = ("trash", "recycle bin", "回收站", "废纸篓")

CHOICES = ("checkbox", "radio", "switch", "slider", "textbox", "searchbox", "combobox",
           "spinbutton", "text")  # fmt: skip
"""Roles of what is chosen, filled in or read: nothing is sent by that alone."""
TITLES = ("tab", "option", "heading")
"""Roles of what is mostly chosen or read, too, and that menus of commands are made of: they count
where they say a command."""

Matter: TypeAlias = Literal["purchase", "submission", "delete", "upload", "credentials"]


@dataclass(frozen=True)
class Request:
    """What a person is asked. Texts of the page stand in JSON quotes; no secret is in it."""

    matter: Matter
    reason: str
    what: str
    """The action and its target: ``click button "Buy now" e3``."""
    url: str
    """Of the page it is done on."""
    sent: str = field(default="", compare=False)
    """What the action sent before the question came up: a yes sends it once more."""

    def words(self) -> str:
        again = f"; it has sent {self.sent} already, and a yes sends that once more"
        return f"{self.matter}: {self.reason}{again if self.sent else ''}"

    def question(self) -> str:
        return f"May it {self.what} on {self.url}? ({self.words()})"


Approve: TypeAlias = Callable[[Request], bool]


class Unapproved(Exception):
    """An action that waits for a person. Nothing was done."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.words())
        self.request = request


def needed(
    action: Action, label: str, facts: dict[str, Any] | None, to: str, url: str, secret: bool
) -> Request | None:
    """What to ask before ``action`` on the element ``label``, or None. ``facts`` are those of
    ``facts.js``; ``to`` is where a drag ends; ``secret``: whether a secret is to be typed."""
    found = _matter(action, facts or {}, to, secret)
    if found is None:
        return None
    doing = f"press {action.keys}" if isinstance(action, Press) else action.name
    return Request(*found, f"{doing} {label}".strip(), url)


def sends(action: Action, facts: dict[str, Any]) -> bool:
    """Whether ``action`` on what the ``facts`` tell of gives away what was filled in."""
    match action:
        case PointAt(name="click" | "double"):
            label = str(facts.get("label", "")).partition(" | ")[0].strip()
            if facts.get("role") in (*CHOICES, *TITLES) or facts.get("leads"):
                return False
            if label.casefold() in NO | DISMISS:
                return False
            return bool(facts.get("submits") or SENDS.on(label))
        case Press():
            enters = action.keys.rpartition("+")[2].casefold() in ENTER
            return enters and bool(facts.get("field") and facts.get("sends"))
    return False


def unseen(action: Press, label: str, url: str) -> Request | None:
    """What to ask before a key goes to a frame that does not answer: it may press anything."""
    key = action.keys.rpartition("+")[2].casefold()
    if key not in (*ENTER, "space", " ", "delete"):
        return None
    reason = "what has the focus is in a frame that does not answer, so that nobody knows it"
    return Request("submission", reason, f"press {action.keys} {label}".strip(), url)


def asked_by_page(message: str, url: str) -> Request | None:
    """What to ask before a question of the page (a confirm dialog) is answered with yes."""
    for matter, (words, because) in RULES.items():
        if word := words.find(message):
            return Request(matter, f"{_says(word)}; {because}", f"answer yes to {_q(message)}", url)
    if word := FINAL.find(message):
        return Request("submission", _says(word), f"answer yes to {_q(message)}", url)
    return None


def _matter(
    action: Action, facts: dict[str, Any], to: str, secret: bool
) -> tuple[Matter, str] | None:
    match action:
        case Upload():
            return "upload", "a file of the run leaves this machine"
        case Type() if secret or (facts.get("secret") and action.text):
            return "credentials", "a secret is given to the page"
        case Press():
            return _press(action.keys, facts)
        case PointAt(name="click" | "double" | "download"):
            return _control(facts)
        case Drag() | DragBy():
            words, because = RULES["delete"]
            bin = next((w for w in BINS if w in to.casefold()), "") or words.on(to)
            return ("delete", f"it is dragged to {_q(to)}; {because}") if bin else None
    return None


def _press(keys: str, facts: dict[str, Any]) -> tuple[Matter, str] | None:
    key = keys.rpartition("+")[2].casefold()
    if key in ENTER:
        if facts.get("field"):  # Enter in a field presses the form's button
            sends = facts["sends"]
            return _control({**facts, "role": "button", "label": sends, "submits": bool(sends)})
        return _control(facts)
    if key in ("space", " ") and not facts.get("field"):
        return _control(facts)
    if key == "delete" and not facts.get("field"):
        return "delete", RULES["delete"][1]
    return None


def _control(facts: dict[str, Any]) -> tuple[Matter, str] | None:
    """What using a button, a link or whatever listens to the pointer may do."""
    if facts.get("role") in CHOICES:
        return None
    labels = [part.strip() for part in str(facts.get("label", "")).split(" | ")]
    titled = facts.get("role") in TITLES
    if facts.get("leads") or titled:  # what says more than a command leads to a text about it
        labels = [label if _commands(label) else "" for label in labels]
    around = "" if titled else str(facts.get("around", ""))
    agrees = facts.get("dialog") and labels[0].casefold() in YES and len(around) <= QUESTION
    for matter, (words, because) in RULES.items():
        for said in (*labels, around) if agrees else labels:
            if word := words.find(around) if said is around else words.on(said):
                return matter, f"{_says(word)}; {because}"
    sends = not titled and (facts.get("submits") or facts.get("dialog"))
    if labels[0].casefold() in NO | DISMISS or not sends:
        return None
    if facts.get("submits") and facts.get("paid"):
        return "purchase", f"its form asks for a card or an account; {RULES['purchase'][1]}"
    if word := FINAL.find(around):
        return "submission", _says(word)
    return None


def _commands(label: str) -> bool:
    """Whether a link says a command, as in "Yes, delete my account", rather than what it leads to,
    as in "How to delete an account"."""
    said = label.split()
    if 3 < len(said) <= FEW:
        start, agrees = " ".join(said[:2]), said[0].strip(",.!").casefold() in YES
        return agrees or any(words.find(start) for words, _ in RULES.values())
    return len(said) <= 3


def _says(word: str) -> str:
    return f"it says {_q(word)}"


def _q(text: str) -> str:
    return json.dumps(text[:120], ensure_ascii=False)
