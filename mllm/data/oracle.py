"""An oracle that answers questions as a careful person with these tools would.

    episode = trace(question, scene, tools, rng)        # mllm.episode.Episode, answer included

It runs the question's program on what experts report (``mllm.data.observation``), so its answer
follows the tools. It meets what a live run meets: a tool that fails, a tool that is not there, a
budget that ends, a verifier that contradicts. For one form of question it always does the same.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mllm.content import Artifact, Box, Boxes, Part, Text, ToolCall, ToolResult, ToolSpec
from mllm.data.claim_drafts import slip
from mllm.data.lexicon import called
from mllm.data.observation import ANYTHING, observe
from mllm.data.phrasing import phrasings
from mllm.data.plans import plan_line
from mllm.data.programs import (
    Calculate,
    Detect,
    Op,
    ReadText,
    Select,
    Value,
    boxes_of,
    conclude,
    execute,
    truth,
)
from mllm.data.programs import fill as fill_counts
from mllm.data.questions import Question
from mllm.data.scenes import Scene
from mllm.data.schemas import Mapped, renamed
from mllm.episode import Episode, Step
from mllm.wording import times
from prompts import render

TOOL_OF = {Detect: "detect", ReadText: "read_text", Select: "select", Calculate: "calculate"}
EXPERTS = ("detect", "read_text")
"""Tools without which a program says nothing; the exact ones can be replaced by reading rows."""


@dataclass(frozen=True)
class Chances:
    """How often a trace meets trouble, and how it is told of its budget."""

    fails_once: float = 0.05
    fails_again: float = 0.3  # of those that failed
    contradicted: float = 0.05
    doubted: float = 0.3  # of those, though the answer was right
    planless: float = 0.08
    noteless: float = 0.1
    tight: float = 0.12  # a budget that may end before the program does


@dataclass
class Trace:
    """An episode in the making."""

    question: Question
    artifact: Artifact
    specs: Sequence[ToolSpec]
    mapping: Mapped | None
    rng: random.Random
    steps_left: int
    noted: bool
    steps: list[Step] = field(default_factory=list)
    calls: int = 0
    sets: int = 0

    def call(self, name: str, **arguments: object) -> ToolCall:
        """A call as the model would write it now."""
        self.calls += 1
        given = {k: v for k, v in arguments.items() if v is not None}
        call = ToolCall(id=f"call{self.calls}", name=name, arguments=given)
        return renamed(call, self.mapping or {}, self.specs)

    def result(self, call: ToolCall, part: Part, *, error: bool = False) -> ToolResult:
        """What comes back, with the next id if it is a set of boxes."""
        if isinstance(part, Boxes):
            self.sets += 1
            part = part.model_copy(update={"id": f"boxes{self.sets}"})
        return ToolResult(call_id=call.id, name=call.name, content=(part,), error=error)

    def step(
        self, calls: Sequence[ToolCall], results: Sequence[ToolResult], *, said: str = "",
        note: str = "",
    ) -> None:
        """Close a step: the loop tells what is left."""
        self.steps_left -= 1
        notes = [note] if note else []
        if self.noted:
            notes.append(render("budget", self.question.lang, steps=self.steps_left))
        self.steps.append(
            Step(
                thought=said, calls=tuple(calls), results=tuple(results), note="\n".join(notes)
            )
        )


def trace(
    question: Question,
    scene: Scene,
    tools: Sequence[ToolSpec],
    rng: random.Random,
    *,
    artifact: Artifact,
    mapping: Mapped | None = None,
    chances: Chances | None = None,
) -> Episode:
    """The whole episode. ``tools`` are what the model is told of; ``mapping`` says how built-in
    tools are called there, when that is not by their own names."""
    chances = chances or Chances()
    lang = question.lang
    needed = len(question.program.steps)
    tight = rng.random() < chances.tight
    budget = rng.randint(1, needed + 1) if tight else rng.choice((12, 12, 12, 8, 6, 10, 20))
    noted = tight or rng.random() >= chances.noteless
    t = Trace(question, artifact, tools, mapping, rng, budget, noted)
    note = render("budget", lang, steps=budget) if noted else ""
    present = set(mapping) if mapping is not None else {s.name for s in tools}
    missing = [n for n in wanted(question) if n in EXPERTS and n not in present]
    plan = plan_line(question, present)
    answer = _without(t, present) if missing else _with_tools(t, scene, present, chances)
    if question.program.steps and rng.random() < chances.contradicted and t.steps_left > 1:
        answer = _corrected(t, answer, t.rng.random() < chances.doubted)
    return Episode(
        task=question.text,
        media=(artifact,),
        lang=lang,
        note=note,
        plan=None if rng.random() < chances.planless else plan,
        steps=tuple(t.steps),
        seen=scene.setting if question.program.reading == "known" else "",
        answer=answer,
    )


def wanted(question: Question) -> tuple[str, ...]:
    """The built-in tools that the question's program uses, each once."""
    return tuple(dict.fromkeys(TOOL_OF[type(op)] for op in question.program.ops))


