"""Running a graph and handing on its events, whatever happens to it.

The graph works in a thread of its own: whoever reads the events can leave at any moment (Ctrl-C,
a closed stream), even while a model or a tool does not come back. What is left behind can record
nothing any more.
"""

from __future__ import annotations

import sqlite3
import threading
import traceback
from collections.abc import Generator, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel

from agent import budget, log, outcome, web
from agent.context import RunContext
from agent.errors import AgentError, NeedsApproval, RunError, RunFailed
from agent.events import (
    ApprovalNeeded,
    Decided,
    Event,
    Failed,
    Interrupted,
    Resumed,
    RunStarted,
)
from agent.journal import Journal
from agent.result import Result, Run
from agent.state import ApprovalPending, Cancelled, Live, State
from agent.store import MediaStore, RunInfo
from agent.transcript import Transcript
from mllm.backends.protocol import Backend, ModelError
from tools.pool import default_pool
from tools.protocol import Tool

if TYPE_CHECKING:
    from agent.checkpoint import Checkpoints

GRACE = 2.0
"""Seconds that a model or a tool gets to come back when the run is stopped."""

SHORT = 0.5
"""Seconds within which Ctrl-C is noticed at the latest."""

Stop: TypeAlias = "Future[None]"
"""Done when the runs that share it are to stop."""

Events: TypeAlias = Generator[Event, None, "Result | RunFailed"]
"""The events of a run; it returns how the run ended."""


@dataclass(frozen=True)
class Plan:
    """What to run and how."""

    run: Run
    info: RunInfo
    stop: Stop
    output_type: type[BaseModel] | None = None
    approve: Mapping[str, str] = field(default_factory=dict)
    ask: bool = False


@dataclass(frozen=True)
class _End:
    """The graph ended: by itself (None) or by an error."""

    error: BaseException | None


