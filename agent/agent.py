"""The face of the agent. ``stream`` is the run; ``run``, ``arun``, ``batch`` and ``resume`` drain
it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import BaseModel

from agent import log, media, store, web
from agent.budget import Budget
from agent.drive import Events, Plan, Stop, drain, drive, empty_transcript, set_done
from agent.errors import AgentError, InputError, NeedsApproval, RunFailed
from agent.events import Event
from agent.result import Result
from mllm.backends.protocol import Backend, ModelError, takes
from prompts import language
from tools.protocol import Tool

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from mllm.decoding import Decoding
    from tools.gui.browser import Browser


class TaskArgs(TypedDict, total=False):
    """A task of ``batch``: the arguments of ``run``."""

    task: str
    images: Sequence[media.Source]
    audio: Sequence[str | Path]
    video: Sequence[str | Path]
    url: str
    output_type: type[BaseModel] | None


class Agent:
    """An agent that answers by looking, listening and acting through tools, and checks itself.

    ``model``: "nano", a folder or a Hugging Face name, "openai:NAME@URL", a LangChain chat model
    or a ``Backend``; it is loaded at first use and shared by all runs. ``tools``: those of
    ``tools.default_tools`` unless given. ``runs``: where run folders go, by default
    ``$CORVID_RUNS`` or ``./runs``. ``decoding``: a method of ``mllm.decoding`` or its name
    ("vcd"), for models that run on this machine.
    """

    def __init__(
        self,
        model: str | Backend | BaseChatModel = "nano",
        tools: Sequence[Tool] | None = None,
        *,
        budget: Budget | None = None,
        runs: str | Path | None = None,
        verify: bool = True,
        decoding: str | Decoding | None = None,
    ) -> None:
        self.model = model
        self.budget = budget or Budget()
        self.runs = store.runs_folder(Path(runs) if runs is not None else None)
        self.verify = verify
        self.decoding = decoding
        self._given = tools
        self._loading = threading.Lock()
        self._backend: Backend | None = None
        self._browsers: dict[str, Browser] = {}

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """The tools by name. Raises ``InputError`` when two share a name."""
        from tools import default_tools

        tools = default_tools() if self._given is None else self._given
        by_name = {tool.name: tool for tool in tools}
        if len(by_name) < len(tools):
            raise InputError("Two tools have the same name: give each its own.")
        return by_name

    @property
    def backend(self) -> Backend:
        """The loaded model. Raises ``ModelError`` when it cannot be used."""
        with self._loading:
            if self._backend is None:
                from mllm.backends import load

                self._backend = load(self.model, decoding=self.decoding)
            return self._backend

    def stream(
        self,
        task: str,
        images: Sequence[media.Source] = (),
        audio: Sequence[str | Path] = (),
        video: Sequence[str | Path] = (),
        *,
        url: str = "",
        ask: bool = False,
        output_type: type[BaseModel] | None = None,
    ) -> Iterator[Event]:
        """Do a task, event by event. The last event is ``Answered``, ``Failed`` or
        ``ApprovalNeeded``; leaving the loop early stops the run, which can then be resumed.

        Raises ``InputError`` and ``ModelError`` before anything is run.
        """
        yield from self._begin(Future(), task, images, audio, video, url, ask, output_type)

    def run(
        self,
        task: str,
        images: Sequence[media.Source] = (),
        audio: Sequence[str | Path] = (),
        video: Sequence[str | Path] = (),
        *,
        url: str = "",
        ask: bool = False,
        output_type: type[BaseModel] | None = None,
    ) -> Result:
        """Do a task. ``url``, an address or an HTML file, is opened first, in a browser that stays
        on its domain unless the agent has one of its own. With ``ask`` the run stops with
        ``NeedsApproval`` where a person must agree or answer; without, the model is told that
        there is nobody to ask.

        Raises ``RunFailed`` when it ends without an answer, ``InputError`` and ``ModelError`` when
        it cannot begin."""
        return drain(self._begin(Future(), task, images, audio, video, url, ask, output_type))

    async def arun(
        self,
        task: str,
        images: Sequence[media.Source] = (),
        audio: Sequence[str | Path] = (),
        video: Sequence[str | Path] = (),
        *,
        url: str = "",
        ask: bool = False,
        output_type: type[BaseModel] | None = None,
    ) -> Result:
        """``run`` for asynchronous code. Cancelling it stops the run, which can be resumed."""
        stop: Stop = Future()
        events = self._begin(stop, task, images, audio, video, url, ask, output_type)
        try:
            return await asyncio.to_thread(drain, events)
        except asyncio.CancelledError:
            set_done(stop)
            raise

    def batch(
        self, tasks: Iterable[str | TaskArgs], *, workers: int = 4
    ) -> list[Result | AgentError | ModelError]:
        """Do many tasks with one loaded model. Results come in the order of the tasks; one that
        fails gives its error in its place and costs the others nothing."""
        stop: Stop = Future()

        def one(task: str | TaskArgs) -> Result | AgentError | ModelError:
            given: dict[str, Any] = {"task": task} if isinstance(task, str) else dict(task)
            none = {"images": (), "audio": (), "video": (), "url": "", "output_type": None}
            try:
                return drain(self._begin(stop, ask=False, **(none | given)))
            except (AgentError, ModelError) as error:
                return error

        with ThreadPoolExecutor(workers, thread_name_prefix="batch") as pool:
            try:
                return [future.result() for future in [pool.submit(one, t) for t in tasks]]
            except BaseException:
                set_done(stop)
                pool.shutdown(cancel_futures=True)
                raise

    def resume(
        self,
        run: str | Path,
        *,
        approve: Mapping[str, str] | None = None,
        ask: bool = False,
        output_type: type[BaseModel] | None = None,
    ) -> Result:
        """Go on with a run after a crash, a kill, a failure or for an approval; of a run that
        is done, the result.

        ``run`` is an id or a folder. ``approve`` says by call id what a person decided: "yes" or
        "no" to a permission, words to a question, and "redo" or "skip" where a side effect may or
        may not have happened (it is never repeated silently). Without a word on it the model is
        told, or with ``ask`` the run stops with ``NeedsApproval``.
        """
        return drain(self._resume(Future(), run, approve or {}, ask, output_type))

    def resume_stream(
        self,
        run: str | Path,
        *,
        approve: Mapping[str, str] | None = None,
        ask: bool = False,
        output_type: type[BaseModel] | None = None,
    ) -> Iterator[Event]:
        """``resume``, event by event; a run that is done gives its last event again."""
        yield from self._resume(Future(), run, approve or {}, ask, output_type)

    def _begin(
        self,
        stop: Stop,
        task: str,
        images: Sequence[media.Source],
        audio: Sequence[str | Path],
        video: Sequence[str | Path],
        url: str,
        ask: bool,
        output_type: type[BaseModel] | None,
    ) -> Events:
        if not task.strip():
            raise InputError("The task is empty: say what to find out or to do.")
        inputs = [
            *_named("img", [media.load_image(source) for source in images]),
            *_named("aud", [media.load_file(source, "audio") for source in audio]),
            *_named("vid", [media.load_file(source, "video") for source in video]),
        ]
        self._check_taken(inputs)
        id, backend, url = store.new_id(), self.backend, web.place(url) if url else ""
        tools = self._tools_of(id, url)
        if id in self._browsers:
            web.start(self._browsers[id])
        info = store.RunInfo(
            id=id,
            created=time.time(),
            task=task,
            lang=language(task),
            model=backend.name,
            tools=tuple(tools),
            inputs=tuple(item.artifact for item in inputs),
            budget=self.budget,
            verify=self.verify,
            output_schema=output_type.model_json_schema() if output_type else None,
            url=url,
        )
        run = store.create(self.runs, info, inputs)
        return (yield from self._drive(Plan(run, info, stop, output_type, ask=ask), tools))

    def _resume(
        self,
        stop: Stop,
        id: str | Path,
        approve: Mapping[str, str],
        ask: bool,
        output_type: type[BaseModel] | None,
    ) -> Events:
        run = store.find(id, self.runs)
        info = store.info(run)
        if info.output_schema and output_type is None:
            name = info.output_schema.get("title", "a type")
            raise InputError(f"Run {run.id} answers as {name}: resume it with output_type={name}.")
        if log.status(run.folder) == "done":
            transcript, last = empty_transcript(info), None
            for event in log.read(run.folder):
                transcript.add(last := event)
            assert last is not None
            yield last
            return transcript.result(run, output_type)
        plan = Plan(run, info, stop, output_type, approve, ask)
        return (yield from self._drive(plan, self._tools_of(run.id, info.url)))

    def _drive(self, plan: Plan, tools: Mapping[str, Tool]) -> Events:
        """The run, and the end of its browser: only a run that waits for a person keeps it."""
        ended: Result | RunFailed | None = None
        try:
            ended = yield from drive(plan, self.backend, tools)
            return ended
        finally:
            if not isinstance(ended, NeedsApproval) and plan.run.id in self._browsers:
                self._browsers.pop(plan.run.id).close()

    def _check_taken(self, inputs: Sequence[media.Loaded]) -> None:
        """``InputError`` for what nothing here sees or hears: a model would answer by its id."""
        for item in inputs:
            kind, tools = item.artifact.kind, self.tools.values()
            if not takes(self.backend, kind) and not any(tool.takes(kind) for tool in tools):
                raise InputError(
                    f"{item.artifact.origin} is {kind}, which neither {self.backend.name} nor any "
                    f"of the tools takes: leave it away, or give the agent a tool with an argument "
                    f"of type {kind.title()}."
                )

    def _tools_of(self, id: str, url: str) -> dict[str, Tool]:
        """The tools of a run; one that begins at an address has a browser in any case."""
        if not url or "browser" in self.tools:
            return self.tools
        browser = self._browsers.setdefault(id, web.browser(url))
        return {**self.tools, browser.name: browser, browser.page.name: browser.page}


def _named(stem: str, loaded: list[media.Loaded]) -> list[media.Loaded]:
    """Inputs under their ids: img1, img2, ..."""
    return [item.named(f"{stem}{number}") for number, item in enumerate(loaded, 1)]
