"""Playing MiniWoB++ (arXiv 1802.08802) in the real browser: its own HTML, without its library.

An episode is a fresh tab, begun with a seed and scored by the page. Only the task's area is left
on the page: what surrounds it counts rewards and time. Its words go to the agent as the task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from agent.budget import Budget
from agent.errors import InputError
from agent.evaluation.pages_site import Site
from agent.evaluation.stage import Performance, Stage, Times
from mllm.backends.protocol import Backend, Session
from mllm.content import MediaReader, Message, ToolResult, ToolSpec, Turn
from mllm.episode import Episode
from tools.gui.failures import Kind

OPEN = tuple(files("agent.evaluation").joinpath("miniwob_open.txt").read_text("utf-8").split())
"""The tasks that may be looked at while Corvid is made; the others are for final checks."""
SIZE = (500, 320)
"""The window in which the tasks were made; each uses 160 x 210 pixels of it."""
STEPS = 25
"""Steps of an episode, of which opening the page is one."""
LOADING = 60.0
"""Seconds for the browser to start and a task to begin, also where a model is being trained."""
ENDED = "The page has ended the task."

Ending = Literal["success", "wrong", "gave_up", "unfinished", "crashed"]
"""The page rewards it, or not; the model stops before the page does; no steps are left; the run
broke off."""


@dataclass(frozen=True)
class Played:
    """How an episode went. ``reward`` is the page's, not discounted by time; ``failed`` counts the
    actions that failed, by the kind of their failure."""

    ending: Ending
    reward: float = 0.0
    steps: int = 0
    actions: int = 0
    times: Times = field(default_factory=Times)
    failed: Counter[str] = field(default_factory=Counter)
    why: str = ""
    """Of one that crashed."""
    episode: Episode | None = None
    """All that happened, opening the page included; None of one that crashed."""


class MiniWob(Stage):
    """The tasks of MiniWoB++ on a stage. Raises ``InputError`` where they are not installed."""

    def __init__(self) -> None:
        spec = find_spec("miniwob")  # found, not imported: its imports are not needed
        if spec is None or not spec.submodule_search_locations:
            raise InputError(
                "the pages of MiniWoB++ are not installed: get them with "
                "`pip install --no-deps miniwob` or `pip install 'corvid-agent[miniwob]'`"
            )
        self._folder = Path(spec.submodule_search_locations[0]) / "html"
        super().__init__(size=SIZE, site=Site(beside=self._folder))

    def knows(self, task: str) -> bool:
        return self._page(task).is_file()

    def play(self, task: str, seed: int, policy: Callable[[str], Backend]) -> Played:
        """Let a model play an episode; ``policy`` gives the model for the words of the task. One
        that breaks off, for whatever reason, is an episode that failed."""
        try:
            url, asked = self._begin(task, seed)
            # The same document: it is not loaded again, and the first thing that is seen.
            backend = _Until(policy(asked), lambda: self.look("WOB_DONE_GLOBAL") is True)
            came = self.perform(backend, asked, url=f"{url}#begun", budget=Budget(steps=STEPS))
            done, reward = self.look("[WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL]") or (False, 0)
            reward = float(reward)
        except Exception as error:
            return Played("crashed", why=f"{type(error).__name__}: {error}")
        return Played(
            ending=_ending(done, reward, came),
            reward=reward,
            steps=len(came.steps),
            actions=len(came.results),
            times=came.times,
            failed=Counter(_kind(result) for result in came.results if result.error),
            why=came.failed,
            episode=came.told.episode().model_copy(update={"steps": tuple(came.told.steps)}),
        )

    def _begin(self, task: str, seed: int) -> tuple[str, str]:
        """Open the task in a fresh tab and begin it: its address, and what is asked."""
        # Under one name for all, so that nobody reads off the address which task it is.
        url = self.site.put("miniwob/page", self._page(task).read_text("utf-8"))
        self.clear()
        session = self.browser.session

        async def begin() -> Any:
            page = (await session.view(start=True)).page
            await page.goto(url, timeout=1000 * LOADING)
            await page.evaluate(_BEGIN, seed)
            await page.wait_for_function("WOB_TASK_READY")
            return await page.evaluate("core.getUtterance()")

        said = session.call(begin, LOADING, "beginning the task")
        return url, said if isinstance(said, str) else str(said["utterance"])

    def _page(self, task: str) -> Path:
        return self._folder / "miniwob" / f"{task}.html"


class _Until:
    """A model that is asked no more once ``over`` holds: the run then ends without its doing."""

    def __init__(self, backend: Backend, over: Callable[[], bool]) -> None:
        self.name, self._backend, self._over = backend.name, backend, over

    def session(self, media: MediaReader) -> Session:
        return _UntilSession(self._backend.session(media), self._over)


class _UntilSession:
    def __init__(self, session: Session, over: Callable[[], bool]) -> None:
        self._session, self._over = session, over

    def close(self) -> None:
        self._session.close()

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), **options: Any
    ) -> Iterator[str | Turn]:
        if self._over():
            yield Turn(text=ENDED)
        else:
            yield from self._session.stream(messages, tools, **options)


def _ending(done: bool, reward: float, came: Performance) -> Ending:
    if done:
        return "success" if reward > 0 else "wrong"
    if came.failed:
        return "crashed"
    return "unfinished" if len(came.steps) >= STEPS - 1 else "gave_up"


def _kind(result: ToolResult) -> str:
    """How an action failed; "other" where the browser has no word for it."""
    kind = result.words().partition(":")[0]
    return kind if kind in get_args(Kind) else "other"


_BEGIN = """seed => {
  document.title = "";
  const style = document.createElement("style");
  style.textContent =
    "#reward-display, #click-canvas, #sync-task-cover { display: none !important }";
  document.head.append(style);
  Math.seedrandom(seed);
  core.EPISODE_MAX_TIME = 1000000;
  core.startEpisodeReal();
  core.clearTimer();  // a clock that nobody sees would be a change of the page every second
}"""
