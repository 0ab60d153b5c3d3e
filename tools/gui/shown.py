"""Where the facts with which a task was claimed to be done are to be seen."""

from __future__ import annotations

from mllm.content import Value
from tools.gui.actions import Fact, Finish
from tools.gui.judge import plain
from tools.gui.observation import Corners, Element, Snapshot
from tools.gui.targets import by_name, likeliest


class Shown(Value):
    """A fact, the element that shows it, and its place on the screenshot taken then, in pixels."""

    fact: str
    """As in ``text "Booked"``."""
    element: str | None = None
    place: Corners | None = None
    """None for what is not in view."""


def shown(action: Finish, snapshot: Snapshot) -> tuple[Shown, ...]:
    """Where the facts of a claim, which hold, are to be seen."""
    out = []
    for fact in action.evidence:
        said = fact.model_dump(exclude={"target"}, exclude_none=True)
        words = ", ".join(f'{what} "{value}"' for what, value in said.items())
        element = _shows(fact, snapshot)
        place = element.corners if element and snapshot.in_view(element) else None
        out.append(Shown(fact=words, element=element.label() if element else None, place=place))
    return tuple(out)


def _shows(fact: Fact, snapshot: Snapshot) -> Element | None:
    """The element that a fact is about: the one with the target's reference or name, or the one
    with the fewest words besides those that the page shows."""
    if fact.target is not None:
        named = by_name(snapshot.elements).get(plain(fact.target), [])
        meant = likeliest(named, snapshot, fact.target)
        return snapshot.find(fact.target) or next(iter(meant), None)
    if fact.text is None:
        return None
    holding = [e for e in snapshot.elements if plain(fact.text) in plain(e.name)]
    return min(holding, key=lambda e: (not snapshot.in_view(e), len(e.name)), default=None)
