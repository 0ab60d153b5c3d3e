"""What it costs to verify an answer, beside what it cost to produce it.

An answer of eight true sentences about one generated picture, a claim each. Rows:

- ``batched``: ``agent.verify.verify`` on the whole answer: its sentences go through the model
  together, and every expert looks once for all that is claimed;
- ``sequential``: the same checks one call at a time, ``verify`` on each sentence by itself, so that
  every sentence has calls of its own, to the model and to the experts, and every kind of object one
  to the detector. Only what is loaded is shared, the weights of the model and of the experts: each
  time the picture is stored anew, and the prompt is read from its beginning, in a session of its
  own;
- ``loop``: what the agent does on its own answer: as ``batched``, with the question beside every
  sentence, and without corrections.

Metrics: ``seconds``; ``ratio_to_answer``, to the time in which the agent produced the answer; and
``claims``, how many the model made of it, since claims that are not made cost nothing.

Producing is a run with the default tools: a plan, a step that detects and reads, and an answer. The
model does all the work of it, but the calls and the words are dictated: models differ in what they
would say, and none is to look cheap by saying little. The answer's tokens are written one by one.

A repetition is another picture. ``value`` is the median, ``low`` and ``high`` are the smallest and
the largest.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, count, islice, zip_longest
from typing import Any, cast

from PIL import Image as PILImage

from agent import Agent
from agent.bench.measure import CannotRun, Row, metric, result, say
from agent.events import Verified
from agent.verify import verify
from mllm.backends import load
from mllm.backends.protocol import Backend, MalformedOutput, ModelError, Session, ToolChoice
from mllm.content import Boxes, MediaReader, Message, ToolCall, ToolSpec, Turn
from mllm.data.claim_drafts import drafts, statement
from mllm.data.questions import UNANSWERABLE, questions
from mllm.data.scenes import Scene, render, sample_scene
from tools import Detect, Look, ReadText, Tool, default_tools
from tools.protocol import Image, ToolContext

ROWS = ("batched", "sequential", "loop")
CLAIMS = 8
REPETITIONS = 5
SEED = 1_000_003
STYLE = "twemoji"
"""A design that nano was not trained on."""

TASK = "Describe the picture."
_FREE = {"type": "string", "minLength": 10_000}
"""Text whose every token the model has to choose."""


@dataclass(frozen=True)
class Answer:
    """What is said of a picture, and the kinds of objects in it."""

    sentences: tuple[str, ...]
    picture: PILImage.Image
    labels: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


@dataclass(frozen=True)
class Cost:
    seconds: float
    claims: int


def run(model: str = "nano", *, repetitions: int = REPETITIONS, seed: int = SEED) -> dict[str, Any]:
    """The benchmark's result. A model that cannot run has rows with ``error``."""
    samples: dict[str, list[Cost]] = {name: [] for name in ROWS}
    produced: list[float] = []
    rows: dict[str, Row]
    try:
        backend = load(model)
        found = (answer for index in count() if (answer := answer_of(seed, index)))
        warm, *answers = islice(found, repetitions + 1)
        _in_loop(warm, backend)
        for number, answer in enumerate(answers, 1):
            say(f"{number}/{repetitions} {answer.text}")
            seconds, in_loop = _in_loop(answer, backend)
            produced.append(seconds)
            samples["loop"].append(in_loop)
            samples["batched"].append(_verified([answer.text], answer, backend, default_tools()))
            one_by_one = [OneByOne(), ReadText(), Look()]
            samples["sequential"].append(
                _verified(answer.sentences, answer, backend, one_by_one)
            )
        rows = {name: _row(samples[name], produced) for name in ROWS}
    except (ModelError, CannotRun) as error:
        rows = {name: {"error": str(error)} for name in ROWS}
    return result("verify", model, seed, rows)


def _row(costs: Sequence[Cost], produced: Sequence[float]) -> Row:
    ratios = [cost.seconds / of for cost, of in zip(costs, produced, strict=True)]
    return {
        "seconds": metric([cost.seconds for cost in costs]),
        "ratio_to_answer": metric(ratios),
        "claims": metric([cost.claims for cost in costs]),
    }


class OneByOne(Detect):
    """A detector that has a call for each kind of object."""

    def run(
        self, image: Image, context: ToolContext, labels: list[str] | None = None
    ) -> list[Boxes | str]:
        """As ``Detect``."""
        if not labels:
            return super().run(image, context)
        return [part for one in labels for part in Detect.run(self, image, context, [one])]


