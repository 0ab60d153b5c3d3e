"""What a platform brings: how its screen is read, and the hands that act on it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tools.gui.observation import Element, Snapshot
from tools.gui.safety import Limits
from tools.gui.secrets import PLACEHOLDER, Secrets

LONG = 120
"""Characters of a name or value."""
SCHEME = "app:"
"""How the address of a screen begins: ``app:zenity/Booking``, the application and its window."""


@dataclass(frozen=True)
class Window:
    """One of the windows that are open; ``id`` is such as ``t2``, as tabs of a browser are."""

    id: str
    title: str
    app: str


class Port(Protocol):
    """One screen. Places are pixels of its screenshot. Everything raises ``Failure``: crashed where
    the screen is gone, timeout where it hangs, wrong_kind for what it cannot do."""

    exact: bool
    """Whether what is read is what the application says, rather than what its pixels look like."""

    def read(self) -> Snapshot:
        """The window in front, with secrets masked."""
        ...

    def png(self) -> bytes:
        """The file of a screenshot."""
        ...

    def open(self, what: str) -> str:
        """Open an application or address by its name, and say in words what came of it."""
        ...

    def back(self) -> None: ...

    def point(self, how: str, x: float, y: float) -> None:
        """``how`` is click, double, right or hover."""
        ...

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int) -> None: ...

    def scroll(self, x: float, y: float, direction: str, screens: float) -> None: ...

    def press(self, keys: str) -> str:
        """Press a combination, and give it in this platform's words."""
        ...

    def write(self, text: str, field: Element) -> None:
        """Replace what the field holds, which has the focus."""
        ...

    def veil(self, field: Element, text: str) -> None:
        """The field holds a secret now, which ``text`` (with placeholders) stands for."""
        ...

    def focus(self, element: Element) -> None:
        """Give it the focus without using it."""
        ...

    def reveal(self, element: Element) -> bool:
        """Scroll to it; False where that is not possible."""
        ...

    def windows(self) -> list[Window]:
        """The one in front comes last."""
        ...

    def switch(self, window: Window) -> None: ...

    def shut(self, window: Window) -> None: ...


@dataclass(frozen=True)
class Apps(Limits):
    """Applications that may be used, by name in any case; with ``allowed`` empty every one is. One
    that cannot be told is neither, and passes no list."""

    def objection(self, url: str) -> str:
        app = url.removeprefix(SCHEME).partition("/")[0]
        if url == SCHEME or not self.listed:  # no window is open, or every one may be used
            return ""
        if not app:
            return "the application in front cannot be told, so that no list lets it pass"
        if _among((app,), self.denied):
            return f"the application {app} is denied"
        if self.allowed and not _among((app,), self.allowed):
            listed = ", ".join(self.allowed)
            return f"the application {app} is not among the allowed ones ({listed})"
        return ""

    @property
    def listed(self) -> tuple[str, ...]:
        return self.denied + self.allowed

    def known_as(self, names: Sequence[str], classes: Sequence[str]) -> str:
        """The name by which the lists have an application, else its first one, "" where it has
        none. ``names`` are those of its process; ``classes`` are what its window calls itself,
        which denies, and allows where no process is known."""
        own = tuple(names or classes)
        found = _among((*own, *classes), self.denied) or _among(own, self.allowed)
        return found or next(iter(own), "")

    def names(self, url: str) -> bool:
        return bool(self.allowed) and not self.objection(url)


def _among(names: Sequence[str], listed: Sequence[str]) -> str:
    """The first of the listed names that is one of ``names``, "" where none is."""
    known = {name.casefold() for name in names}
    return next((name for name in listed if name.casefold() in known), "")


@dataclass
class Names:
    """References by identity: what has the same key has the same reference, for good."""

    known: dict[Hashable, str] = field(default_factory=dict)
    keys: dict[str, Hashable] = field(default_factory=dict)

    def ref(self, key: Hashable) -> str:
        if key not in self.known:
            self.known[key] = ref = f"e{len(self.known) + 1}"
            self.keys[ref] = key
        return self.known[key]


def element(
    secrets: Secrets,
    ref: str,
    role: str,
    name: str,
    value: str | None,
    state: tuple[str, ...],
    corners: tuple[float, float, float, float] | None,
    options: tuple[str, ...] = (),
) -> Element:
    """An element as it may be told: secrets masked before long texts are cut."""
    masked, held = secrets.mask(squeezed(name)), None
    if value is not None:
        held = short(secrets.mask(value))
    return Element(ref, role, short(masked), held, state, corners, secrets.mask(options))


def veiled(elements: tuple[Element, ...]) -> tuple[tuple[float, float, float, float], ...]:
    """Where a secret stands."""
    return tuple(
        e.corners
        for e in elements
        if e.corners and PLACEHOLDER.search(" ".join((e.name, e.value or "", *e.options)))
    )


def squeezed(text: str) -> str:
    return " ".join(text.split())


def short(text: str) -> str:
    """As much of a name or value as is told."""
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
