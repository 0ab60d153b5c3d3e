"""One action from target to verdict, and the observation that follows it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from PIL import Image as PILImage
from playwright.async_api import Error

from tools.annotate import draw_boxes
from tools.gui import failures
from tools.gui.actions import LOOKS, Action, Drag, Expect, Goto, Spot, Target, Upload
from tools.gui.hand import File, Hand
from tools.gui.observation import Element, Snapshot, Told
from tools.gui.perform import perform
from tools.gui.preflight import Aim, at, resolve, spot_is_fresh
from tools.gui.session import Session
from tools.gui.targets import missing
from tools.gui.verdict import decide, holds, within
from tools.gui.view import View
from tools.gui.watch import Watch
from tools.protocol import Picture, ToolContext

PATIENCE = 20.0
"""Seconds that an action may take before the page settles."""
CALM = 40
"""Milliseconds without a change after which a page has settled."""
SETTLE = 3.0
"""Seconds that a page gets to settle."""
EXPECT = 2.0
"""Seconds that an expectation gets to come true in a page that has settled."""
MARKS = 80
"""Elements that are drawn on a picture with marks."""
SHOTS = 20
"""Screenshots that points may still refer to."""

Seen = list[str | Picture]


@dataclass(frozen=True)
class Wish:
    """What a model asks for: an action, what it expects of it, what to say to questions."""

    action: Action
    expect: Expect | None = None
    accept_dialog: bool = False
    answer: str | None = None


@dataclass
class Driver:
    """Drives the tab in front. All of it runs in the session's thread."""

    session: Session
    budget: int
    pictures: bool = True
    """Whether every action brings a screenshot."""
    told: Told = field(default_factory=Told)
    shots: OrderedDict[str, Snapshot] = field(default_factory=OrderedDict)
    """What was on the screen when a picture was taken, by the picture's hash."""

    async def act(self, wish: Wish, context: ToolContext) -> Seen:
        """Raises ``Failure`` where nothing was done or nothing changed."""
        action, expect = wish.action, wish.expect
        view = await self.session.view(start=isinstance(action, Goto))
        watch = self.session.watch
        assert watch is not None
        target = await self._target(getattr(action, "target", None), view, context)
        to = await self._target(action.to, view, context) if isinstance(action, Drag) else None
        file = _file(action.file, context) if isinstance(action, Upload) else None
        element = target.element if isinstance(target, Aim) else target
        ref = element.ref if element else ""
        url, before, picture = view.page.url, dict[str, bool](), b""

        async def begin() -> None:
            nonlocal before, picture
            if not isinstance(action, Goto):
                before = await holds(expect, view, ref)
                await view.each("mark")
            if isinstance(target, Aim) or (element and element.role == "canvas"):
                picture = await _png(view)
            watch.begin(wish.accept_dialog or wish.answer is not None, wish.answer)

        hand = Hand(view, self.session, begin, target, to, file)
        limit = PATIENCE + getattr(action, "seconds", 0.0)
        try:
            done = await asyncio.wait_for(perform(action, hand), limit)
        except TimeoutError:
            raise failures.timeout(action.name) from None
        view = await self._settle(watch)
        after = await within(expect, view, ref, EXPECT) if expect else {}
        log = watch.log
        looks = action.name in LOOKS
        verdict = decide(before, after, done, log.refusals, bool(log.pending), looks)
        if verdict.kind != "verified":
            if log.stopped:
                raise failures.refused(*log.stopped[0])
            if log.dismissed:
                raise failures.dialog(log.dismissed)
        snapshot = await view.snapshot()
        quiet = not log.eventful() and not snapshot.changes and view.page.url == url
        if verdict.kind == "unverified" and done.must_change and quiet:
            drawn = done.by_picture and picture and picture != await _png(view)
            if not drawn:
                raise failures.no_effect(done.what)
        lines = [f"{done.what}: {verdict.words()}", *log.words()]
        if view.page in log.popups:
            lines.append("a new tab is in front; back closes it")
        text = "\n".join([*lines, done.text]).strip()
        news = self.told.news(snapshot, self.budget - len(text.encode()) - 1)
        told = f"{text}\n{news}"
        return [told, *await self._shot(view, snapshot)] if self.pictures else [told]

    async def look(self, find: str = "", after: str = "", marks: bool = False) -> Seen:
        """The whole page within the budget, or the part of it that is asked for; with ``marks``
        the references are drawn on the screenshot."""
        view = await self.session.view()
        snapshot = await view.snapshot()
        if after and snapshot.find(after) is None:
            raise missing(snapshot, after, self.told.past.get(after))
        if find or after:
            return [self.told.matching(snapshot, find, after, self.budget)]
        whole = self.told.whole(snapshot, self.budget)
        if marks:
            return [whole, _marked(await _png(view), snapshot)]
        return [whole, *await self._shot(view, snapshot)]

    async def _shot(self, view: View, snapshot: Snapshot) -> Seen:
        """The screenshot, remembered for points on it."""
        try:
            data = await _png(view)
        except Error:
            return ["no screenshot could be taken"]
        self.shots[hashlib.sha256(data).hexdigest()] = snapshot
        while len(self.shots) > SHOTS:
            self.shots.popitem(last=False)
        return [Picture(PILImage.open(io.BytesIO(data)), parent="", name="screen", data=data)]

    async def _target(
        self, target: Target | None, view: View, context: ToolContext
    ) -> Element | Aim | None:
        if not isinstance(target, Spot):
            return await resolve(target, view, self.told) if target else None
        point = target.point(context)
        shown = self.shots.get(context.artifact(target.picture).sha256)
        spot_is_fresh(point, shown, await view.snapshot())
        return await at(point, view)

    async def _settle(self, watch: Watch) -> View:
        """Wait until the page is calm and its requests are answered; the tab then in front."""
        end = time.monotonic() + SETTLE
        while True:
            view = await self.session.view()
            left = end - time.monotonic()
            try:
                await view.each("quiet", CALM, 500)
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
        return await self.session.view()


def _marked(data: bytes, snapshot: Snapshot) -> Picture:
    """The screenshot with a frame and the reference on every control in view."""
    boxes = snapshot.boxes("screen")[:MARKS]
    drawn = draw_boxes(PILImage.open(io.BytesIO(data)), boxes, numbered=False)
    return Picture(drawn, parent="", name="marked")


def _file(id: str, context: ToolContext) -> File:
    artifact = context.artifact(id)
    name = artifact.origin.rpartition("/")[2] or artifact.id
    return File(name, artifact.mime, context.media.path(artifact).read_bytes())


async def _png(view: View) -> bytes:
    return await view.page.screenshot(scale="css", timeout=5000)