def _verified(
    texts: Sequence[str], answer: Answer, backend: Backend, experts: Sequence[Tool]
) -> Cost:
    """Each of ``texts`` verified by itself."""
    start = time.perf_counter()
    done = [verify(text, [answer.picture], model=backend, tools=experts) for text in texts]
    seconds = time.perf_counter() - start
    return Cost(seconds, sum(len(one.claims) for one in done))


def _in_loop(answer: Answer, backend: Backend) -> tuple[float, Cost]:
    """Seconds in which the agent produced the answer, and what its own check cost."""
    with tempfile.TemporaryDirectory(prefix="corvid-bench-") as runs:
        events = Agent(Dictated(backend, answer), runs=runs).stream(TASK, [answer.picture])
        with closing(cast(Any, events)):  # a generator: what comes after the check is not done
            for event in events:
                if isinstance(event, Verified):
                    if event.error:
                        raise CannotRun(f"the answer could not be verified: {event.error}")
                    cost = Cost(event.seconds, len(event.claims))
                    return event.elapsed - event.seconds, cost
    raise CannotRun("the run that was to be verified failed: try `corvid run` with this model")


class Dictated:
    """A local model that does the work of a run, whose words are given.

    Only its first session, that of the run, is told what to say. Raises ``CannotRun`` for a model
    whose tokens cannot be counted, one on a server.
    """

    def __init__(self, backend: Backend, answer: Answer) -> None:
        if not hasattr(backend, "parts"):
            raise CannotRun(f"{backend.name} is not a local model: give one that is")
        self.name = backend.name
        self._backend: Any = backend
        self._answer: Answer | None = answer

    def session(self, media: MediaReader) -> Session:
        session: Session = self._backend.session(media)
        answer, self._answer = self._answer, None
        if answer is None:
            return session
        engine, _, _ = self._backend.parts()
        return _Speaker(session, answer, len(engine.tokenizer(answer.text)["input_ids"]))


class _Speaker:
    def __init__(self, session: Session, answer: Answer, tokens: int) -> None:
        self._session, self._answer, self._tokens = session, answer, tokens
        self._turns = count()

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        match next(self._turns):
            case 0:
                plan = self._session.stream(
                    messages, tools, tool_choice=tool_choice, max_tokens=max_tokens
                )
                yield from plan
            case 1:
                for _ in self._session.stream(messages, tools, tool_choice="required"):
                    pass
                yield Turn(calls=_calls(self._answer.labels))
            case _:
                yield from self._written(messages, tools)

    def close(self) -> None:
        self._session.close()

    def _written(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Iterator[str | Turn]:
        """The answer, in the time that the model needs for as many tokens."""
        free = self._session.stream(messages, tools, output_schema=_FREE, max_tokens=self._tokens)
        try:
            for _ in free:
                pass
        except MalformedOutput:  # it is cut off, always
            yield Turn(text=self._answer.text)
            return
        raise CannotRun("the model ended its answer early: no two could be compared")


def _calls(labels: Sequence[str]) -> tuple[ToolCall, ...]:
    return (
        ToolCall(id="1", name="detect", arguments={"image": "img1", "labels": list(labels)}),
        ToolCall(id="2", name="read_text", arguments={"image": "img1"}),
    )


def answer_of(seed: int, index: int) -> Answer | None:
    """The answer for a scene; None where too little can be said of it, or nothing is written."""
    scene = sample_scene(seed, index, style=STYLE)
    sentences = _sentences(scene, seed)
    if len(sentences) < CLAIMS or not any(o.text for o in scene.objects):
        return None
    labels = tuple(dict.fromkeys(o.label for o in scene.objects))
    return Answer(sentences, render(scene), labels)


def _sentences(scene: Scene, seed: int) -> tuple[str, ...]:
    """Up to ``CLAIMS`` true sentences with a claim each, of all kinds in turn."""
    by_kind: dict[str, dict[Any, str]] = {}
    for question in questions(scene, seed, n=60, lang="en"):
        claims = drafts(question) if question.answer != UNANSWERABLE else []
        if len(claims) == 1:
            said = statement(question.say())
            by_kind.setdefault(claims[0].kind, {}).setdefault(claims[0], said)
    turns = zip_longest(*(said.values() for said in by_kind.values()))
    return tuple(said for said in chain.from_iterable(turns) if said)[:CLAIMS]
