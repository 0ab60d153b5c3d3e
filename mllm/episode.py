"""An episode: a task, a plan, the steps taken so far; and how a model is shown it.

The prompt is a fold over steps. The agent's loop folds the steps of a live run, the data
generators fold the steps of an oracle, and so a trained model meets at work exactly the
conversation that it was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from mllm.content import (
    Artifact,
    Boxes,
    Media,
    Message,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    Value,
)
from prompts import render

THINK, THINK_END = "<think>", "</think>"
"""Around what a reasoning model thinks before it speaks."""


class Step(Value):
    """One round of the loop: what the model said and called, and what came back."""

    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = Field(default=(), description="in the order of ``calls``")
    note: str = Field(default="", description="from the loop: budget left, contradictions")
    seconds: float = 0.0
    usage: Usage = Usage()


class Episode(Value):
    """All that a model is shown of a task. ``seen`` and ``answer`` are set in training data
    only."""

    task: str
    media: tuple[Artifact, ...] = ()
    lang: str = "en"
    note: str = Field(default="", description="the budget, as told with the task")
    plan: str | None = None
    steps: tuple[Step, ...] = ()
    seen: str = Field(default="", description="what is looked at for an answer without tools")
    answer: str | None = None


def plan_messages(episode: Episode) -> list[Message]:
    """The conversation that asks for a plan."""
    return [_system(episode), _task(episode), _ask(episode, "plan")]


def messages(episode: Episode) -> list[Message]:
    """The conversation after the last step: the model is to call tools or to answer."""
    out = [_system(episode), _task(episode)]
    if episode.plan is not None:
        out += [_ask(episode, "plan"), _said(episode.plan), _ask(episode, "act")]
    for step in episode.steps:
        out += step_messages(step)
    if episode.answer is not None:
        out.append(_said(thought(episode) + episode.answer))
    return out


def thought(episode: Episode) -> str:
    """What a trained model thinks before it answers: it says over what the last result says
    first, or what it sees, so that the answer follows from the words next to it (a chain of
    thought, arXiv 2201.11903, that holds evidence and nothing else)."""
    results = [result for step in episode.steps for result in step.results]
    part = results[-1].content[0] if results and results[-1].content else None
    if isinstance(part, Boxes):
        said = ", ".join(w for w in (part.told(), _only_color(part)) if w)
    elif isinstance(part, Text):
        said = part.text.partition("\n")[0]
    else:
        said = "" if results else episode.seen
    return f"{THINK}{said}{THINK_END}" if said else ""


def _only_color(boxes: Boxes) -> str:
    return (boxes.boxes[0].color or "") if len(boxes.boxes) == 1 else ""


def step_messages(step: Step) -> list[Message]:
    """What a step adds: the assistant's turn, a tool message a call, the loop's note."""
    said: tuple[Part, ...] = (Text(text=step.thought),) if step.thought else ()
    out = [Message(role="assistant", content=said, calls=step.calls)]
    out += [
        Message(role="tool", content=r.content, call_id=r.call_id, name=r.name)
        for r in step.results
    ]
    if step.note:
        out.append(Message(role="user", content=(Text(text=step.note),)))
    return out


def _system(episode: Episode) -> Message:
    return Message(role="system", content=(Text(text=render("system", episode.lang)),))


def _task(episode: Episode) -> Message:
    shown: Sequence[Part] = [Media(artifact=a) for a in episode.media]
    text = "\n".join(t for t in (episode.task, episode.note) if t)
    return Message(role="user", content=(*shown, Text(text=text)))


def _ask(episode: Episode, prompt: str) -> Message:
    return Message(role="user", content=(Text(text=render(prompt, episode.lang)),))


def _said(text: str) -> Message:
    return Message(role="assistant", content=(Text(text=text),))
