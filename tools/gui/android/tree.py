"""A screen as uiautomator describes it, in the words of web pages.

uiautomator gives no identities. A reference therefore stands for what a person would know an
element by: its kind, its id, what it says (fields may change what they hold), and in a list the
words of its row, so that the button of a row never becomes that of another when the list scrolls.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tools.gui.failures import Failure
from tools.gui.native.labels import named
from tools.gui.native.port import Names, element, squeezed
from tools.gui.observation import Corners, Element
from tools.gui.secrets import Secrets

ROLES = {
    "EditText": "textbox", "AutoCompleteTextView": "textbox", "Button": "button",
    "ImageButton": "button", "CheckBox": "checkbox", "RadioButton": "radio", "Switch": "switch",
    "SwitchCompat": "switch", "ToggleButton": "switch", "Spinner": "combobox", "SeekBar": "slider",
    "ProgressBar": "progressbar", "TextView": "text", "CheckedTextView": "option",
    "ImageView": "img",
}  # fmt: skip
FLAGS = ("checked", "focused", "selected")
LISTS = ("ListView", "GridView", "RecyclerView", "Spinner")
FIELDS = ("textbox", "combobox")
TITLE = "id/alertTitle"
"""How the id of a dialog's title ends."""


@dataclass(frozen=True)
class Screen:
    elements: tuple[Element, ...]
    app: str
    """The package in front."""
    title: str
    turned: bool
    """Whether the device lies on its side."""


class Tree:
    """Reads screens, one after the other."""

    def __init__(self, secrets: Secrets, names: Names) -> None:
        self._secrets, self._names = secrets, names

    def read(self, xml: str) -> Screen:
        """Raises ``Failure`` failed for what is no description of a screen."""
        try:
            told = Xml.fromstring(xml)
        except Xml.ParseError as error:
            raise Failure("failed", f"the screen's description is broken ({error}).") from None
        roots = list(told)
        if not roots:
            raise Failure("timeout", "the screen is empty; it may be off. Press Power, or wait.")
        root = roots[-1]  # a dialog comes after what it covers
        found: list[Element] = []
        counts: Counter[tuple[object, ...]] = Counter()
        title = ""
        for node, row in _rows(root, ""):
            if node.get("resource-id", "").endswith(TITLE):
                title = node.get("text", "")
            shown = self._element(node, row, counts)
            if shown is not None:
                found.append(shown)
        if title:
            key = ("dialog", root.get("package"), title)
            found.insert(0, element(self._secrets, self._names.ref(key), "dialog", title, None, (),
                                    _corners(root)))  # fmt: skip
        app, turned = root.get("package", ""), told.get("rotation") in ("1", "3")
        return Screen(tuple(named(found)), app, self._secrets.mask(title), turned)

    def _element(
        self, node: Xml.Element, row: str, counts: Counter[tuple[object, ...]]
    ) -> Element | None:
        """None for what only holds others or says nothing."""
        role = _role(node)
        said, box = squeezed(_own(node)), _corners(node)
        if not role or box is None:
            return None
        value: str | None = None
        if role == "textbox":
            hint = node.get("hint", "")
            text = node.get("text", "")
            said, value = node.get("content-desc") or hint, "" if text == hint else text
        elif role == "combobox":
            said, value = node.get("content-desc", ""), squeezed(" ".join(_texts(node)))
        elif not said and _is(node, "clickable"):
            said = squeezed(" ".join(_texts(node)))
        if not said and role in ("text", "img", "option", "progressbar"):
            return None
        secret = _is(node, "password")
        state = tuple(flag for flag in FLAGS if _is(node, flag))
        state += ("secret",) if secret else ()
        state += () if node.get("enabled", "true") == "true" else ("disabled",)
        kept = "" if role in FIELDS else said
        key = (node.get("package"), role, node.get("resource-id"), kept, row)
        counts[key] += 1
        ref = self._names.ref((*key, counts[key]))
        return element(self._secrets, ref, role, said, None if secret else value, state, box)


def _rows(node: Xml.Element, row: str) -> Iterator[tuple[Xml.Element, str]]:
    """Every element that is told of, with the words of the list's row that it is in. What stands
    inside of something to be clicked belongs to it."""
    yield node, row
    whole = _role(node) in ("button", "combobox", "option") and not any(map(_acts, _below(node)))
    if whole:
        return
    for child in node:
        inner = " ".join(_texts(child, own=True)) if _is_list(node) else row
        yield from _rows(child, inner)


def _role(node: Xml.Element) -> str:
    """ "" for what only holds others."""
    kind = node.get("class", "").rpartition(".")[2].removeprefix("Material")
    kind = kind.removeprefix("AppCompat")
    role = ROLES.get(kind, "")
    if role in ("", "text", "img") and _is(node, "checkable"):
        return "checkbox"
    if role in ("", "img", "text") and _is(node, "clickable"):
        return "button"
    if role == "" and _own(node):
        return "text"
    return role


def _acts(node: Xml.Element) -> bool:
    return _is(node, "clickable") or _is(node, "checkable") or _role(node) == "textbox"


def _is_list(node: Xml.Element) -> bool:
    kind = node.get("class", "").rpartition(".")[2]
    return kind in LISTS or (_is(node, "scrollable") and len(node) > 1)


def _own(node: Xml.Element) -> str:
    return node.get("text") or node.get("content-desc") or ""


def _texts(node: Xml.Element, own: bool = False) -> list[str]:
    """What is said inside, apart from what fields hold."""
    nodes = (node, *_below(node)) if own else _below(node)
    return [text for n in nodes if _role(n) != "textbox" and (text := _own(n))]


def _below(node: Xml.Element) -> Iterator[Xml.Element]:
    return (inner for inner in node.iter("node") if inner is not node)


def _is(node: Xml.Element, flag: str) -> bool:
    return node.get(flag) == "true"


def _corners(node: Xml.Element) -> Corners | None:
    found = re.fullmatch(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]", node.get("bounds", ""))
    if found is None:
        return None
    x0, y0, x1, y1 = (float(v) for v in found.groups())
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
