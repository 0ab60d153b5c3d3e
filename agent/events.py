"""What happens in a run, one typed event after the other.

``Agent.stream`` yields them, the run folder keeps them as JSON lines (all but ``Token``), and
everything that is known of a run is a fold over them (``agent.transcript``). ``step`` counts
from 1; it is 0 before the first step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from agent.result import Claim, Questions
from mllm.content import Artifact, ToolCall, ToolResult, Usage, Value
from tools.protocol import Question


class _Event(Value):
    time: float = Field(default_factory=time.time, description="seconds since 1970")
    elapsed: float = Field(default=0.0, description="seconds at work since the run started")
    step: int = 0


class RunStarted(_Event):
    type: Literal["run_started"] = "run_started"
    run: str = Field(description="id of the run")
    folder: str
    task: str
    lang: str
    model: str
    tools: tuple[str, ...]
    note: str = Field(default="", description="the budget, as told to the model")


class Resumed(_Event):
    type: Literal["resumed"] = "resumed"
    run: str
    folder: str
    task: str


class Perceived(_Event):
    """The inputs have ids."""

    type: Literal["perceived"] = "perceived"
    artifacts: tuple[Artifact, ...]


class Planned(_Event):
    type: Literal["planned"] = "planned"
    plan: str | None = Field(description="None when the model gave no plan")
    usage: Usage = Usage()
    seconds: float = 0.0


class Token(_Event):
    """Text as the model writes it. Shown live, never stored."""

    type: Literal["token"] = "token"
    node: Literal["plan", "decide", "answer"]
    text: str


class Decided(_Event):
    """The model's turn. Without calls, ``thought`` is its answer, still to be verified."""

    type: Literal["decided"] = "decided"
    thought: str
    reasoning: str = Field(default="", description="what it thought before it spoke")
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    seconds: float = 0.0


class Malformed(_Event):
    """The model's turn was neither an answer nor a call. It is shown its fault."""

    type: Literal["malformed"] = "malformed"
    text: str
    error: str
    usage: Usage = Usage()
    seconds: float = 0.0


class Called(_Event):
    """A tool starts working."""

    type: Literal["called"] = "called"
    call: ToolCall


class Observed(_Event):
    """A tool's result, with the artifacts that it added to the run."""

    type: Literal["observed"] = "observed"
    result: ToolResult
    artifacts: tuple[Artifact, ...] = ()
    seconds: float = 0.0
    traceback: str = Field(default="", description="of a tool that raised, for people")
    full_text: str = Field(default="", description="file with the whole of a cut text")
    answers: Mapping[str, str] = Field(default={}, description="of a person asked, by question")


class StepDone(_Event):
    """The step is complete and safely stored. ``note`` is what the loop tells the model."""

    type: Literal["step_done"] = "step_done"
    note: str
    seconds: float = 0.0


class Verified(_Event):
    """Claims of the answer, judged. ``again``: contradicted, the model is asked once more.
    ``answer`` is the one that these claims belong to: where the second is contradicted as well,
    it is no better founded than the first, and the first stands."""

    type: Literal["verified"] = "verified"
    answer: str
    asked: Questions = Questions()
    claims: tuple[Claim, ...]
    again: bool = False
    usage: Usage = Usage()
    seconds: float = 0.0
    error: str = Field(default="", description="why verification itself failed, when it did")


class Answered(_Event):
    """The end of a run that gave an answer."""

    type: Literal["answered"] = "answered"
    answer: str
    value: Any = Field(default=None, description="the answer as ``output_type``, in JSON")
    claims: tuple[Claim, ...] = ()
    tokens: Usage = Usage()
    usage: Usage = Field(default=Usage(), description="of this event alone: writing ``value``")


class Failed(_Event):
    """The run ended without an answer; it can be resumed."""

    type: Literal["failed"] = "failed"
    error: str
    traceback: str = ""


class Interrupted(_Event):
    """Stopped from outside (Ctrl-C, or nobody reads the stream); it can be resumed."""

    type: Literal["interrupted"] = "interrupted"


class ApprovalNeeded(_Event):
    """The run waits for a person. Without a ``question`` the calls are side effects that may or
    may not have happened: redo or skip them? With one they did not happen."""

    type: Literal["approval_needed"] = "approval_needed"
    calls: tuple[ToolCall, ...]
    question: Question | None = None


Event = (
    RunStarted
    | Resumed
    | Perceived
    | Planned
    | Token
    | Decided
    | Malformed
    | Called
    | Observed
    | StepDone
    | Verified
    | Answered
    | Failed
    | Interrupted
    | ApprovalNeeded
)

EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
"""Parses and dumps one event: ``EVENT.validate_json(line)``."""
