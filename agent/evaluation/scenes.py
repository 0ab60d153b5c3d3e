"""`corvid eval scenes`: questions about pictures, answered with less and with more help.

Rows, on the same questions:

- ``constant``: always yes, always no, and the most frequent answer of each family (chosen with
  knowledge of the answers, so an upper bound of what guessing can reach)
- ``blind``: the model is asked without the picture
- ``direct``: the model sees the picture and has no tools
- ``tools``: the agent, its answer before verification; ``calls.TOOL`` is the share of questions
  for which it called that tool
- ``verified``: the same runs after verification
- ``unseen_tools``: the agent with tools whose names, arguments and descriptions were in no
  training data, without verification
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent import events as ev
from agent import media
from agent.agent import Agent
from agent.errors import InputError
from agent.evaluation.unseen_tools import unseen
from mllm.backends import load
from mllm.backends.protocol import Backend, ModelError, generate
from mllm.content import Artifact
from mllm.data.question_files import QuestionRow, read_questions, write_questions
from mllm.episode import Episode, messages
from mllm.evaluation.answers import baselines, matches
from mllm.evaluation.intervals import wilson
from tools import default_tools

STYLE = "twemoji"
"""The picture design that is kept out of training."""
QUESTIONS = 300
"""How many are generated where no number is given."""

Metric = dict[str, float | int | None]


@dataclass
class Tally:
    """Right answers by family, and how often each tool was called."""

    right: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[str] = field(default_factory=Counter)

    def add(self, question: QuestionRow, answer: str) -> None:
        self.right[question.family].append(
            matches(answer, question.answer, question.family, question.choices)
        )

    def metrics(self, tools: Sequence[str] = ()) -> dict[str, Metric]:
        every = [one for family in self.right.values() for one in family]
        out = {"accuracy": share(sum(every), len(every))}
        for family, some in sorted(self.right.items()):
            out[f"accuracy.{family}"] = share(sum(some), len(some))
        for tool in tools:
            out[f"calls.{tool}"] = share(self.calls[tool], len(every))
        return out


def evaluate(
    n: int | None,
    seed: int,
    model: str | Backend,
    data: Path | None = None,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`. Progress goes to stderr.

    Without ``data``, ``n`` questions are generated: a scene each, design and phrasings that
    training never saw. Of ``data`` the first ``n`` are asked, without ``n`` all. Raises
    ``InputError`` when ``data`` holds no questions, ``ModelError`` when the model cannot be used.
    """
    given = None if data is None else _read(data)
    backend = load(model)
    with tempfile.TemporaryDirectory(prefix="corvid-eval-") as folder:
        home = Path(folder)
        source = data or _generate(home / "data", n or QUESTIONS, seed)
        questions = (given or read_questions(source))[:n]
        rows = _measure(questions, source, home / "runs", backend, seed, quiet)
    return {"suite": "scenes", "model": backend.name, "seed": seed, "rows": rows}


def _measure(
    questions: Sequence[QuestionRow],
    source: Path,
    runs: Path,
    backend: Backend,
    seed: int,
    quiet: bool,
) -> dict[str, dict[str, Metric]]:
    tools = default_tools()
    agent = Agent(backend, tools, runs=runs)
    blind, direct, plain, verified, strange = (Tally() for _ in range(5))
    for number, question in _progress(questions, quiet):
        picture = source / question.image
        blind.add(question, ask(backend, question, None))
        direct.add(question, ask(backend, question, picture))
        told = follow(agent, question.question, picture)
        plain.add(question, told.first)
        plain.calls.update(told.tools)
        verified.add(question, told.last)
        renamed = unseen(tools, random.Random(f"{seed}/{number}"))
        other = Agent(backend, renamed, runs=runs, verify=False)
        strange.add(question, follow(other, question.question, picture).last)
    return {
        "constant": {
            name: share(round(value * len(questions)), len(questions))
            for name, value in baselines(questions).items()
        },
        "blind": blind.metrics(),
        "direct": direct.metrics(),
        "tools": plain.metrics([tool.name for tool in tools]),
        "verified": verified.metrics(),
        "unseen_tools": strange.metrics(),
    }


@dataclass(frozen=True)
class Told:
    """What a run answered before and after verification (nothing when it failed), and the tools
    that it called."""

    first: str = ""
    last: str = ""
    tools: frozenset[str] = frozenset()


def follow(agent: Agent, task: str, picture: Path) -> Told:
    """Run a task and keep what it said."""
    first, last = "", ""
    tools: set[str] = set()
    for event in agent.stream(task, [picture]):
        match event:
            case ev.Decided() if event.calls:
                tools.update(call.name for call in event.calls)
            case ev.Decided():
                first = first or event.thought
            case ev.Answered():
                last = event.answer
    return Told(first, last, frozenset(tools))


def ask(backend: Backend, question: QuestionRow, picture: Path | None) -> str:
    """The model's own answer, with no tools; nothing when it gives none."""
    shown: tuple[Artifact, ...] = ()
    if picture is not None:
        shown = (media.load_image(picture).named("img1").artifact,)
    episode = Episode(task=question.question, media=shown, lang=question.lang)
    session = backend.session(_Pictures(picture))
    try:
        return generate(session, messages(episode), tool_choice="none", max_tokens=192).text
    except ModelError:
        return ""
    finally:
        session.close()


def share(successes: int, n: int) -> Metric:
    """A share with its 95 % interval."""
    low, high = wilson(successes, n)
    return {"value": successes / n if n else None, "low": low, "high": high, "n": n}


@dataclass(frozen=True)
class _Pictures:
    """The picture of one question."""

    path: Path | None

    def image(self, artifact: Artifact) -> Image.Image:
        if self.path is None:
            raise FileNotFoundError(artifact.id)
        return media.decode(self.path.read_bytes(), self.path.name)[0]


def _generate(folder: Path, n: int, seed: int) -> Path:
    return write_questions(folder, n, seed, STYLE, held_out=True).parent


def _read(folder: Path) -> list[QuestionRow]:
    try:
        questions = read_questions(folder)
    except (FileNotFoundError, ValueError) as error:
        raise InputError(str(error)) from error
    if not questions:
        raise InputError(f"there is no question in {folder}: write some with corvid data")
    return questions


def _progress(
    questions: Sequence[QuestionRow], quiet: bool
) -> Iterator[tuple[int, QuestionRow]]:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("questions"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        yield from progress.track(list(enumerate(questions)))
