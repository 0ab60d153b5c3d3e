"""From what a model asks for to what it is told: attempts, recoveries, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import Error

from mllm.content import Record
from tools.gui import failures
from tools.gui.actions import Action, Back, Finish, Goto, Target
from tools.gui.approval import Unapproved
from tools.gui.attempt import Attempt, Outcome
from tools.gui.capture import shot
from tools.gui.deeds import Deed
from tools.gui.failures import Failure
from tools.gui.loops import Loops, state_of
from tools.gui.observation import Told, fitted
from tools.gui.recovery import Recovery
from tools.gui.screen import Screen
from tools.gui.session import Session
from tools.gui.tabs import where
from tools.gui.targets import missing
from tools.gui.wish import PIECE, Seen, Wish
from tools.protocol import ToolContext

ROOM = 1024
"""Bytes of what is told of an action that are left for what is new on the page."""


@dataclass
class Driver:
    """Drives the tab in front. All of it runs in the session's thread."""

    session: Session
    budget: int
    pictures: bool = True
    """Whether every action brings a screenshot."""
    told: Told = field(default_factory=Told)
    screen: Screen = field(default_factory=Screen)
    loops: Loops = field(default_factory=Loops)
    state: str = ""
    """Of the page as it was last seen."""
    untold: list[str] = field(default_factory=list)
    """Recoveries that the next observation tells of."""
    deeds: list[Deed] = field(default_factory=list)
    """What recoveries did; the next observation records it."""
    run: str | None = None
    """The run at work: another run begins with nothing told, shown, tried or claimed."""

    async def act(self, wish: Wish, context: ToolContext) -> Seen:
        """Raises ``Failure`` where nothing was done or nothing changed, and ``Unapproved`` where a
        person must agree first. A failure, too, tells what is new on the page."""
        self._enter(context)
        action = wish.action
        wish.refuse_secrets(self.session.secrets)
        await self._refuse_loop(wish)
        recovery = Recovery(_targets(action), self.untold, self.deeds)
        while True:
            view = await self.session.view(start=isinstance(action, Goto))
            attempt = Attempt(self.session, self.told, self.screen, wish, context, view)
            try:
                return await self._tell(await attempt.make(recovery.targets), action, attempt.ref)
            except Unapproved:
                if attempt.questioned():
                    self.untold.append("the page asked a question, which was first answered no")
                raise
            except Failure as failure:
                final = await self._mend(recovery, failure, not attempt.eventful())
                if final is not None:
                    self.loops.note(self.state, action, attempt.ref, effect=False)
                    raise await self._with_news(final) from None
            finally:
                self._rest()

    async def look(
        self, context: ToolContext, find: str = "", after: str = "", marks: bool = False
    ) -> Seen:
        """The whole page within the budget, or the part of it that is asked for; with ``marks``
        the references are drawn on the screenshot."""
        self._enter(context)
        view = await self.session.view()
        snapshot = await view.snapshot()
        self.state = state_of(snapshot, where(self.session))
        if after and snapshot.find(after) is None:
            raise missing(snapshot, after, self.told.past.get(after))
        if find or after:
            return [self.told.matching(snapshot, find, after, self.budget)]
        tabs = where(self.session)
        whole = self.told.whole(snapshot, self.budget - len(tabs) - 1)
        picture = await shot(self.screen, view, snapshot, marks)
        return ["\n".join(filter(None, (whole, tabs))), *picture]

    async def _tell(self, outcome: Outcome, action: Action, ref: str) -> Seen:
        """What was done and what is new, within the budget; and what later actions and claims must
        agree with."""
        done, snapshot, ledger = outcome.done, outcome.snapshot, self.session.ledger
        if done.own and done.ref:
            ledger.entered.add(done.ref)
        if isinstance(action, Finish):
            ledger.clear(ledger.asked.task)
        beyond = outcome.beyond and not isinstance(action, Goto | Back)
        state = state_of(snapshot, where(self.session))
        self.loops.note(self.state, action, ref, effect=beyond or state != self.state)
        self.state = state
        lines = [*self.untold, *outcome.lines, where(self.session)]
        self.untold.clear()
        text = fitted("\n".join(filter(None, lines)), self.budget - ROOM)
        text += f"\n{self.told.news(snapshot, self.budget - len(text.encode()) - 1)}"
        if outcome.deed is not None:
            self.deeds.append(outcome.deed)
        records = [Record(data=deed.model_dump(mode="json")) for deed in self.deeds]
        self.deeds.clear()
        if not self.pictures:
            return [text, *records]
        return [text, *records, *await shot(self.screen, outcome.view, snapshot)]

    async def _mend(self, recovery: Recovery, failure: Failure, quiet: bool) -> Failure | None:
        """None when the action may be tried again; else what to tell, with all that was tried.
        ``quiet``: the action caused nothing beyond the page before it failed."""
        self._rest()
        try:
            offered = quiet and recovery.offers(failure)
            if offered and await recovery.mend(failure, await self.session.view()):
                return None
        except Failure as clearer:
            failure = clearer
        said = " ".join((failure.text, *(f"Before that: {line}." for line in self.untold)))
        self.untold.clear()
        return Failure(failure.kind, said)

    async def _with_news(self, failure: Failure) -> Failure:
        """The failure, and what is new on the page since the model was last told of it."""
        try:
            view = await self.session.view()
            await view.calm()
            snapshot = await view.snapshot()
        except (Failure, Error, TimeoutError):  # no page is open, or it hangs
            return failure
        tabs = where(self.session)
        self.state = state_of(snapshot, tabs)
        failed = Failure(failure.kind, "\n".join(filter(None, (failure.text, tabs))))
        left = min(self.budget, PIECE) - len(str(failed).encode()) - 1
        news = self.told.changes(snapshot, left)
        return Failure(failed.kind, f"{failed.text}\n{news}") if news else failure

    def _rest(self) -> None:
        if self.session.watch is not None:
            self.session.watch.rest()

    async def _refuse_loop(self, wish: Wish) -> None:
        action = wish.action
        if not self.loops.stuck(self.state, action):
            return
        try:
            snapshot = await (await self.session.view()).snapshot()
        except Failure:  # no page is open, or it hangs: then it is not as it was
            return
        self.state = state_of(snapshot, where(self.session))
        if self.loops.stuck(self.state, action):
            raise failures.loop(wish.short, self.loops.others(self.state, snapshot))

    def _enter(self, context: ToolContext) -> None:
        if context.run != self.run:
            self.run, self.told, self.loops = context.run, Told(), Loops()
            self.screen = Screen()
            self.untold.clear()
            self.deeds.clear()
            self.session.ledger.clear(context.task)


def _targets(action: Action) -> dict[str, Target]:
    named = {name: getattr(action, name, None) for name in ("target", "to")}
    return {name: target for name, target in named.items() if target is not None}
