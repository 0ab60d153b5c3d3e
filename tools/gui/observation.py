"""What a model is told of a screen: a compact list of elements, and then only what changed.

An element keeps its reference (``e12``) for as long as it lives. It stands behind all that the
element is, as in Playwright MCP's snapshots: a model reads forwards, so that only there can it
know what the reference means. Controls that are called alike are told with what stands near them
(``near.js``). Text of pages stands in JSON quotes, so that no page can write a row of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mllm.content import Box

BUDGET = 8192
"""Bytes of text of an observation that are never exceeded."""
SHORT = 80
"""Characters of an address or a value in a row."""
OFFERED = 40
"""Options that a row tells at most; all of them may be chosen."""

MARKS = ("checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio")
"""Roles of what is checked."""
WRITABLE = ("textbox", "searchbox", "combobox", "spinbutton")
"""Roles of fields that take text key by key."""
FILLED = {
    "date": "2026-11-20",
    "time": "18:30",
    "month": "2026-11",
    "week": "2026-W47",
    "datetime": "2026-11-20T18:30",
    "color": "#aa3300",
    "slider": "40",
}
"""Fields whose value is set as a whole, because keys mean something else there, and how they
take it."""

Corners: TypeAlias = tuple[float, float, float, float]

_QUOTED = r'("(?:[^"\\]|\\.)*")'
_ROW = re.compile(
    rf"(?:new |changed |moved )?(?!page )([\w-]+) {_QUOTED}"
    rf"(?: near {_QUOTED})?(?: = {_QUOTED})?(?: of {_QUOTED})?"
    r"((?: [^ \"\[]+)*?) (e\d+)(?: \[([\d,-]+)\]| above| below| not drawn)?"
)


@dataclass(frozen=True, slots=True)
class Element:
    """One row: ``corners`` are pixels of the screenshot, None where nothing is drawn."""

    ref: str
    role: str
    name: str
    value: str | None = None
    state: tuple[str, ...] = ()
    corners: Corners | None = None
    options: tuple[str, ...] = ()
    near: str = ""
    """What stands beside it and beside none that is called the same; beside a field without a
    name, what stands there."""

    @property
    def words(self) -> str:
        """What it is called: ``Book``, ``Book near Room 3`` where several are called ``Book``, and
        ``City`` where that stands beside a field without a name."""
        if not self.near:
            return self.name
        return f"{self.name} near {self.near}" if self.name.strip() else self.near

    @property
    def acts(self) -> bool:
        """Whether it is there to be used rather than read."""
        return self.role not in ("text", "heading", "status", "alert", "img", "iframe")

    def label(self) -> str:
        """``button "Book" e12``, as failures name it."""
        return f"{self._title()} {self.ref}"

    def essence(self, options: str = "") -> str:
        """What makes a change worth telling: all but its reference and its place. ``options`` are
        told instead of the first ones."""
        text = self._title()
        if self.value is not None:
            text += f" = {_quoted(self.value)}"
        if self.options:
            text += f" of {_quoted(options or self.offers())}"
        return " ".join((text, *(word for word in self.state if word != "focused")))

    def offers(self) -> str:
        """As much of its options as a row tells: ``2 people|4 people``."""
        return "|".join(self.options[:OFFERED])[: 2 * SHORT]

    def row(self, options: str = "") -> str:
        """``button "Book" disabled e12``"""
        return f"{self.essence(options)} {self.ref}"

    def _title(self) -> str:
        title = f"{self.role} {_quoted(self.name)}"
        return f"{title} near {_quoted(self.near)}" if self.near else title


def read(row: str) -> Element | None:
    """The element that a row of an observation tells of, None for any other line."""
    if (found := _ROW.fullmatch(row)) is None:
        return None
    role, name, near, value, options, state, ref, corners = found.groups()
    x0, y0, x1, y1 = map(float, corners.split(",")) if corners else (0.0,) * 4
    return Element(
        ref,
        role,
        json.loads(name),
        json.loads(value) if value else None,
        tuple(state.split()),
        (x0, y0, x1, y1) if corners else None,
        tuple(json.loads(options).split("|")) if options else (),
        json.loads(near) if near else "",
    )


@dataclass(frozen=True)
class Snapshot:
    """A screen at one moment. ``elements`` are in reading order."""

    url: str
    title: str
    width: int
    height: int
    scroll: tuple[int, int]
    extent: tuple[int, int]
    elements: tuple[Element, ...]
    notes: tuple[str, ...] = ()
    changes: int = 0
    """Changes of any kind since the documents were last marked."""
    veiled: tuple[Corners, ...] = ()
    """Where a secret stands on the screenshot."""

    def find(self, ref: str) -> Element | None:
        return next((e for e in self.elements if e.ref == ref), None)

    def in_view(self, e: Element) -> bool:
        if e.corners is None:
            return False
        x0, y0, x1, y1 = e.corners
        return x1 > 0 and y1 > 0 and x0 < self.width and y0 < self.height

    def boxes(self, picture: str) -> list[Box]:
        """The controls in view as boxes on the screenshot ``picture``, labelled by reference."""
        return [
            Box(
                artifact=picture,
                width=self.width,
                height=self.height,
                x0=e.corners[0],
                y0=e.corners[1],
                x1=e.corners[2],
                y1=e.corners[3],
                label=e.ref,
            )
            for e in self.elements
            if e.acts and e.role != "dialog" and e.corners and self.in_view(e)
        ]

    def row(self, e: Element, options: str = "") -> str:
        """``button "Book" disabled e12 [10,20,90,44]``; text carries no box."""
        row = e.row(options)
        if not e.acts:
            return row
        if self.in_view(e) and e.corners:
            return f"{row} [{','.join(str(round(v)) for v in e.corners)}]"
        below = e.corners is not None and e.corners[1] >= self.height
        above = e.corners is not None and e.corners[3] <= 0
        return f"{row} {'below' if below else 'above' if above else 'not drawn'}"

    def head(self) -> str:
        told = f"page {_quoted(self.title)} {_cut(self.url)} {self.width}x{self.height}"
        if self.extent[1] > self.height:
            told += f", scrolled to {self.scroll[1]} of {self.extent[1] - self.height}"
        focus = [e.ref for e in self.elements if "focused" in e.state and e.role != "iframe"]
        if focus:
            told += f", focus on {focus[-1]}"
        return "\n".join((told, *self.notes))


@dataclass
class Told:
    """What the model knows of the screen, so that an observation tells only what is new."""

    url: str = "about:blank"
    rows: dict[str, str] = field(default_factory=dict)
    """Essence of the rows that the model believes to be there, by reference."""
    past: dict[str, Element] = field(default_factory=dict)
    """All elements ever told of this page, for references that went stale."""
    last: Snapshot | None = None
    """The screen when it was last told, with the elements that were left out."""

    def whole(self, snapshot: Snapshot, budget: int = BUDGET) -> str:
        """The first observation: the rows in view before those out of view."""
        if _page(snapshot.url) != self.url:
            self.past = {}
        self.url, self.rows, self.last = _page(snapshot.url), {}, snapshot
        every = snapshot.elements
        return self._list(snapshot.head(), every, _by_use(snapshot, every), snapshot.row, budget)

    def news(self, snapshot: Snapshot, budget: int = BUDGET) -> str:
        """What is new, changed, moved or gone; the whole when it is another page."""
        head = _clip(snapshot.head(), budget // 2)
        return self.changes(snapshot, budget) or f"{head}\nthe elements are as before"

    def changes(self, snapshot: Snapshot, budget: int = BUDGET) -> str:
        """As ``news``, "" where the elements are as before. Of new rows out of view only the number
        is told, once."""
        before = self.last.elements if self.last else ()
        here, there = ({e.ref for e in some} for some in (snapshot.elements, before))
        if _page(snapshot.url) != self.url or (here and here.isdisjoint(self.rows)):
            return self.whole(snapshot, budget)
        self.last = snapshot
        if snapshot.elements == before:
            return ""
        gone = [ref for ref in self.rows if ref not in here]
        for ref in gone:
            del self.rows[ref]
        known = frozenset(self.rows)
        moved = _moved(
            [e.ref for e in before if e.ref in known],
            [e.ref for e in snapshot.elements if e.ref in known],
        )
        fresh = [
            e
            for e in snapshot.elements
            if (
                e.ref in moved or self.rows[e.ref] != e.essence()
                if e.ref in known
                else snapshot.in_view(e) or e.ref not in there
            )
        ]
        if not (gone or fresh):
            return ""

        def row(e: Element) -> str:
            how = "moved" if e.ref in moved else "changed" if e.ref in known else "new"
            return f"{how} {snapshot.row(e)}"

        head = snapshot.head()
        if gone:
            head += f"\ngone {_cut(' '.join(gone), 4 * SHORT)}"
        shown = [e for e in fresh if e.ref in known or snapshot.in_view(e)]
        by_use = _by_use(snapshot, shown)
        useful = sorted(by_use, key=lambda e: e.ref not in known)  # changed before new
        return self._list(head, fresh, useful, row, budget)

    def matching(self, snapshot: Snapshot, find: str, after: str, budget: int = BUDGET) -> str:
        """Rows that hold the words ``find``, behind the element ``after``: what was left out. Of a
        list that does not tell all its options, those that hold the words."""
        refs = [e.ref for e in snapshot.elements]
        begin = refs.index(after) + 1 if after in refs else 0
        wanted = find.casefold()
        held = {e.ref: _options(e, wanted) for e in snapshot.elements[begin:]}
        found = [
            e for e in snapshot.elements[begin:] if held[e.ref] or wanted in e.row().casefold()
        ]

        def row(e: Element) -> str:
            return snapshot.row(e, _clip(held[e.ref], budget // 3))

        head = snapshot.head() + ("" if found else f"\nno element holds {_quoted(find)}")
        return self._list(head, found, found, row, budget)

    def _list(
        self,
        head: str,
        elements: Sequence[Element],
        useful: Sequence[Element],
        row: Callable[[Element], str],
        budget: int,
    ) -> str:
        """As many rows as fit, the most ``useful`` ones, in the order of ``elements``."""
        head = _clip(head, budget // 2)
        left = budget - _size(head) - 2 * SHORT
        chosen: dict[str, str] = {}
        for e in useful:
            text = row(e)
            left -= _size(text) + 1
            if left < 0:
                break
            chosen[e.ref] = text
            self.rows[e.ref], self.past[e.ref] = e.essence(), e
        lines = [head, *(chosen[e.ref] for e in elements if e.ref in chosen)]
        if missing := len(elements) - len(chosen):
            lines.append(f"and {missing} more, not shown: scroll, or find them by their words")
        return "\n".join(lines)


def _moved(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """The references from the first to the last that stands elsewhere than before, in the order
    of the page; none where others were only left out."""
    if len(before) != len(now):
        known = set(now)
        before = [ref for ref in before if ref in known]
        known = set(before)
        now = [ref for ref in now if ref in known]
    apart = [i for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
    return set(now[apart[0] : apart[-1] + 1]) if apart else set()


def _by_use(snapshot: Snapshot, elements: Iterable[Element]) -> list[Element]:
    """In view before out of view, controls before text; the nearest first out of view."""

    def rank(e: Element) -> tuple[int, float]:
        read = not e.acts or e.role == "shape"  # a chart has hundreds
        if snapshot.in_view(e):
            return (1 if read else 0), 0.0
        far = abs(e.corners[1] - snapshot.height / 2) if e.corners else 0.0
        return (3 if read else 2), far

    return sorted(elements, key=rank)  # stable: reading order within a rank


def _options(e: Element, wanted: str) -> str:
    """The options that hold these words, "" where its row tells all of them."""
    fits = [option for option in e.options if wanted and wanted in option.casefold()]
    told = e.offers().split("|")
    return "" if all(option in told for option in fits) else "|".join(fits)


def _page(url: str) -> str:
    return url.partition("#")[0]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _cut(text: str, most: int = SHORT) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _size(text: str) -> int:
    return len(text.encode())


def fitted(text: str, budget: int) -> str:
    """``text`` in at most ``budget`` bytes, with a word about what is left out."""
    if _size(text) <= budget:
        return text
    kept = _clip(text, budget - SHORT)
    return f"{kept}\n({len(text) - len(kept)} more characters are left out)"


def _clip(text: str, budget: int) -> str:
    return text.encode()[:budget].decode(errors="ignore")
