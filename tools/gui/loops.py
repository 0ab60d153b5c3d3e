"""Noticing that an action is done again and again although nothing comes of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from tools.gui.actions import Action
from tools.gui.observation import Element, Snapshot

TRIES = 2
"""Times that an action may be without effect on the same state of a page."""
OTHERS = 6
"""Controls that are named instead."""


@dataclass
class Loops:
    """Counts what was tried in vain, by the state of the page and the action."""

    vain: Counter[tuple[str, str]] = field(default_factory=Counter)
    tried: dict[str, set[str]] = field(default_factory=dict)
    """References of the targets that were tried, by state."""

    def stuck(self, state: str, action: Action) -> bool:
        return self.vain[state, _said(action)] >= TRIES

    def note(self, state: str, action: Action, ref: str, effect: bool) -> None:
        """What came of an action that was begun on a page in this state."""
        self.tried.setdefault(state, set()).add(ref)
        if not effect:
            self.vain[state, _said(action)] += 1

    def others(self, state: str, snapshot: Snapshot) -> list[str]:
        """Controls in view that were not tried on this state."""
        tried = self.tried.get(state, set())
        free = [e for e in snapshot.elements if e.acts and snapshot.in_view(e) and _usable(e)]
        return [e.label() for e in free if e.ref not in tried][:OTHERS]


def state_of(snapshot: Snapshot, tabs: str) -> str:
    """The same for pages that look the same to the model, whatever their references are."""
    digest = hashlib.sha256(f"{snapshot.url}\n{snapshot.scroll}\n{tabs}".encode())
    for e in snapshot.elements:
        digest.update(f"\n{e.essence()}".encode())
    return digest.hexdigest()


def _usable(e: Element) -> bool:
    return "disabled" not in e.state and e.role not in ("dialog", "alertdialog")


def _said(action: Action) -> str:
    # The same point on the next screenshot is the same target.
    return action.model_dump_json(exclude={"target": {"picture"}, "to": {"picture"}})