def _with_tools(t: Trace, scene: Scene, present: set[str], chances: Chances) -> str:
    """Run the program step by step; operations without a tool are done by reading rows."""
    q = t.question
    world = observe(truth(scene), t.rng, t.artifact.id)
    results: list[Value] = []
    ids: dict[int, str] = {}  # of operations, numbered from 1, whose result is a named set
    for step in q.program.steps:
        values = [execute(op, results, world) for op in step]
        calls = [
            (len(results) + i, op, value)
            for i, (op, value) in enumerate(zip(step, values, strict=True), 1)
            if TOOL_OF[type(op)] in present and not _pointless(op, results)
        ]
        if calls and t.steps_left == 0:
            if any(isinstance(op, Detect | ReadText) for _, op, _ in calls):
                return _short(q, "out_of_steps")
        elif calls and not _attempt(t, calls, results, ids, chances):
            return _without(t, present)
        results.extend(values)
        if len(results) == len(step):
            premise = conclude(q.program, results)
            if premise.absent in q.program.needs:
                return q.say(premise)
    return q.say(conclude(q.program, results))


def _pointless(op: Op, results: Sequence[Value]) -> bool:
    """Whether nothing can come of it, because it works on an empty set."""
    on = op.on if isinstance(op, Select | ReadText) else 0
    return on > 0 and not results[on - 1]


def _attempt(
    t: Trace,
    work: Sequence[tuple[int, Op, Value]],
    results: Sequence[Value],
    ids: dict[int, str],
    chances: Chances,
) -> bool:
    """Make the calls of a step. A single call may fail, then it is made again; two failures
    mean no."""
    if len(work) == 1 and t.steps_left > 1 and t.rng.random() < chances.fails_once:
        failures = 2 if t.rng.random() < chances.fails_again and t.steps_left > 2 else 1
        _, op, _ = work[0]
        for _ in range(failures):
            call = t.call(TOOL_OF[type(op)], **_arguments(t, op, results, ids))
            reason = Text(text=failure(call.name, t.rng, t.question.lang))
            t.step([call], [t.result(call, reason, error=True)])
        if failures == 2:
            return False
    calls, given = [], []
    for number, op, value in work:
        call = t.call(TOOL_OF[type(op)], **_arguments(t, op, results, ids))
        result = t.result(call, _part(t, op, value))
        part = result.content[0]
        if isinstance(part, Boxes):
            ids[number] = part.id
        calls.append(call)
        given.append(result)
    t.step(calls, given)
    return True


