"""A window as its application describes it through AT-SPI, in the words of web pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.gui.desktop.bus import PROPERTIES, ROOT, SPI, Bus, Call, Node, about, name_of
from tools.gui.native.labels import in_reading_order, named
from tools.gui.native.port import Names, element
from tools.gui.observation import Corners, Element
from tools.gui.secrets import Secrets

MOST = 1500
"""Accessibles of a window that are read; CHILDREN of one of them (long tables have thousands)."""
CHILDREN = 250
TEXT = 2000
"""Characters of a field that are read."""
OPTIONS = 40
ON_SCREEN = 0
"""AT-SPI's word for places in pixels of the screen."""
FAR = -10_000
"""Places beyond are those of things that are not drawn."""

ACTIVE, CHECKED, EDITABLE, EXPANDED, FOCUSED = 1, 4, 7, 10, 12
PRESSED, SELECTED, SENSITIVE, SHOWING, DEFAULT = 20, 23, 24, 25, 39
STATES = {CHECKED: "checked", EXPANDED: "expanded", FOCUSED: "focused", PRESSED: "pressed",
          SELECTED: "selected", DEFAULT: "default"}  # fmt: skip
WINDOWS = ("frame", "window", "dialog", "alert", "file chooser", "color chooser", "font chooser")
ROLES = {
    "push button": "button", "button": "button", "toggle button": "button", "link": "link",
    "check box": "checkbox", "radio button": "radio", "switch": "switch", "text": "textbox",
    "entry": "textbox", "password text": "textbox", "spin button": "spinbutton",
    "combo box": "combobox", "slider": "slider", "progress bar": "progressbar",
    "menu": "menuitem", "menu item": "menuitem", "check menu item": "menuitemcheckbox",
    "radio menu item": "menuitemradio", "page tab": "tab", "table cell": "option",
    "list item": "option", "tree item": "treeitem", "table column header": "columnheader",
    "label": "text", "static": "text", "paragraph": "text", "heading": "heading",
    "status bar": "status", "info bar": "alert", "notification": "alert", "dialog": "dialog",
    "alert": "alertdialog", "file chooser": "dialog", "calendar": "calendar", "image": "img",
    "icon": "img", "canvas": "canvas", "drawing area": "canvas",
}  # fmt: skip
TEXTS = ("textbox", "spinbutton")


@dataclass
class Seen:
    """What was told of one accessible."""

    node: Node
    name: str
    role: str
    states: frozenset[int]
    interfaces: frozenset[str]
    corners: Corners | None
    children: list[Node]
    inside: list[Seen] = field(default_factory=list)
    text: str | None = None
    number: float | None = None
    toggles: bool = False


@dataclass(frozen=True)
class Frame:
    """A top-level window; ``pid`` is that of its process."""

    node: Node
    title: str
    pid: int
    active: bool
    corner: tuple[float, float]


