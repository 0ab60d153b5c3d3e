"""The loop, as a graph that fits on one screen.

    perceive ─▶ plan ─▶ decide ─▶ act ─▶ observe ─▶ decide ...
                          │  └─ malformed ─▶ observe
                          └─▶ verify ─▶ answer
                                 └─ contradicted ─▶ observe

A node does its work on the ``Live`` run and records events. Its return value is only where the
record stands and where to go; LangGraph checkpoints that after every node.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from pydantic import ValidationError

from agent import act as acting
from agent import budget
from agent.errors import AgentError
from agent.events import (
    Answered,
    Decided,
    Malformed,
    Perceived,
    Planned,
    StepDone,
    Token,
    Verified,
)
from agent.result import Claim, Questions
from agent.state import Cancelled, Live, State
from agent.transcript import merged
from mllm.backends.protocol import MalformedOutput, ModelError, ToolChoice
from mllm.content import Message, ToolCall, Turn, Usage
from mllm.episode import plan_messages
from prompts import render

FAULTS = 3
"""Malformed turns in a row that end a run."""
ROUNDS = 1
"""How often a contradicted answer is given back to the model."""
ATTEMPTS = 3
"""How often the model may write the answer as ``output_type``."""
PLAN_TOKENS, TURN_TOKENS, VALUE_TOKENS = 128, 512, 2048


def build(saver: BaseCheckpointSaver[str]) -> CompiledStateGraph[State, Live, State, State]:
    """The graph of one run. Invoke it with ``context=Live(...)``."""
    graph = StateGraph(State, context_schema=Live)
    for node in (perceive, plan, decide, act, observe, verify, answer):
        graph.add_node(node.__name__, _recorded(node))
    graph.add_edge(START, "perceive")
    graph.add_edge("perceive", "plan")
    graph.add_edge("plan", "decide")
    graph.add_conditional_edges("decide", _next, ["act", "observe", "verify"])
    graph.add_edge("act", "observe")
    graph.add_edge("observe", "decide")
    graph.add_conditional_edges("verify", _next, ["observe", "answer"])
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=saver)


def perceive(live: Live) -> str:
    """Give the inputs their ids."""
    live.emit(Perceived(artifacts=live.transcript.inputs))
    return "plan"


def plan(live: Live) -> str:
    """Let the model say in a line what it is going to do. A model that cannot goes without."""
    started = time.monotonic()
    try:
        asked = plan_messages(live.transcript.episode())
        turn = _generate(live, "plan", asked, tool_choice="none", max_tokens=PLAN_TOKENS)
        said, usage = turn.text.strip() or None, turn.usage
    except MalformedOutput:
        said, usage = None, Usage()
    live.emit(Planned(plan=said, usage=usage, seconds=time.monotonic() - started))
    return "decide"


def decide(live: Live) -> str:
    """Let the model call tools or answer; with nothing left of the budget, only answer. A run that
    begins at an address opens it first."""
    started = time.monotonic()
    over = budget.over(live.budget, live.transcript.spent)
    step = live.step
    if live.opening is not None and not live.transcript.calls:
        live.emit(Decided(step=step, thought="", calls=_numbered((live.opening,), 0)))
        return "act"
    choice: ToolChoice = "none" if over else "auto"
    try:
        turn = _generate(live, "decide", live.transcript.messages(), tool_choice=choice)
        if over or not turn.calls:
            turn = turn.model_copy(update={"calls": ()})
            if not turn.text.strip():
                raise MalformedOutput("Nothing was said.", "")
    except MalformedOutput as fault:
        seconds = time.monotonic() - started
        live.emit(Malformed(step=step, text=fault.text, error=str(fault), seconds=seconds))
        if live.transcript.faults >= FAULTS:
            raise ModelError(
                f"{live.backend.name} gave {FAULTS} malformed turns in a row, the last one "
                f"because: {fault} Try a stronger model."
            ) from fault
        return "observe"
    live.emit(
        Decided(
            step=step,
            thought=turn.text.strip(),
            reasoning=turn.reasoning,
            calls=_numbered(turn.calls, live.transcript.calls),
            usage=turn.usage,
            seconds=time.monotonic() - started,
        )
    )
    return "act" if turn.calls else "verify"


def act(live: Live) -> str:
    """Make the calls of the step."""
    turn = live.transcript.turn
    assert isinstance(turn, Decided)
    acting.act(turn.calls, live)
    return "observe"


def observe(live: Live) -> str:
    """Close the step: tell the model what went wrong and what is left, and keep it all."""
    turn, spent = live.transcript.turn, live.transcript.spent
    notes = []
    if isinstance(turn, Malformed):
        notes.append(render("malformed", live.lang, error=turn.error))
    elif not turn.calls:
        wrong = [c for c in live.transcript.verified[-1].claims if c.verdict == "contradicted"]
        notes += [
            render("verify/contradiction", live.lang, claim=c.text, found=c.found) for c in wrong
        ]
    done = budget.Spent(spent.steps + 1, spent.tokens, live.elapsed(), spent.pictures)
    notes.append(budget.note(live.budget, done, live.lang))
    seconds = live.elapsed() - turn.elapsed + turn.seconds
    live.emit(StepDone(step=live.step, note="\n".join(notes), seconds=seconds))
    live.log.sync_soon()
    return "decide"


def verify(live: Live) -> str:
    """Check the answer's claims; when one is contradicted, the model is asked once more. Where it
    insists, what the experts found takes the place of what it said: of what it said first, where
    the second try leaves out what was right."""
    if not live.verify:
        return "answer"
    from agent.verify import Experts, put_right, states, things, verify_answer

    started = time.monotonic()
    said = live.transcript
    tools = live.tools
    experts = Experts(
        live.context, tools.get("detect"), tools.get("read_text"), tools.get("look")
    )
    images = [a for a in said.inputs if a.kind == "image"]
    session = live.backend.session(live.media)
    answer, first = said.thought, said.verified[-1] if said.verified else None
    claims: Sequence[Claim] = ()
    asked, usage, error = Questions(), Usage(), ""
    put: tuple[str, list[Claim]] | None = None
    try:
        judged = verify_answer(said.task, answer, said.lang, images, session, experts)
        claims, asked, usage = judged.claims(), judged.asked, judged.usage
        if first is not None and _contradicted(claims):
            tries = [judged]
            if things(c for c in first.claims if c.verdict == "supported") - things(claims):
                tries.insert(
                    0, verify_answer(said.task, first.answer, said.lang, images, session, experts)
                )
                usage += tries[0].usage
            made = (put_right(one, images, experts) for one in tries)
            put = next((one for one in made if one), None)
            answer, claims = put or (first.answer, first.claims)
    except (AgentError, Cancelled):
        raise
    except Exception as fault:  # an expert that fails leaves the answer standing, unverified
        error = f"{type(fault).__name__}: {fault}"
    finally:
        session.close()
    again = _contradicted(claims) and len(said.verified) < ROUNDS
    if not again:
        claims = claims if put else merged(first.claims if first else (), claims)
        claims = (*claims, *states(said.observed, claims))
    live.emit(
        Verified(
            step=live.step,
            answer=answer,
            asked=asked,
            claims=tuple(claims),
            again=again,
            usage=usage,
            seconds=time.monotonic() - started,
            error=error,
        )
    )
    return "observe" if again else "answer"


def _contradicted(claims: Sequence[Claim]) -> bool:
    return any(claim.verdict == "contradicted" for claim in claims)


def answer(live: Live) -> str:
    """Give the answer, as data where a type was asked for."""
    said = live.transcript
    value, usage = (None, Usage()) if live.output_type is None else _structured(live)
    live.emit(
        Answered(
            step=len(said.steps),
            answer=said.answer,
            value=value,
            claims=said.verified[-1].claims if said.verified else (),
            tokens=said.usage + usage,
            usage=usage,
        )
    )
    live.log.sync()
    return END


def _structured(live: Live) -> tuple[Any, Usage]:
    """The answer as JSON that fits ``output_type``, and what it cost."""
    kind = live.output_type
    assert kind is not None
    attempts: list[tuple[str, str]] = []
    usage = Usage()
    for _ in range(ATTEMPTS):
        asked = live.transcript.structure_messages(attempts)
        try:
            turn = _generate(
                live,
                "answer",
                asked,
                output_schema=kind.model_json_schema(),
                max_tokens=VALUE_TOKENS,
            )
            usage += turn.usage
            return kind.model_validate_json(turn.text).model_dump(mode="json"), usage
        except MalformedOutput as fault:
            attempts.append((fault.text, str(fault)))
        except ValidationError as fault:
            first = fault.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the value"
            attempts.append((turn.text, f"{where}: {first['msg']}"))
    raise ModelError(
        f"The answer does not fit {kind.__name__} after {ATTEMPTS} attempts "
        f"({attempts[-1][1]}). It was: {live.transcript.answer}"
    )


def _generate(
    live: Live,
    node: Literal["plan", "decide", "answer"],
    messages: Sequence[Message],
    *,
    tool_choice: ToolChoice = "auto",
    output_schema: dict[str, Any] | None = None,
    max_tokens: int = TURN_TOKENS,
) -> Turn:
    """One turn of the model, its text shown as it comes."""
    turn: Turn | None = None
    for item in live.session.stream(
        messages,
        live.specs,
        tool_choice=tool_choice,
        output_schema=output_schema,
        max_tokens=max_tokens,
    ):
        if isinstance(item, Turn):
            turn = item
        else:
            live.emit(Token(step=0 if node == "plan" else live.step, node=node, text=item))
    live.check()
    if turn is None:
        raise ModelError(f"{live.backend.name} ended without a turn: run the task again.")
    return turn


def _numbered(calls: Sequence[ToolCall], made: int) -> tuple[ToolCall, ...]:
    """Calls under ids of the run, the same on every resume, whatever the model called them."""
    return tuple(
        call.model_copy(update={"id": f"call{made + i}"}) for i, call in enumerate(calls, 1)
    )


class _Node(Protocol):
    def __call__(self, state: State, *, runtime: Runtime[Live]) -> State: ...


def _recorded(node: Callable[[Live], str]) -> _Node:
    """``node`` for LangGraph: what it returns is where the record stands."""

    def run(state: State, *, runtime: Runtime[Live]) -> State:
        live = runtime.context
        live.check()
        to = node(live)
        return State(log=live.log.size, steps=len(live.transcript.steps), next=to)

    return run


def _next(state: State) -> str:
    return state["next"]