class _Handover:
    """Hands events from the graph's thread to the reader. The graph may run ahead, but waits for
    the reader before it makes calls: one who leaves at ``Decided`` leaves before anything is
    done. (Waiting at every event would cost two switches of threads each time.)"""

    def __init__(self) -> None:
        self._items: SimpleQueue[Event | _End] = SimpleQueue()
        self._asked: SimpleQueue[None] = SimpleQueue()

    def give(self, event: Event) -> None:
        """Give an event; of one that leads to calls, wait until the reader asks for more."""
        self._items.put(event)
        if _leads_to_calls(event):
            self._asked.get()

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes; whoever waits in ``give`` waits no longer."""
        self._items.put(_End(error))
        self._asked.put(None)

    def take(self) -> Event | _End:
        # In short waits: a Ctrl-C that comes just before a wait begins is noticed when it ends.
        while True:
            with suppress(Empty):
                return self._items.get(timeout=SHORT)

    def ask(self, event: Event) -> None:
        """The reader is done with ``event``."""
        if _leads_to_calls(event):
            self._asked.put(None)


def _leads_to_calls(event: Event) -> bool:
    return isinstance(event, Decided) and bool(event.calls)


def drive(plan: Plan, backend: Backend, tools: Mapping[str, Tool]) -> Events:
    """Run or go on with a run. Raises ``RunError`` when its folder cannot be used at all."""
    folder = plan.run.folder
    events = _Handover()
    with (
        closing(log.Log(folder)) as record,
        closing(_checkpoints(folder)) as checkpoints,
        closing(_live(plan, backend, tools, record, checkpoints, events)) as live,
    ):

        def work() -> None:
            try:
                _walk(plan, live, checkpoints)
                events.end(None)
            except BaseException as error:
                events.end(error)

        plan.stop.add_done_callback(lambda _: events.end(Cancelled()))
        thread = threading.Thread(target=work, name=f"run {plan.run.id}", daemon=True)
        thread.start()
        try:
            while not isinstance(item := events.take(), _End):
                yield item
                events.ask(item)
            if item.error is None or isinstance(item.error, Cancelled):
                thread.join(GRACE)
            if live.transcript.answered is not None:
                return live.transcript.result(plan.run, plan.output_type)
            failure, event = _failure(item.error, plan.run)
            with suppress(RunError):  # a full disk cannot keep even this
                live.last_word(event)
            yield event
            return failure
        except (KeyboardInterrupt, GeneratorExit):
            set_done(plan.stop)
            thread.join(GRACE)
            if live.transcript.answered is None:
                with suppress(RunError):
                    live.last_word(Interrupted())
            raise


def drain(events: Events) -> Result:
    """The result at the end. Raises the ``RunFailed`` that the run ended with."""
    with closing(events):  # at once, also on Ctrl-C: not when the garbage collector comes by
        while True:
            try:
                next(events)
            except StopIteration as end:
                ended: Result | RunFailed = end.value
                break
    if isinstance(ended, RunFailed):
        raise ended
    return ended


def set_done(stop: Stop) -> None:
    with suppress(InvalidStateError):
        stop.set_result(None)


def empty_transcript(info: RunInfo) -> Transcript:
    """The transcript of a run before its first event."""
    note = budget.note(info.budget, budget.Spent(), info.lang)
    return Transcript(task=info.task, lang=info.lang, note=note, inputs=info.inputs)


def _walk(plan: Plan, live: Live, checkpoints: Checkpoints) -> None:
    """Walk the graph from where its last checkpoint stands. The record is cut back to there:
    what came after is done again, side effects excepted (``agent.journal``)."""
    from agent.graph import build

    graph = build(checkpoints)
    config: Any = {
        "configurable": {"thread_id": plan.run.id},
        "recursion_limit": 10 * plan.info.budget.steps + 100,
    }
    saved = graph.get_state(config).values
    live.log.cut(saved.get("log", 0))
    for event in log.read(plan.run.folder):
        live.transcript.add(event)
    live.transcript.faults = 0
    live.restart_clock()
    start: State | None = None
    folder, task = str(plan.run.folder), plan.info.task
    if saved:
        live.emit(Resumed(run=plan.run.id, folder=folder, task=task))
    else:
        live.emit(
            RunStarted(
                run=plan.run.id,
                folder=folder,
                task=task,
                lang=plan.info.lang,
                model=plan.info.model,
                tools=plan.info.tools,
                note=live.transcript.note,
            )
        )
        start = State(log=live.log.size, steps=0, next="perceive")
    graph.invoke(start, config, context=live, durability="sync")


def _checkpoints(folder: Path) -> Checkpoints:
    from agent.checkpoint import Checkpoints  # LangGraph: a second that only a run must wait for

    try:
        return Checkpoints(folder)
    except sqlite3.Error as error:
        raise log.disk_error(folder, error) from error


def _live(
    plan: Plan,
    backend: Backend,
    tools: Mapping[str, Tool],
    record: log.Log,
    checkpoints: Checkpoints,
    events: _Handover,
) -> Live:
    files = MediaStore(plan.run.folder)
    transcript = empty_transcript(plan.info)
    return Live(
        run=plan.run,
        backend=backend,
        session=backend.session(files),
        tools=tools,
        budget=plan.info.budget,
        transcript=transcript,
        media=files,
        context=RunContext(files, backend, default_pool(), transcript, plan.run.id),
        log=record,
        journal=Journal(plan.run.folder),
        send=events.give,
        sync_checkpoint=checkpoints.sync,
        verify=plan.info.verify,
        output_type=plan.output_type,
        approve=plan.approve,
        ask=plan.ask,
        opening=web.opening(plan.info.url) if plan.info.url else None,
        cancelled=plan.stop,
    )


def _failure(error: BaseException | None, run: Run) -> tuple[RunFailed, Event]:
    """How a run that did not answer is told to people and to its record."""
    failure: RunFailed
    event: Event
    if isinstance(error, ApprovalPending):
        event = ApprovalNeeded(calls=error.calls, question=error.question)
        failure = NeedsApproval(outcome.asked(event), run, error.calls, error.question)
    elif isinstance(error, Cancelled):
        failure, event = RunFailed("The run was stopped.", run), Interrupted()
    else:
        if isinstance(error, sqlite3.Error):
            error = log.disk_error(run.folder, error)
        known = isinstance(error, AgentError | ModelError)
        said = str(error) if known else f"{type(error).__name__}: {error}"
        trace = "".join(traceback.format_exception(error)) if error else ""
        failure, event = RunFailed(said, run), Failed(error=said, traceback=trace)
    failure.__cause__ = error
    return failure, event