def _arguments(
    t: Trace, op: Op, results: Sequence[Value], ids: dict[int, str]
) -> dict[str, object]:
    """The arguments as the model writes them: labels as the user said them."""
    said = t.question.said
    if isinstance(op, Detect):
        labels = [said.get(name, name) for name in op.labels]
        return {"image": t.artifact.id, "labels": labels or None}
    if isinstance(op, ReadText):
        region = _set_id(op.on, results, ids) if op.on else None
        return {"image": t.artifact.id, "region": region, "find": op.find or None}
    if isinstance(op, Select):
        return {
            "boxes": _set_id(op.on, results, ids),
            "label": said.get(op.label, op.label) if op.label else None,
            "color": _color(t.question, op.color),
            "relation": op.relation,
            "of": said.get(op.of, op.of) if op.of else None,
            "pick": op.pick,
        }
    return {"expression": fill_counts(op.expression, results)}


def _set_id(number: int, results: Sequence[Value], ids: dict[int, str]) -> str:
    """The id of an operation's boxes. Where no tool made that set, its first box's row."""
    if number in ids:
        return ids[number]
    box = boxes_of(results[number - 1])[0]
    return f"{ids[1]}.{boxes_of(results[0]).index(box) + 1}"


def _part(t: Trace, op: Op, value: Value) -> Part:
    if isinstance(value, str):
        return Text(text=value)
    return Boxes(artifact=t.artifact.id, boxes=value, counts=_counts(t.question, op, value))


def _counts(q: Question, op: Op, found: Sequence[Box]) -> dict[str, int]:
    """What a set was asked for and how many there are, as the tools say it."""
    if isinstance(op, Detect):
        if op.labels:
            return {q.said.get(n, n): sum(b.label == n for b in found) for n in op.labels}
        return dict(Counter(called(b.label or "", q.lang) for b in found)) or {ANYTHING: 0}
    if isinstance(op, Select):
        label = q.said.get(op.label, op.label) if op.label else None
        of = q.said.get(op.of, op.of) if op.of else None
        if op.pick and label is None and found:
            kind = found[0].label or ""
            label = q.said.get(kind) or called(kind, q.lang)
        color = _color(q, op.color)
        what = " ".join(w for w in (op.pick, color, label or "object", op.relation, of) if w)
        return {what: len(found)}
    if isinstance(op, ReadText) and op.find:
        return {f'"{op.find}"': times(op.find, [b.text or "" for b in found])}
    return {"text": len(found)}


def _color(q: Question, color: str | None) -> str | None:
    """A colour as the user said it."""
    return phrasings(q.lang)["colors"][color] if color else None


def _without(t: Trace, present: set[str]) -> str:
    """No expert to ask: look, or answer from the picture; what is written stays unread."""
    q = t.question
    if "look" in present and t.steps_left > 0:
        call = t.call("look", image=t.artifact.id, question=q.text)
        t.step([call], [t.result(call, Text(text=q.say()))])
        return q.say()
    if any(isinstance(op, ReadText) for op in q.program.ops):
        return _short(q, "unreadable")
    return q.say()


def _short(q: Question, key: str) -> str:
    return str(phrasings(q.lang)["answers"][key])


_REASONS = (
    None,  # it hung
    "RuntimeError: out of memory",
    "ConnectionError: the server closed the connection",
    "OSError: [Errno 5] Input/output error",
    "BrokenPipeError: [Errno 32] Broken pipe",
)


def failure(tool: str, rng: random.Random, lang: str) -> str:
    """What a run says of a call that came to nothing through no fault of the model."""
    reason = rng.choice(_REASONS)
    if reason is None:
        waited = rng.choice((10, 30, 60, 120))
        return render("no_result", lang, tool=tool, seconds=waited, effect=False)
    return render("tool_failed", lang, tool=tool, reason=reason)


def _corrected(t: Trace, answer: str, doubted: bool) -> str:
    """A slip that the verifier finds, then the right answer; or a right answer that the verifier
    doubts, since it misread the claim, and which is given again."""
    wrong = slip(t.question, t.rng)
    if wrong is None or answer != t.question.say() or wrong.said == answer:
        return answer
    said, claim, found = wrong.said, wrong.claim, wrong.found
    if doubted:
        said, claim, found = answer, found, claim
    note = render("verify/contradiction", t.question.lang, claim=claim, found=found)
    t.step((), (), said=said, note=note)
    return answer
