"""All that is known of a run, folded from its events: live ones and ones read from the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from agent import events as ev
from agent.budget import Spent
from agent.result import Claim, Evidence, Result, Run
from mllm import episode
from mllm.content import Artifact, Boxes, Message, Text, ToolResult, Usage
from mllm.episode import Episode, Step
from prompts import render

Output = TypeVar("Output", bound=BaseModel)


@dataclass
class Transcript:
    """A fold: ``add`` every event in order, then read. Adding costs the same at any length."""

    task: str
    lang: str
    note: str
    inputs: tuple[Artifact, ...] = ()
    plan: str | None = None
    steps: list[Step] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    boxes: dict[str, Boxes] = field(default_factory=dict)
    thought: str = ""
    """What the model said last."""
    observed: list[ev.Observed] = field(default_factory=list)
    verified: list[ev.Verified] = field(default_factory=list)
    answered: ev.Answered | None = None
    usage: Usage = Usage()
    elapsed: float = 0.0
    pictures: int = 0
    """New pictures that tools added."""
    calls: int = 0
    """Calls made so far; call ids count on from here."""
    faults: int = 0
    """Malformed turns in a row."""
    _turn: ev.Decided | ev.Malformed | None = None
    _results: list[ToolResult] = field(default_factory=list)
    _messages: list[Message] = field(default_factory=list)

    def add(self, event: ev.Event) -> None:
        self.elapsed = max(self.elapsed, event.elapsed)
        if isinstance(event, ev.Planned | ev.Decided | ev.Malformed | ev.Verified | ev.Answered):
            self.usage += event.usage
        match event:
            case ev.Perceived():
                self.inputs = event.artifacts
                self.artifacts |= {a.id: a for a in event.artifacts}
            case ev.Planned():
                self.plan = event.plan
            case ev.Decided():
                self._turn, self.thought, self.faults = event, event.thought, 0
                self.calls += len(event.calls)
            case ev.Malformed():
                self._turn = event
                self.faults += 1
            case ev.Observed():
                self._observed(event)
            case ev.StepDone():
                self._close(event)
            case ev.Verified():
                self.verified.append(event)
            case ev.Answered():
                self.answered = event

    @property
    def turn(self) -> ev.Decided | ev.Malformed:
        """The model's turn that is being acted on."""
        assert self._turn is not None
        return self._turn

    @property
    def answer(self) -> str:
        """What the run says in the end: what stood after the last check, if there was one."""
        return self.verified[-1].answer if self.verified else self.thought

    @property
    def spent(self) -> Spent:
        tokens = self.usage.input - self.usage.cached + self.usage.output
        return Spent(len(self.steps), tokens, self.elapsed, self.pictures)

    def episode(self) -> Episode:
        """The run as its model is shown it, without steps."""
        return Episode(
            task=self.task, media=self.inputs, lang=self.lang, note=self.note, plan=self.plan
        )

    def messages(self) -> list[Message]:
        """The conversation so far. Steps are turned into messages once, when they are done."""
        return episode.messages(self.episode()) + self._messages

    def structure_messages(self, attempts: list[tuple[str, str]]) -> list[Message]:
        """The conversation that asks for the answer as data. ``attempts``: texts that did not
        fit the schema, with what was wrong."""
        out = self.messages() + [_said(self.answer), _asked(render("structure", self.lang))]
        for text, error in attempts:
            out += [_said(text), _asked(render("structure", self.lang, error=error))]
        return out

    def result(self, run: Run, output_type: type[BaseModel] | None = None) -> Result:
        """The result of a run that answered."""
        assert self.answered is not None
        answer: str | BaseModel = self.answered.answer
        if output_type is not None:
            answer = output_type.model_validate(self.answered.value)
        evidence: dict[str, Evidence] = {
            e.id: e for claim in self.answered.claims for e in claim.evidence
        }
        return Result(
            answer=answer,
            claims=self.answered.claims,
            evidence=tuple(evidence.values()),
            steps=tuple(self.steps),
            run=run,
            seconds=self.elapsed,
            tokens=self.usage,
        )

    def _observed(self, event: ev.Observed) -> None:
        self.observed.append(event)
        self._results.append(event.result)
        self.artifacts |= {a.id: a for a in event.artifacts}
        self.pictures += sum(a.kind == "image" for a in event.artifacts)
        for part in event.result.content:
            if isinstance(part, Boxes) and part.id:
                self.boxes[part.id] = part

    def _close(self, event: ev.StepDone) -> None:
        turn = self.turn
        step = Step(
            thought=turn.thought if isinstance(turn, ev.Decided) else turn.text,
            calls=turn.calls if isinstance(turn, ev.Decided) else (),
            results=tuple(self._results),
            note=event.note,
            seconds=event.seconds,
            usage=turn.usage,
        )
        self.steps.append(step)
        self._messages += episode.step_messages(step)
        self._turn, self._results = None, []


def merged(first: Sequence[Claim], second: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims of a second answer: one that took the place of a contradicted claim and holds
    is "corrected"; what is still contradicted is "unsupported"."""
    wrong = {_subject(c): c for c in first if c.verdict == "contradicted"}
    out = []
    for claim in second:
        before = wrong.get(_subject(claim))
        verdict, was = claim.verdict, ""
        if verdict == "contradicted":
            verdict = "unsupported"
        elif verdict == "supported" and before is not None and before.value != claim.value:
            verdict, was = "corrected", before.text
        out.append(claim.model_copy(update={"verdict": verdict, "was": was}))
    return tuple(out)


def _subject(claim: Claim) -> tuple[str, ...]:
    """What a claim is about, whatever it says of it."""
    return claim.kind, claim.object, claim.color, claim.relation, claim.of


def _said(text: str) -> Message:
    return Message(role="assistant", content=(Text(text=text),))


def _asked(text: str) -> Message:
    return Message(role="user", content=(Text(text=text),))
