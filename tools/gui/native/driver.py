"""From what a model asks of a screen to what it is told: found, approved, done, judged, told."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field, replace

from PIL import Image as PILImage
from PIL import ImageChops

from tools.gui import approval, failures
from tools.gui.actions import (
    LOOKS,
    MOVES,
    Action,
    Back,
    DragBy,
    Finish,
    Goto,
    Press,
    Spot,
    Tabs,
    Target,
    Type,
)
from tools.gui.approval import Unapproved
from tools.gui.asked import Asked
from tools.gui.failures import Failure
from tools.gui.judge import Done, Verdict, decide
from tools.gui.loops import Loops, state_of
from tools.gui.native.aim import Aim, aim, at, find, under
from tools.gui.native.facts import Claims, about, holds
from tools.gui.native.hand import Hand
from tools.gui.native.perform import perform
from tools.gui.native.port import Apps, Port, Window, veiled
from tools.gui.observation import MARKS, WRITABLE, Element, Snapshot, Told
from tools.gui.screen import Screen
from tools.gui.secrets import Secrets
from tools.gui.targets import missing, spot_is_fresh
from tools.gui.wish import Seen, Wish
from tools.protocol import ToolContext

SETTLE = 2.0
"""Seconds that a screen gets to come to rest; two equal readings in a row are rest."""
EXPECT = 2.0
"""Seconds that an expectation gets to come true on a screen at rest."""
CARET = 48
"""Pixels that may differ between two screenshots of a screen on which nothing was done."""
PAUSE = 0.08
"""Seconds between two readings."""
TAKES = {"check": MARKS, "type": WRITABLE, "clear": WRITABLE, "select": ("combobox",)}
"""What an action is for, among elements that are called the same."""
ANYWHERE = ("tabs", "goto", "back", "wait_for")
"""What may be done while an application is in front that may not be used."""


@dataclass
class Driver:
    """Drives the window in front, one call at a time."""

    port: Port
    secrets: Secrets
    apps: Apps
    budget: int
    pictures: bool = True
    """Whether every action brings a screenshot."""
    told: Told = field(default_factory=Told)
    screen: Screen = field(default_factory=Screen)
    loops: Loops = field(default_factory=Loops)
    claims: Claims = field(default_factory=Claims)
    state: str = ""
    """Of the screen as it was last seen."""
    run: str | None = None
    """The run at work: another run begins with nothing told, tried or claimed."""
    turn: threading.Lock = field(default_factory=threading.Lock)

    def act(self, wish: Wish, context: ToolContext) -> Seen:
        """Raises ``Failure`` where nothing was done or nothing changed, and ``Unapproved`` where a
        person must agree first."""
        with self.turn:
            self._enter(context)
            return self._act(wish, context)

    def look(
        self, context: ToolContext, find: str = "", after: str = "", marks: bool = False
    ) -> Seen:
        """The whole screen within the budget, or the part of it that is asked for."""
        with self.turn:
            self._enter(context)
            now = self._read()
            where = _where(self.port.windows())
            self.state = state_of(now, where)
            if after and now.find(after) is None:
                raise missing(now, after, self.told.past.get(after))
            if find or after:
                return [self.told.matching(now, find, after, self.budget)]
            whole = self.told.whole(now, self.budget - len(where.encode()) - 1)
            return ["\n".join(filter(None, (whole, where))), *self._shot(now, marks)]

    def _act(self, wish: Wish, context: ToolContext) -> Seen:
        action, now = wish.action, self._read()
        wish.refuse_secrets(self.secrets)
        self._refuse_loop(wish, now)
        if (objection := self.apps.objection(now.url)) and action.name not in ANYWHERE:
            raise failures.refused(wish.short, objection)
        target = self._find(getattr(action, "target", None), action, now, context)
        to = self._find(getattr(action, "to", None), action, now, context)
        if isinstance(action, DragBy) and target is not None:
            start = target if isinstance(target, Aim) else aim(target, self.port)
            to = under(*action.end(start.x, start.y), now)
        element, end = _element(target), _element(to)
        ref = element.ref if element else ""
        before = {} if isinstance(action, Goto) else self._holds(wish, now, ref)
        picture = b""

        def begin() -> None:
            nonlocal picture
            self._approve(wish, element, end, now)
            if action.name not in MOVES:
                self.claims.act(now)
                picture = self.port.png()
            elif isinstance(action, Goto) or (isinstance(action, Tabs) and action.do != "list"):
                self.claims.opened = True

        hand = Hand(self.port, self.secrets, begin, now, self.told, self.claims, target, to)
        try:
            done = perform(action, hand)
        except Failure:
            self.loops.note(self.state, action, ref, effect=False)
            raise
        then = self._settled()
        after = hand.within(wish.expect, ref, EXPECT) if wish.expect else {}
        verdict = decide(before, after, done, looks=action.name in LOOKS)
        if wish.expect:
            then = self._read()
        idle = verdict.kind == "unverified" and done.must_change and _same(now, then)
        if idle and picture and _alike(picture, self.port.png()):
            self.loops.note(self.state, action, ref, effect=False)
            raise failures.no_effect(done.what)
        self.claims.asked.see(then)
        if action.name not in MOVES and verdict.kind != "contradicted":
            self.claims.asked.use(action, element)
        return self._tell(done, verdict, then, action, ref)

    def _tell(self, done: Done, verdict: Verdict, now: Snapshot, action: Action, ref: str) -> Seen:
        """What was done and what is new, within the budget."""
        if done.own and done.ref:
            self.claims.kept.add(done.ref)
        if isinstance(action, Finish):
            self.claims = Claims(asked=Asked(self.claims.asked.task))
        where = _where(self.port.windows())
        state = state_of(now, where)
        moved = state != self.state and not isinstance(action, Goto | Back)
        self.loops.note(self.state, action, ref, effect=moved)
        self.state = state
        lines = (f"{done.what}: {verdict.words()}", done.text, where)
        text = "\n".join(filter(None, lines))
        text += f"\n{self.told.news(now, self.budget - len(text.encode()) - 1)}"
        return [text, *self._shot(now)] if self.pictures else [text]

    def _read(self) -> Snapshot:
        """The screen now; of an application that may not be used nothing but its name."""
        now = self.port.read()
        if objection := self.apps.objection(now.url):
            app = now.url.partition("/")[0]
            return replace(now, url=app, title="", elements=(), veiled=(), notes=(objection,))
        return now

    def _settled(self) -> Snapshot:
        end, now = time.monotonic() + SETTLE, self._read()
        while time.monotonic() < end:
            time.sleep(PAUSE)
            last, now = now, self._read()
            if _same(last, now):
                break
        return now

    def _shot(self, now: Snapshot, marks: bool = False) -> Seen:
        if self.apps.objection(now.url):
            return []
        data = self.port.png()
        # What shows a secret may have come or moved since.
        hidden = (*now.veiled, *veiled(self._read().elements)) if self.secrets else ()
        return [self.screen.show(data, hidden, now, marks)]

    def _find(
        self, target: Target | None, action: Action, now: Snapshot, context: ToolContext
    ) -> Element | Aim | None:
        if not isinstance(target, Spot):
            roles = TAKES.get(action.name, ())
            return find(target, now, self.told, roles) if target else None
        point = target.point(context)
        shown = self.screen.shots.get(context.artifact(target.picture).sha256)
        spot_is_fresh(point, shown, now)
        return at(point, now)

    def _holds(self, wish: Wish, now: Snapshot, ref: str) -> dict[str, bool]:
        return holds(wish.expect, now, ref, self.port.exact)

    def _approve(
        self, wish: Wish, element: Element | None, end: Element | None, now: Snapshot
    ) -> None:
        """Raises ``Unapproved`` unless a person agreed to what is about to be done, where one
        must."""
        action = wish.action
        if action.name in MOVES or (element is None and not isinstance(action, Press)):
            return
        label = element.label().strip() if element else ""
        secret = isinstance(action, Type) and bool(self.secrets.named(action.text))
        facts, to = about(element, now, self.port.exact), end.name if end else ""
        request = approval.needed(action, label, facts, to, now.url[:200], secret)
        if request is not None and request not in wish.approved:
            raise Unapproved(request)

    def _refuse_loop(self, wish: Wish, now: Snapshot) -> None:
        self.state = state_of(now, _where(self.port.windows()))
        if self.loops.stuck(self.state, wish.action):
            raise failures.loop(wish.short, self.loops.others(self.state, now))

    def _enter(self, context: ToolContext) -> None:
        if context.run != self.run:
            self.run, self.told, self.loops = context.run, Told(), Loops()
            self.screen = Screen()
            self.claims = Claims(asked=Asked(context.task))


def _where(windows: list[Window]) -> str:
    """What is told of the windows beside every screen, "" while there is one."""
    if len(windows) < 2:
        return ""
    listed = " ".join(sorted((w.id for w in windows), key=lambda id: int(id[1:])))
    return f"windows {listed}; {windows[-1].id} is in front"


def _element(found: Element | Aim | None) -> Element | None:
    return found.element if isinstance(found, Aim) else found


def _same(a: Snapshot, b: Snapshot) -> bool:
    return (a.url, a.title, a.elements) == (b.url, b.title, b.elements)


def _alike(one: bytes, other: bytes) -> bool:
    """Whether two screenshots differ by no more than a caret that blinks."""
    a, b = (PILImage.open(io.BytesIO(data)).convert("L") for data in (one, other))
    return a.size == b.size and sum(ImageChops.difference(a, b).histogram()[1:]) <= CARET
