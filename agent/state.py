"""The state of a run: what is checkpointed (two numbers and a word) and what is alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import BaseModel

from agent.budget import Budget
from agent.context import RunContext
from agent.events import Event, Token
from agent.journal import Journal
from agent.log import Log
from agent.result import Run
from agent.store import MediaStore
from agent.transcript import Transcript
from mllm.backends.protocol import Backend, Session
from mllm.content import ToolCall, ToolSpec
from tools.protocol import Question, Tool


class State(TypedDict):
    """What LangGraph checkpoints: references only, of a size that never grows."""

    log: int
    """Bytes of ``events.jsonl`` that this checkpoint stands on."""
    steps: int
    """Steps done."""
    next: str
    """The node to go to where there is a choice."""


class Cancelled(Exception):
    """The run was told to stop."""


class ApprovalPending(Exception):
    """A person must decide about ``calls`` first: answer ``question``, or without one say whether
    to repeat an effect that may have happened."""

    def __init__(self, calls: tuple[ToolCall, ...], question: Question | None = None) -> None:
        super().__init__("waiting for approval")
        self.calls, self.question = calls, question


@dataclass
class Live:
    """What the nodes of a running graph share; rebuilt on resume, never checkpointed."""

    run: Run
    backend: Backend
    session: Session
    tools: Mapping[str, Tool]
    budget: Budget
    transcript: Transcript
    media: MediaStore
    context: RunContext
    log: Log
    journal: Journal
    send: Callable[[Event], None]
    """Gives an event to whoever reads the stream, and may wait until it was read."""
    sync_checkpoint: Callable[[], None]
    verify: bool = True
    output_type: type[BaseModel] | None = None
    approve: Mapping[str, str] = field(default_factory=dict)
    """What a person says, by call id: "redo" or "skip" where nobody knows whether a side effect
    happened, "yes" or "no" to a permission, words to any other question."""
    ask: bool = False
    """Stop where a person must be asked, instead of going on without."""
    opening: ToolCall | None = None
    """What is called before the model's first turn."""
    cancelled: Future[None] = field(default_factory=Future)
    """Done when the run is to stop; several runs may share one."""
    closed: bool = False
    _started: float = field(default_factory=time.monotonic)
    _before: float = 0.0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def restart_clock(self) -> None:
        """Count the time at work on from what the transcript holds."""
        self._before, self._started = self.transcript.elapsed, time.monotonic()

    @property
    def lang(self) -> str:
        return self.transcript.lang

    @property
    def step(self) -> int:
        """The step at work, from 1."""
        return len(self.transcript.steps) + 1

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """The tools as they are just now."""
        run = self.context.run
        return [
            tool.spec.model_copy(update={"possible": tool.possible(run)})
            for tool in self.tools.values()
        ]

    def elapsed(self) -> float:
        """Seconds at work, over all resumes."""
        return self._before + time.monotonic() - self._started

    def seconds_left(self) -> float:
        """Time that a tool may take: at least a second, so that it can say something."""
        return max(self.budget.seconds - self.elapsed(), 1.0)

    def emit(self, event: Event) -> None:
        """Record an event, fold it in and show it. Raises ``Cancelled``, ``RunError``."""
        event = event.model_copy(update={"elapsed": round(self.elapsed(), 4)})
        with self._lock:
            self.check()
            if not isinstance(event, Token):
                self.log.append(event)
                self.transcript.add(event)
        shown = time.monotonic()
        self.send(event)
        self._started += time.monotonic() - shown  # the reader's time is not the run's

    def last_word(self, event: Event) -> None:
        """Record the event that ends a run without an answer. Whatever is still at work in a
        thread that was left behind can record nothing after it. Raises ``RunError``."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self.log.append(event.model_copy(update={"elapsed": round(self.elapsed(), 4)}))

    def secure(self) -> None:
        """Put on the disk all that has happened and where the graph stands."""
        self.log.sync()
        self.sync_checkpoint()

    def check(self) -> None:
        """Raises ``Cancelled`` once the run was told to stop."""
        if self.closed or self.cancelled.done():
            raise Cancelled

    def close(self) -> None:
        """Free the model's caches and the run folder's lock."""
        with self._lock:
            self.closed = True
            self.log.close()
            self.journal.close()
        self.session.close()
