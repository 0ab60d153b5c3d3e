"""From the record of a run to what its report shows: a fold over its events.

A run that failed, was stopped or is still going folds like any other; what never came back is
shown as such.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from agent import events as ev
from agent import log, outcome, store
from agent.report import view
from agent.report.drawing import Drawing
from agent.result import Claim, Questions, Run
from agent.transcript import Transcript
from mllm.content import Boxes, Media, Text, Usage, part_words


def build(folder: Path, key: str) -> view.Run:
    """The view of one run. ``key`` is unique among the runs of a report.

    Raises ``agent.errors.RunError`` when the folder is not that of a run.
    """
    info = store.info(Run(id=folder.name, folder=folder))
    fold = _Fold(info, Drawing(store.MediaStore(folder), key), key)
    for event in log.read(folder):
        fold.add(event)
    return fold.run(log.status(folder))


@dataclass
class _Fold:
    info: store.RunInfo
    drawing: Drawing
    key: str
    last: ev.Event | None = None
    steps: list[view.Step] = field(default_factory=list)
    known: Transcript = field(init=False)

    def __post_init__(self) -> None:
        self.known = Transcript(task=self.info.task, lang=self.info.lang, note="")
        self.drawing.know(self.info.inputs)

    def add(self, event: ev.Event) -> None:
        self.known.add(event)
        self.last = event
        match event:
            case ev.Perceived():
                self.drawing.know(event.artifacts)
            case ev.Decided():
                self.steps.append(_decision(event))
            case ev.Malformed():
                self.steps.append(_malformed(event))
            case ev.Observed():
                self._observed(event)
            case ev.StepDone():
                last = self.steps[-1]
                seconds = last.seconds if last.number is None else event.seconds
                self.steps[-1] = replace(last, note=event.note, seconds=seconds)
            case ev.Verified():
                self.steps.append(self._verification(event))

    def run(self, status: log.Status) -> view.Run:
        claims = self.known.answered.claims if self.known.answered else ()
        inputs = self.info.inputs
        return view.Run(
            key=self.key,
            id=self.info.id,
            task=self.info.task,
            lang=self.info.lang,
            status=status,
            answer=outcome.answer(self.last),
            reason=outcome.reason(self.last),
            claims=tuple(_claim(c, self.key) for c in claims),
            scenes=self.drawing.evidence(inputs, claims),
            media=tuple(f"{a.id} {a.origin}" for a in inputs if a.kind != "image"),
            plan=self.known.plan or "",
            steps=tuple(self.steps),
            model=self.info.model,
            started=f"{datetime.fromtimestamp(self.info.created):%Y-%m-%d %H:%M}",
            seconds=self.known.elapsed,
            tokens_in=self.known.usage.input,
            tokens_cached=self.known.usage.cached,
            tokens_out=self.known.usage.output,
        )

    def _observed(self, event: ev.Observed) -> None:
        step = self.steps[-1]
        calls = tuple(
            self._with_result(call, event) if call.id == event.result.call_id else call
            for call in step.calls
        )
        self.steps[-1] = replace(step, calls=calls)

    def _with_result(self, call: view.Call, event: ev.Observed) -> view.Call:
        content = event.result.content
        before = self.drawing.aimed(event.result.records)
        self.drawing.know(event.artifacts)
        texts = [p.text for p in content if isinstance(p, Text)]
        media = [p for p in content if isinstance(p, Media)]
        # Among the artifacts are screenshots that the model was not shown.
        pictures = [self.drawing.picture(artifact) for artifact in event.artifacts]
        return replace(
            call,
            pending=False,
            error=event.result.error,
            traceback=event.traceback,
            seconds=event.seconds,
            texts=(*texts, *(part_words(p) for p in media if p.artifact.kind != "image")),
            found=tuple(self.drawing.found(p) for p in content if isinstance(p, Boxes)),
            pictures=(*before, *(view.Scene(p) for p in pictures if p is not None)),
        )

    def _verification(self, event: ev.Verified) -> view.Step:
        # Claims of a first answer keep keys of their own: the second answer counts anew.
        key = f"{self.key}-{len(self.steps)}" if event.again else self.key
        said = _asked(event.asked) if event.claims else ""
        if unread := " ".join(event.asked.unread):
            said += f" Could not be taken apart and was not checked: {unread}"
        elif not (event.claims or event.error):
            said = "There was no claim to check."
        if event.again:
            said += " A claim was contradicted, so the model was asked again."
        return view.Step(
            number=None,
            title="Verification",
            thought=said,
            claims=tuple(_claim(c, key) for c in event.claims),
            problem=event.error,
            seconds=event.seconds,
            tokens=_new(event.usage),
        )


def _decision(event: ev.Decided) -> view.Step:
    calls = tuple(
        view.Call(
            id=call.id,
            name=call.name,
            arguments=tuple((name, view.value(v)) for name, v in call.arguments.items()),
        )
        for call in event.calls
    )
    return view.Step(
        number=event.step,
        title=", ".join(dict.fromkeys(call.name for call in calls)) or "Answer",
        reasoning=event.reasoning,
        thought=event.thought,
        calls=calls,
        seconds=event.seconds,
        tokens=_new(event.usage),
    )


def _malformed(event: ev.Malformed) -> view.Step:
    return view.Step(
        number=event.step,
        title="Neither an answer nor a call",
        thought=event.text,
        problem=event.error,
        seconds=event.seconds,
        tokens=_new(event.usage),
    )


def _asked(asked: Questions) -> str:
    """What the experts were asked, in a sentence."""
    parts = [
        f"the detector for {', '.join(asked.labels)}" if asked.labels else "",
        "the reader for the text" if asked.words else "",
        f"the model's own eyes: {' '.join(asked.looks)}" if asked.looks else "",
    ]
    return f"Asked {'; '.join(p for p in parts if p)}." if any(parts) else "Nothing was asked."


def _new(usage: Usage) -> int:
    """Tokens that this cost: those served from the cache left out."""
    return usage.input - usage.cached + usage.output


def _claim(claim: Claim, key: str) -> view.Claim:
    return view.Claim(
        key=f"{key}-{claim.id}",
        text=claim.text,
        was=claim.was,
        kind=claim.kind,
        verdict=claim.verdict,
        found=claim.found,
        tools=", ".join(dict.fromkeys(e.tool for e in claim.evidence)),
    )
