"""`corvid eval captions`: are changed facts in captions found, put right, and nothing else touched?

Each caption of a picture is true but for one fact. A row a kind of fact, and ``all``:

- ``found``: the changed sentence had a claim that the experts contradicted
- ``corrected``: it says the true thing afterwards, word for word; or, of what was denied, how many
  there are, and that with whatever Chinese measure word
- ``false_alarms``: share of the true sentences that were contradicted or changed
- ``seconds``: to verify a caption in which a fact of the kind was changed
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.evaluation.scenes import STYLE, Metric, share
from agent.verify import Sentence, VerifiedAnswer, verify
from mllm.backends import load
from mllm.backends.protocol import Backend
from mllm.data.captions import Change, Fact, caption_of
from mllm.data.programs import Select
from mllm.data.questions import Question
from mllm.data.scenes import render, sample_scene


@dataclass
class Tally:
    """What became of the facts of one kind, changed ones and others."""

    found: list[bool] = field(default_factory=list)
    corrected: list[bool] = field(default_factory=list)
    alarms: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def metrics(self) -> dict[str, Metric]:
        mean = sum(self.seconds) / len(self.seconds) if self.seconds else None
        return {
            "found": share(sum(self.found), len(self.found)),
            "corrected": share(sum(self.corrected), len(self.corrected)),
            "false_alarms": share(sum(self.alarms), len(self.alarms)),
            "seconds": {"value": mean, "low": None, "high": None, "n": len(self.seconds)},
        }


def evaluate(n: int, seed: int, model: str | Backend, *, quiet: bool = False) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`. Progress goes to stderr.

    ``n`` captions, a scene each, in the design that training never saw. Raises ``ModelError``
    when the model cannot be used.
    """
    backend = load(model)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory(prefix="corvid-eval-") as folder:
        for change, picture in _captions(n, seed, Path(folder), quiet):
            started = time.perf_counter()
            verified = verify(change.text, [picture], model=backend)
            seconds = time.perf_counter() - started
            tally(tallies, change, verified, seconds)
    rows = {name: tally.metrics() for name, tally in sorted(tallies.items())}
    return {"suite": "captions", "model": backend.name, "seed": seed, "rows": rows}


def tally(
    tallies: Mapping[str, Tally], change: Change, verified: VerifiedAnswer, seconds: float
) -> None:
    """Add what became of the facts of a caption to the rows of their kinds, and to ``all``."""
    facts = change.caption.facts
    for number, (sentence, fact) in enumerate(zip(verified.sentences, facts, strict=True)):
        for row in (tallies["all"], tallies[fact.kind]):
            if number == change.number:
                row.found.append(_doubted(sentence))
                row.corrected.append(_true(sentence.text, fact))
                row.seconds.append(seconds)
            else:
                row.alarms.append(_doubted(sentence))


def _captions(n: int, seed: int, folder: Path, quiet: bool) -> Iterator[tuple[Change, Path]]:
    """Captions with a changed fact, and their pictures on the disk."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("captions"), TimeRemainingColumn())
    index = 0
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        for _ in progress.track(range(n)):
            change = None
            while change is None:
                scene = sample_scene(seed, index, style=STYLE)
                change = caption_of(scene, seed).changed(random.Random(f"change/{seed}/{index}"))
                index += 1
            picture = folder / f"{index}.png"
            render(scene).save(picture)
            yield change, picture


def _doubted(sentence: Sentence) -> bool:
    """Whether an expert contradicted the sentence, corrected or not."""
    return any(
        c.verdict == "contradicted" or (c.verdict == "unsupported" and c.evidence)
        for c in sentence.claims
    )


def _true(text: str, fact: Fact) -> bool:
    """Whether ``text`` says the fact, or how many there are of what it says to be there."""
    question = fact.question
    right = [fact.sentence]
    if fact.kind in ("existence", "count"):
        right += _counts(question)
    return _letters(text) in map(_letters, right)


def _counts(question: Question) -> list[str]:
    """Sentences that say how many there are of what the question is about."""
    color = next((op.color for op in question.program.ops if isinstance(op, Select)), None)
    there = sum(color in (None, box.color) for box in question.boxes)
    measures = {question.words.get("m", ""), "个"}
    return [
        replace(
            question, form="count", answer=str(there), words={**question.words, "m": measure}
        ).say()
        for measure in sorted(measures)
    ]


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()
