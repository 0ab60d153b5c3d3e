"""What all actions share: the tab, the target, where to point, what a field holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from playwright.async_api import ElementHandle, Error, Frame

from tools.gui import failures
from tools.gui.observation import Element
from tools.gui.preflight import Aim, aim
from tools.gui.safety import BLANK
from tools.gui.session import Session
from tools.gui.view import View


@dataclass(frozen=True)
class File:
    name: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Field:
    """What a field holds now; nothing when it is gone."""

    value: str = ""
    state: tuple[str, ...] = ()
    secret: bool = False

    def words(self, same: bool = True) -> str:
        if self.secret:
            return "it holds it" if same else "it holds something else, which is not shown"
        return f"it holds {self.value[:80]!r}"


@dataclass(frozen=True)
class Hand:
    """Acts on one tab. ``begin`` is called when everything before the effect is settled."""

    view: View
    session: Session
    begin: Callable[[], Awaitable[None]]
    target: Element | Aim | None
    """The action's target; an ``Aim`` where a point was given."""
    to: Element | Aim | None = None
    file: File | None = None

    @property
    def element(self) -> Element | None:
        return self.target.element if isinstance(self.target, Aim) else self.target

    async def aim(self, target: Element | Aim | None, using: bool = True) -> Aim:
        """Where to point; ``using`` what is disabled is refused. Raises ``Failure``."""
        assert target is not None
        return target if isinstance(target, Aim) else await aim(target, self.view, using)

    async def handle(self, element: Element) -> ElementHandle:
        """Raises ``Failure`` stale."""
        handle = await self.view.handle(element.ref)
        if handle is None:
            raise failures.stale(element.label(), [])
        return handle

    async def field(self, element: Element) -> Field:
        home = self.view.home(element.ref)
        with suppress(Error):
            if home and (found := await home.ask("value", int(element.ref[1:]))):
                value, state, secret = found
                return Field(value or "", tuple(state), secret)
        return Field()

    async def may_type(self, text: str, element: Element) -> None:
        """Raise ``Failure`` refused where the secrets in ``text`` must not go: into the field's
        document, one around it, or the address that its form is sent to."""
        home = self.view.home(element.ref)
        if not self.session.secrets.named(text) or home is None:
            return
        urls = [self.view.page.url]
        frame: Frame | None = home.frame
        while frame is not None:
            urls += [] if frame.url in BLANK else [frame.url]
            frame = frame.parent_frame
        facts = await home.ask("facts", int(element.ref[1:])) or {}
        self.session.secrets.check(text, *urls, *facts.get("actions", ()))
