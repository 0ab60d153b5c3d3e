"""What is right for one of two twins and wrong for the other: preferences that need no judge.

    for pair in pairs(twins(seed=1, index=0)):
        pair.task, pair.answers               # the right answer for each of the two pictures

The two answers are as well put and as likely, so nothing but looking tells which is which.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mllm.content import Box
from mllm.data.captions import caption_of
from mllm.data.claim_drafts import statement
from mllm.data.extras import listed
from mllm.data.phrasing import carelessly, fill, phrasings, vary
from mllm.data.programs import (
    Detect,
    Program,
    ReadText,
    Select,
    Value,
    World,
    conclude,
    run,
    truth,
)
from mllm.data.questions import CHINESE, UNANSWERABLE, Question, questions
from mllm.data.scenes import Scene
from mllm.data.twins import Kind, Twins

DESCRIPTIONS = 0.35
"""Share of the pairs that describe the picture."""
DESCRIBED = ("exists", "count", "color", "says")
"""The forms of the questions whose answers stand in descriptions."""
LISTED: tuple[Kind, ...] = ("count", "existence", "object")
"""The twins of which a list of all objects differs."""
_FAMILIES: dict[Kind, tuple[str, ...]] = {
    "count": ("existence", "count", "comparison", "multi_step"),
    "existence": ("existence", "count", "attribute", "comparison", "unanswerable"),
    "object": ("existence", "count", "attribute", "unanswerable"),
    "color": ("existence", "count", "attribute"),
    "text": ("text", "multi_step"),
}
"""The families of questions whose answers the change can change."""
_ROUNDS = 4  # of questions, until enough answers differ

Answers = tuple[str, str]
"""What is said of the scene and of its twin."""


@dataclass(frozen=True)
class Pair:
    """A task and its right answer for the scene and for its twin. ``form`` names the template of
    the question, or is ``list`` or ``description``."""

    task: str
    lang: str
    form: str
    answers: Answers


def pairs(one: Twins, n: int = 2) -> list[Pair]:
    """Up to ``n`` tasks with different answers, each right for one of the two pictures only."""
    name = f"{one.scene.seed}/{one.scene.index}"
    rng = random.Random(f"pairs/{name}/{one.kind}/{one.label}")
    worlds = truth(one.scene), truth(one.twin)
    differing: list[tuple[Question, Answers]] = []
    for seed in range(_ROUNDS):
        for question in _asked(one, seed):
            answers = _answers(question, worlds)
            if answers is not None and answers[0] != answers[1]:
                differing.append((question, answers))
        if len(differing) >= 2 * n:
            break
    rng.shuffle(differing)
    differing = _mixed(differing)
    found: dict[Answers, Pair] = {}
    for question, answers in differing:
        pair: Pair | None = Pair(question.text, question.lang, question.form, answers)
        if rng.random() < DESCRIPTIONS:
            listed = one.kind in LISTED and rng.random() < 0.5
            pair = _list(one, rng) if listed else _description(one.scene, worlds, differing, rng)
        if pair is not None:
            found.setdefault(pair.answers, pair)
        if len(found) == n:
            break
    return list(found.values())


def _asked(one: Twins, seed: int) -> Iterator[Question]:
    """Questions made for either scene, of the families in which the change can matter; counts are
    asked of what has changed."""
    for scene in one.both:
        about = replace(scene, focus=(one.label,))
        for family in _FAMILIES[one.kind]:
            yield from questions(about, seed, n=6, family=family)


def _mixed(asked: Sequence[tuple[Question, Answers]]) -> list[tuple[Question, Answers]]:
    """Those of different forms first: most questions that can be asked are about counts."""
    turns = Counter[str]()
    order = []
    for question, _ in asked:
        turns[question.form] += 1
        order.append(turns[question.form])
    return [asked[i] for i in sorted(range(len(asked)), key=order.__getitem__)]


def _answers(question: Question, worlds: tuple[World, World]) -> Answers | None:
    """What the question's answer is in each world; None where one has no plain answer, or both
    have none at all: then what is said of the one may be true of the other."""
    program = question.program
    results = [run(program, world) for world in worlds]
    first, second = (conclude(program, found) for found in results)
    if first.gold == second.gold == UNANSWERABLE:
        return None
    untouched = _concerned(program, worlds[0]) == _concerned(program, worlds[1])
    for said, found, world in zip((first, second), results, worlds, strict=True):
        if said.gold != UNANSWERABLE and not (untouched or _plain(program, found, world)):
            return None
    return question.say(first), question.say(second)


def _plain(program: Program, results: Sequence[Value], world: World) -> bool:
    """Whether nobody could argue about the answer where what the question speaks of is not as in
    the scene that it was made for. Where something lies is then not asked."""
    if any(isinstance(op, Select) and (op.relation or op.pick) for op in program.ops):
        return False
    counts = Counter(b.label for b in world.objects)
    if program.reading == "which":
        return len({counts[name] for name in program.options}) == 2
    return len(results[-1]) == 1 or program.reading not in ("color", "text", "is_text")


def _concerned(program: Program, world: World) -> list[Box]:
    """The objects and the texts that a program looks at."""
    looks = [op.labels for op in program.ops if isinstance(op, Detect)]
    reads = any(isinstance(op, ReadText) for op in program.ops)
    seen = [b for b in world.objects if any(not names or b.label in names for names in looks)]
    return [*seen, *(world.texts if reads else ())]


def _list(one: Twins, rng: random.Random) -> Pair:
    """All objects of each picture. The list that lacks one says nothing false, yet is not right
    where that is to be seen: silence must not win."""
    lang = "zh" if rng.random() < CHINESE else "en"
    first, second = (
        fill(
            phrasings(lang)["extras"]["described"],
            {"list": listed(Counter(o.label for o in scene.objects).items(), lang)},
        )
        for scene in one.both
    )
    return Pair(_describe(lang, rng), lang, "list", (first, second))


def _description(
    scene: Scene, worlds: tuple[World, World], differing: Sequence[tuple[Question, Answers]],
    rng: random.Random,
) -> Pair | None:
    """A description of each picture: sentences that are true of both, and among them the one that
    differs; None where nothing that differs is said in a description."""
    caption = caption_of(scene, rng.getrandbits(32))
    said = [
        answers
        for question, answers in differing
        if question.lang == caption.lang and question.form in DESCRIBED
        and not any(_limits(question, world) for world in worlds)
    ]
    if not said:
        return None
    told = [_answers(fact.question, worlds) for fact in caption.facts]
    shared = [answers for answers in told if answers is not None and answers[0] == answers[1]]
    shared.insert(rng.randint(0, len(shared)), rng.choice(said))
    first, second = (
        caption.joined([statement(answers[side]) for answers in shared]) for side in (0, 1)
    )
    return Pair(_describe(caption.lang, rng), caption.lang, "description", (first, second))


def _describe(lang: str, rng: random.Random) -> str:
    """What is in the picture? As someone may ask."""
    return carelessly(vary(rng.choice(phrasings(lang)["extras"]["describe"]), rng), rng)


def _limits(question: Question, world: World) -> bool:
    """Whether the world has no answer to the question."""
    return conclude(question.program, run(question.program, world)).gold == UNANSWERABLE
