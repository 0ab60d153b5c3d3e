"""One try at an action: find the target, ask who must be asked, act, and judge what came of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

from playwright.async_api import Error

from tools.gui import approval, failures, lacking
from tools.gui.actions import (
    LOOKS,
    MOVES,
    DragBy,
    Finish,
    Goto,
    Press,
    Spot,
    Target,
    Type,
    Upload,
)
from tools.gui.approval import Unapproved
from tools.gui.capture import png
from tools.gui.deeds import Deed, closed, opened
from tools.gui.hand import File, Hand
from tools.gui.judge import Done, Verdict, decide
from tools.gui.observation import Element, Snapshot, Told
from tools.gui.perform import perform
from tools.gui.preflight import Aim, aim, at, resolve, under
from tools.gui.screen import Screen
from tools.gui.session import Session
from tools.gui.shown import shown
from tools.gui.targets import spot_is_fresh, spot_is_same
from tools.gui.verdict import holds, text_of, within
from tools.gui.view import View
from tools.gui.watch import Watch
from tools.gui.wish import Wish
from tools.protocol import ToolContext

PATIENCE = 20.0
"""Seconds that an action may take before the page settles."""
SETTLE = 3.0
"""Seconds that a page gets to settle."""
EXPECT = 2.0
"""Seconds that an expectation gets to come true in a page that has settled."""

Found = Element | Aim | None


@dataclass(frozen=True)
class Outcome:
    """What came of an action. ``beyond``: it caused something that the page need not show."""

    done: Done
    verdict: Verdict
    lines: list[str]
    view: View
    """The tab that is in front now."""
    snapshot: Snapshot
    beyond: bool
    deed: Deed | None


@dataclass
class Attempt:
    """``told`` and ``screen`` are what the model knows and points at."""

    session: Session
    told: Told
    screen: Screen
    wish: Wish
    context: ToolContext
    view: View
    ref: str = ""
    """Of the target, with its row in ``label``; ``to`` is the name of where a drag ends."""
    label: str = ""
    to: str = ""
    refs: dict[str, str] = field(default_factory=dict)
    deed: Deed | None = None
    begun: bool = False
    before: dict[str, bool] = field(default_factory=dict)
    picture: bytes = b""

    async def make(self, targets: dict[str, Target]) -> Outcome:
        """Raises ``Failure`` where nothing was done or nothing changed, and ``Unapproved``."""
        wish, action, view = self.wish, self.wish.action, self.view
        target, to = await self._find(targets.get("target")), await self._find(targets.get("to"))
        if isinstance(action, DragBy):
            to = await self._end(action, target)
        element, end = _element(target), _element(to)
        if element:
            self.ref, self.label = element.ref, element.label()
        self.to = end.name if end else ""
        self.refs = {k: e.ref for k, e in (("target", element), ("to", end)) if e and k in targets}
        file = _file(action.file, self.context) if isinstance(action, Upload) else None
        pictured = isinstance(target, Aim) or (element is not None and element.role == "canvas")
        url = view.page.url

        async def begin() -> None:
            await self._begin(pictured)

        hand = Hand(view, self.session, begin, target, to, file)
        try:
            doing = perform(action, hand, self.told)
            done = await asyncio.wait_for(doing, PATIENCE + getattr(action, "seconds", 0.0))
        except TimeoutError:
            raise failures.timeout(action.name) from None
        watch = self._watch
        view = await self._settle(watch)
        acted = None if action.name in MOVES else self.view
        expects = wish.expect is not None
        after = await within(wish.expect, view, self.ref, EXPECT, acted) if expects else {}
        log, looks = watch.log, action.name in LOOKS
        if isinstance(action, Goto) and not done.own:  # the page of before is still there
            self.before = dict(after)
        verdict = decide(self.before, after, done, log.refusals, bool(log.pending), looks)
        if log.asks:
            raise Unapproved(replace(log.asks[0], sent=log.effects()))
        if verdict.kind != "verified":
            if log.stopped:
                raise failures.refused(*log.stopped[0])
            if log.dismissed:
                raise failures.dialog(log.dismissed)
        snapshot = await view.snapshot()
        asked = self.session.ledger.asked
        asked.see(snapshot)
        if action.name not in MOVES and verdict.kind != "contradicted":
            asked.use(action, element)
        quiet = not log.eventful() and not snapshot.changes and view.page.url == url
        drawn = False
        if verdict.kind == "unverified" and done.must_change and quiet:
            drawn = done.by_picture and bool(self.picture) and self.picture != await png(view)
            if not drawn:
                raise failures.no_effect(done.what)
        lines = [f"{done.what}: {verdict.words()}", *log.words()]
        if view.page in log.popups:
            lines.append("a new tab is in front; back closes it")
        beyond = drawn or (log.eventful() and verdict.kind != "contradicted")
        deed = self.deed
        if deed is not None:
            deed = await closed(deed, done, verdict, self.ref, self.view, view, log)
            if isinstance(action, Finish) and verdict.kind == "verified":
                deed = deed.model_copy(update={"shown": shown(action, snapshot)})
        return Outcome(done, verdict, [*lines, done.text], view, snapshot, beyond, deed)

    def eventful(self) -> bool:
        """Whether it caused something beyond the page before it failed."""
        return self.begun and self._watch.log.eventful()

    def questioned(self) -> bool:
        """Whether the page asked something."""
        return self.begun and bool(self._watch.log.dialogs)

    @property
    def _watch(self) -> Watch:
        watch = self.session.watch
        assert watch is not None
        return watch

    @property
    def _reveals(self) -> bool:
        """Whether a secret is to be typed."""
        action = self.wish.action
        return isinstance(action, Type) and bool(self.session.secrets.named(action.text))

    async def _find(self, target: Target | None) -> Found:
        if not isinstance(target, Spot):
            return await resolve(target, self.view, self.told) if target else None
        point = target.point(self.context)
        shown = self.screen.shots.get(self.context.artifact(target.picture).sha256)
        now = await self.view.snapshot()
        spot_is_fresh(point, shown, now)
        assert shown is not None
        spot_is_same(point, shown, now)
        return await at(point, self.view)

    async def _end(self, action: DragBy, target: Found) -> Aim:
        """Where it ends, and what lies there."""
        assert target is not None
        start = target if isinstance(target, Aim) else await aim(target, self.view)
        return await under(*action.end(start.x, start.y), self.view)

    async def _begin(self, pictured: bool) -> None:
        """Everything before the effect is settled: ask, and remember how it was."""
        wish, view, action = self.wish, self.view, self.wish.action
        await self._approve()
        deed = await opened(action, wish.expect, self.refs, view, self.told)
        beside = {
            "accept_dialog": wish.accept_dialog,
            "answer": wish.answer,
            "place": self.screen.place(self.ref),
        }
        self.deed = deed.model_copy(update=beside)
        if action.name not in MOVES:
            self.session.ledger.act(view.url, await text_of(view))
        if isinstance(action, Goto):
            self.session.ledger.opened = True
        else:
            self.before = await holds(wish.expect, view, self.ref)
            await view.each("mark")
        if pictured:
            self.picture = await png(view)
        self.begun = True
        accept, opens = wish.accept_dialog or wish.answer is not None, action.name not in MOVES
        self._watch.begin(accept, wish.answer, wish.approved, opens)
        if self._reveals:
            await self._watch.hold(view)

    async def _approve(self) -> None:
        """Raises ``Unapproved`` unless a person agreed to what is about to be done, where one must,
        and ``Failure`` not_done where something is sent that lacks what the task names. Asked at
        the last moment: pages rename their buttons under the pointer."""
        action, view = self.wish.action, self.view
        if action.name in MOVES:
            return
        facts: list[dict[str, Any] | None] = [None]
        if isinstance(action, Press):  # keys go to what has the focus, in whichever document
            facts = await self._focused()
        elif self.ref and (home := view.home(self.ref)) is not None:
            facts = [await home.ask("facts", int(self.ref[1:]))]
        sends = any(known and approval.sends(action, known) for known in facts)
        if sends and not self.wish.approved:
            lacking.check(self.session.ledger.asked, await view.snapshot())
        url, secret = view.url[:200], self._reveals
        for known in facts:
            self._ask(approval.needed(action, self.label, known, self.to, url, secret))

    async def _focused(self) -> list[dict[str, Any] | None]:
        """The facts of what has the focus, in every document. Raises ``Unapproved`` where it is in
        one that does not answer."""
        answers, view = await self.view.every("facts", 0), self.view
        silent = [frame for frame, answer in answers.items() if isinstance(answer, BaseException)]
        assert isinstance(self.wish.action, Press)
        ask = approval.unseen(self.wish.action, self.label, view.url[:200])
        for frame in silent if ask else ():
            if frame.parent_frame not in silent and await view.focused(frame):
                self._ask(ask)
        return [answer for frame, answer in answers.items() if frame not in silent]

    def _ask(self, request: approval.Request | None) -> None:
        """Raises ``Unapproved`` where a person did not agree yet."""
        if request is not None and request not in self.wish.approved:
            raise Unapproved(request)

    async def _settle(self, watch: Watch) -> View:
        """Wait until the page is calm and its requests are answered; the tab then in front."""
        session, end = self.session, time.monotonic() + SETTLE
        while True:
            view = await session.view()
            left = end - time.monotonic()
            try:
                await view.calm()
                if not watch.log.pending or left <= 0:
                    await view.page.wait_for_load_state("domcontentloaded", timeout=2000)
                    break
            except (Error, TimeoutError):  # between two pages, or a script that is busy
                if left <= 0:
                    break
            await asyncio.sleep(0.02)
        if watch.log.stopped:
            for page in watch.log.popups:
                if page.url == "about:blank" and not page.is_closed():
                    await page.close()
        return await session.view()


def _element(found: Found) -> Element | None:
    return found.element if isinstance(found, Aim) else found


def _file(id: str, context: ToolContext) -> File:
    artifact = context.artifact(id)
    name = artifact.origin.rpartition("/")[2] or artifact.id
    return File(name, artifact.mime, context.media.path(artifact).read_bytes())