class Tree:
    """Reads windows. An element keeps its reference as long as its accessible lives."""

    def __init__(self, bus: Bus, secrets: Secrets, names: Names) -> None:
        self._bus, self._secrets, self._names = bus, secrets, names
        self._pids: dict[str, int] = {}

    def frames(self) -> list[Frame]:
        """The windows of all applications that are to be seen."""
        apps = [Node(*pair) for pair in self._bus.ask([about(ROOT, "GetChildren")])[0] or ()]
        held = self._bus.ask([about(app, "GetChildren") for app in apps])
        nodes = [Node(*pair) for pairs in held for pair in pairs or ()]
        return [
            Frame(
                seen.node,
                seen.name,
                self._pid(seen.node),
                ACTIVE in seen.states,
                (seen.corners or (0.0, 0.0))[:2],
            )
            for seen in self._look(nodes)
            if seen.role in WINDOWS and SHOWING in seen.states
        ]

    def read(self, frame: Frame) -> list[Element]:
        """What is shown of a window, in the order in which people read."""
        roots = self._look([frame.node])
        level, left = roots, MOST
        while level and left > 0:
            wanted = [
                (parent, child)
                for parent in level
                if SHOWING in parent.states or _closed_list(parent)
                for child in parent.children[:CHILDREN]
            ][:left]
            left -= len(wanted)
            level = self._look([child for _, child in wanted])
            by_node = {seen.node: seen for seen in level}
            for parent, child in wanted:
                if child in by_node:
                    parent.inside.append(by_node[child])
        every = [seen for root in roots for seen in _walk(root)]
        self._detail(every)
        shown = [e for seen in every if (e := self._element(seen)) is not None]
        return named(in_reading_order(shown))

    def node(self, e: Element) -> Node | None:
        key = self._names.keys.get(e.ref)
        return key if isinstance(key, Node) else None

    def _pid(self, node: Node) -> int:
        if node.bus not in self._pids:
            self._pids[node.bus] = self._bus.pid(node)
        return self._pids[node.bus]

    def _look(self, nodes: Sequence[Node]) -> list[Seen]:
        """Those of ``nodes`` that still answer."""
        calls: list[Call] = []
        for node in nodes:
            calls += (
                name_of(node),
                about(node, "GetRoleName"),
                about(node, "GetState"),
                about(node, "GetInterfaces"),
                Call(node, f"{SPI}Component", "GetExtents", "u", (ON_SCREEN,)),
                about(node, "GetChildren"),
            )
        told = self._bus.ask(calls)
        rows = (told[i : i + 6] for i in range(0, len(told), 6))
        return [_seen(node, *row) for node, row in zip(nodes, rows, strict=True) if row[1]]

    def _detail(self, every: Sequence[Seen]) -> None:
        """What only some are asked: text, a number, what using it does."""
        calls: list[Call] = []
        takers: list[tuple[Seen, str]] = []
        for seen in every:
            role = ROLES.get(seen.role)
            if SHOWING not in seen.states:
                continue
            if role in TEXTS and f"{SPI}Text" in seen.interfaces and not _secret(seen):
                takers.append((seen, "text"))
                calls.append(Call(seen.node, f"{SPI}Text", "GetText", "ii", (0, TEXT)))
            if role in ("slider", "progressbar") and f"{SPI}Value" in seen.interfaces:
                takers.append((seen, "number"))
                asked = (f"{SPI}Value", "CurrentValue")
                calls.append(Call(seen.node, PROPERTIES, "Get", "ss", asked))
            if role == "option" and not seen.name and f"{SPI}Action" in seen.interfaces:
                takers.append((seen, "toggles"))
                calls.append(Call(seen.node, f"{SPI}Action", "GetName", "i", (0,)))
        for (seen, what), answer in zip(takers, self._bus.ask(calls), strict=True):
            setattr(seen, what, answer == "toggle" if what == "toggles" else answer)

    def _element(self, seen: Seen) -> Element | None:
        """None for what only holds others, and for what is not shown."""
        role = ROLES.get(seen.role, "")
        if not role or SHOWING not in seen.states:
            return None
        bare = role in ("text", "option", "heading", "img", "status") and not seen.name
        if bare and not seen.toggles:
            return None
        name, value = seen.name, seen.text
        options: tuple[str, ...] = ()
        if role == "combobox":  # GTK calls it by what is chosen
            name, value = "", seen.name
            inner = (one for one in _walk(seen) if one.role in ("menu item", "list item"))
            options = tuple(one.name for one in inner if one.name)[:OPTIONS]
        if seen.number is not None:
            value = f"{seen.number:g}"
        state = tuple(word for bit, word in STATES.items() if bit in seen.states)
        state += () if SENSITIVE in seen.states else ("disabled",)
        state += ("secret",) if _secret(seen) else ()
        state += ("readonly",) if role in TEXTS and EDITABLE not in seen.states else ()
        if seen.toggles:
            role = "checkbox"
        ref = self._names.ref(seen.node)
        return element(self._secrets, ref, role, name, value, state, seen.corners, options)


def _seen(
    node: Node,
    name: str | None,
    role: str,
    states: list[int] | None,
    interfaces: list[str] | None,
    extents: Any,
    children: list[tuple[str, str]] | None,
) -> Seen:
    bits = ((word >> i & 1, 32 * w + i) for w, word in enumerate(states or ()) for i in range(32))
    corners = None
    if extents and extents[0] > FAR and extents[1] > FAR and extents[2] > 0 and extents[3] > 0:
        x, y, width, height = extents
        corners = (float(x), float(y), float(x + width), float(y + height))
    return Seen(
        node,
        name or "",
        role,
        frozenset(bit for on, bit in bits if on),
        frozenset(interfaces or ()),
        corners,
        [Node(*pair) for pair in children or ()],
    )


def _walk(seen: Seen) -> Iterator[Seen]:
    yield seen
    for child in seen.inside:
        yield from _walk(child)


def _closed_list(seen: Seen) -> bool:
    """A combo box, or the menu without a name that holds its options."""
    return seen.role == "combo box" or (seen.role == "menu" and not seen.name)


def _secret(seen: Seen) -> bool:
    return seen.role == "password text"
