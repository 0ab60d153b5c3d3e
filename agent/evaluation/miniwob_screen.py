"""What a teacher of MiniWoB++ knows of the page: what a model was told of it, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mllm.content import Message, Text
from tools.gui.numbered import is_number
from tools.gui.observation import Element, Snapshot, read
from tools.gui.targets import called

ALL = 10_000, 10_000
"""More pixels than a page has."""

Act = dict[str, Any]


@dataclass
class Screen:
    """What a model knows of the page, in the order of the references."""

    rows: dict[str, Element] = field(default_factory=dict)
    last: str = ""
    """The result of the last action as it was told."""
    _read: int = 0

    def read(self, messages: Sequence[Message]) -> None:
        told = [m for m in messages if m.role == "tool"]
        for message in told[self._read :]:
            self.last = "\n".join(p.text for p in message.content if isinstance(p, Text))
            for line in self.last.splitlines():
                if line.startswith("gone "):
                    for ref in line.split()[1:]:
                        self.rows.pop(ref, None)
                elif row := read(line):
                    self.rows[row.ref] = row
        self._read = len(told)

    def all(self, role: str = "", name: str | None = None, acts: bool = True) -> list[Element]:
        return [
            row
            for row in sorted(self.rows.values(), key=lambda r: int(r.ref[1:]))
            if (not role or row.role in role.split())
            and (name is None or row.name == name)
            and (row.acts or not acts)
        ]

    def called(self, action: Act) -> Act:
        """The action with names in the place of references, where they are enough."""
        seen = Snapshot("", "", *ALL, (0, 0), ALL, tuple(self.rows.values()))
        ends = {end: action.get(end) for end in ("target", "to")}
        return action | {k: called(seen, ref) for k, ref in ends.items() if isinstance(ref, str)}

    def one(self, name: str, role: str = "") -> Element:
        """Raises ``LookupError`` where nothing that can be used is called so."""
        found = self.all(role, name) or [
            r for r in self.all(role) if r.name.casefold() == name.casefold()
        ]
        if not found:
            raise LookupError(name)
        return found[0]

    def fields(self, role: str = "textbox searchbox") -> list[Element]:
        return [r for r in self.all(role) if "readonly" not in r.state]

    def labels(self) -> dict[str, str]:
        """What stands near each thing that can be used, or else before it, by reference."""
        before, out = "", {}
        for row in self.all(acts=False):
            if not row.acts:
                before = row.name
            else:
                named = row.near and not row.name and not is_number(row.near)
                out[row.ref] = row.near if named else before
        return out

    def texts(self) -> list[str]:
        return [row.name for row in self.all("text heading", acts=False)]


def click(row: Element) -> Act:
    return {"name": "click", "target": row.ref}


def fill(row: Element, text: str) -> Act:
    return {"name": "type", "target": row.ref, "text": text}
