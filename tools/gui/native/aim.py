"""From what a model calls a target to a place on the screen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from mllm.content import Point
from tools.gui import failures
from tools.gui.failures import Failure
from tools.gui.native.port import Port
from tools.gui.observation import Element, Snapshot, Told
from tools.gui.targets import REFERENCE, by_words, missing


@dataclass(frozen=True)
class Aim:
    """An element, or "" for its reference where a bare point was meant, and where to point."""

    element: Element
    x: float = 0.0
    y: float = 0.0

    def __str__(self) -> str:
        return self.element.label().strip()


def find(target: str, now: Snapshot, told: Told, roles: Collection[str] = ()) -> Element:
    """What a reference or words mean; with ``roles``, such elements before others that are called
    the same. Raises ``Failure`` stale, not_found or ambiguous."""
    if REFERENCE.fullmatch(target) is None:
        apt = replace(now, elements=tuple(e for e in now.elements if e.role in roles))
        try:
            return by_words(apt, target)
        except Failure as failure:
            if failure.kind == "ambiguous":
                raise
        return by_words(now, target)
    element = now.find(target)
    if element is None:
        raise missing(now, target, told.past.get(target))
    return element


def at(point: Point, now: Snapshot) -> Aim:
    """What lies at a point of a screenshot."""
    return under(point.x * now.width / point.width, point.y * now.height / point.height, now)


def under(x: float, y: float, now: Snapshot) -> Aim:
    """What lies at a point of the screen: the smallest control there, else the smallest text."""
    hit = [e for e in now.elements if e.corners and _inside(x, y, e.corners)]
    place = Element("", "point", f"{x:g},{y:g}")
    return Aim(min(hit, key=lambda e: (not e.acts, _area(e)), default=place), x, y)


def aim(element: Element, port: Port) -> Aim:
    """Where to point at it, scrolled into view if need be. Raises ``Failure`` hidden, stale."""
    now = port.read()
    found = now.find(element.ref)
    if found is None:
        raise failures.stale(element.label(), [])
    if not now.in_view(found):
        if not port.reveal(found):
            raise failures.hidden(found.label())
        now = port.read()
        found = now.find(element.ref) or found
        if not now.in_view(found):
            raise failures.hidden(found.label())
    assert found.corners is not None
    x0, y0, x1, y1 = found.corners
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, now.width), min(y1, now.height)
    return Aim(found, (x0 + x1) / 2, (y0 + y1) / 2)


def _inside(x: float, y: float, corners: tuple[float, float, float, float]) -> bool:
    return corners[0] <= x < corners[2] and corners[1] <= y < corners[3]


def _area(e: Element) -> float:
    x0, y0, x1, y1 = e.corners or (0, 0, 0, 0)
    return (x1 - x0) * (y1 - y0)
