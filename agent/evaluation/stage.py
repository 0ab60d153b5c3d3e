"""Where suites let a model act: one browser and one site for many tasks, and the time it takes.

``pages_runner`` plays our own page tasks on it, ``miniwob_runner`` those of MiniWoB++.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from agent import budget as costs
from agent.agent import Agent
from agent.budget import Budget
from agent.evaluation.pages_site import Site
from agent.events import Decided, Failed, Malformed, StepDone
from agent.transcript import Transcript
from mllm.backends.protocol import Backend
from mllm.content import ToolResult
from mllm.episode import Step
from prompts import language
from tools import Browser, Calculate
from tools.gui.failures import Failure
from tools.gui.view import View

SIZE = (640, 480)
SECONDS = 10.0
"""That a look at the page may take."""


@dataclass
class Times:
    """Seconds of the steps that a model asked for: its own, those of looking, the rest."""

    decide: float = 0.0
    observe: float = 0.0
    act: float = 0.0


@dataclass(frozen=True)
class Performance:
    """What came of a task. ``steps`` are those that the model asked for; ``failed`` says why the
    run ended without an answer, or is empty."""

    told: Transcript
    steps: Sequence[Step]
    times: Times
    failed: str

    @property
    def results(self) -> Sequence[ToolResult]:
        return [result for step in self.steps for result in step.results]


@dataclass
class Stage:
    """One browser and one site for many tasks; a person agrees to all that is asked."""

    size: tuple[int, int] = SIZE
    site: Site = field(default_factory=Site)
    _looking: float = 0.0
    """Seconds of looking since the model decided."""
    _open: ExitStack = field(default_factory=ExitStack)

    def perform(
        self, backend: Backend, asked: str, *, url: str = "", budget: Budget | None = None
    ) -> Performance:
        """Let a model do what is ``asked``. ``url`` is opened first, which is no step of its."""
        budget, lang = budget or Budget(), language(asked)
        tools = [Calculate(), self.browser]
        agent = Agent(backend, tools, runs=self._runs, verify=False, budget=budget)
        told = Transcript(task=asked, lang=lang, note=costs.note(budget, costs.Spent(), lang))
        self._looking = 0.0
        times, decided, failed, opening = Times(), 0.0, "", 1 if url else 0
        for event in agent.stream(asked, url=url):
            told.add(event)
            match event:
                case Decided() | Malformed():
                    decided, self._looking = event.seconds, 0.0
                case StepDone() if len(told.steps) > opening:
                    times.decide += decided
                    times.observe += self._looking
                    times.act += max(event.seconds - decided - self._looking, 0.0)
                case Failed():
                    failed = event.error
        return Performance(told, told.steps[opening:], times, failed)

    def look(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page in front, None where it has none."""
        session = self.browser.session

        async def ask() -> Any:
            return await (await session.view()).page.evaluate(expression)

        try:
            return session.call(ask, SECONDS, "looking")
        except Exception:  # no page, or one that is gone, or another one
            return None

    def clear(self) -> None:
        """No tabs, and references from e1 on: as in a browser that was just started."""
        session = self.browser.session
        with suppress(Failure):  # of a browser that is gone nothing is left to close
            session.call(session.clear, SECONDS, "closing tabs")

    def __enter__(self) -> Self:
        temporary = tempfile.TemporaryDirectory(prefix="corvid-stage-")
        self._runs = self._open.enter_context(temporary)
        self._open.enter_context(self.site)
        self.browser = self._open.enter_context(
            Browser(allowed=("127.0.0.1",), approve=lambda _: True, size=self.size, pictures=False)
        )
        self._open.enter_context(_timed(View, "snapshot", self._looked))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open.close()

    def _looked(self, seconds: float) -> None:
        self._looking += seconds


@contextmanager
def _timed(owner: type, name: str, spent: Callable[[float], None]) -> Iterator[None]:
    """Tell ``spent`` the seconds of every call of an asynchronous method. The browser says what an
    action took as a whole; how much of it was looking, nobody else says."""
    method = getattr(owner, name)

    async def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return await method(*arguments, **named)
        finally:
            spent(time.perf_counter() - began)

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, method)
