"""Captions of scenes, a fact a sentence, and captions with one fact changed.

    caption = caption_of(scene, seed=1)
    wrong = caption.changed(rng)          # one sentence says something else, of a known kind

What is said of a scene are answers to questions about it, without their yes or no, so every fact is
exact. To find a changed one is what a verifier is for.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from mllm.data.claim_drafts import misread, statement
from mllm.data.questions import CHINESE, UNANSWERABLE, Question, questions
from mllm.data.scenes import Scene

KINDS = ("existence", "count", "color", "relation", "text")
_ASKED: dict[str, tuple[str, Callable[[Question], bool]]] = {
    "existence": ("existence", lambda q: q.form == "exists" and q.answer == "yes"),
    "count": ("count", lambda q: q.answer != "0"),
    "color": ("attribute", lambda q: q.form == "color"),
    "relation": ("relation", lambda q: q.form == "side"),
    "text": ("text", lambda q: q.form == "says"),
}
"""The family and the questions whose answers state a fact of each kind."""
_TRIES = 6


@dataclass(frozen=True)
class Fact:
    """A sentence and the question that it answers."""

    kind: str
    question: Question

    @property
    def sentence(self) -> str:
        return statement(self.question.say())


@dataclass(frozen=True)
class Change:
    """A caption of which the sentence ``number`` (from 0) says ``said`` instead of the truth."""

    caption: Caption
    number: int
    said: str

    @property
    def kind(self) -> str:
        return self.caption.facts[self.number].kind

    @property
    def sentences(self) -> list[str]:
        true = self.caption.sentences
        return [*true[: self.number], self.said, *true[self.number + 1 :]]

    @property
    def text(self) -> str:
        return self.caption.joined(self.sentences)


@dataclass(frozen=True)
class Caption:
    """Facts of one scene in one language, at most one of each kind."""

    facts: tuple[Fact, ...]
    lang: str

    @property
    def sentences(self) -> list[str]:
        return [fact.sentence for fact in self.facts]

    @property
    def text(self) -> str:
        return self.joined(self.sentences)

    def joined(self, sentences: list[str]) -> str:
        return ("" if self.lang == "zh" else " ").join(sentences)

    def changed(self, rng: random.Random) -> Change | None:
        """The caption with one fact changed; None when it has none that can be."""
        for number in rng.sample(range(len(self.facts)), len(self.facts)):
            question = self.facts[number].question
            wrong = misread(question, rng)
            if wrong is not None:
                return Change(self, number, statement(question.say(wrong)))
        return None


def caption_of(scene: Scene, seed: int) -> Caption:
    """A caption, a pure function of its arguments; a scene may allow no fact of some kinds."""
    rng = random.Random(f"caption/{seed}/{scene.seed}/{scene.index}")
    lang = "zh" if rng.random() < CHINESE else "en"
    facts = [fact for kind in KINDS if (fact := _fact(scene, kind, lang, rng)) is not None]
    rng.shuffle(facts)
    return Caption(tuple(facts), lang)


def _fact(scene: Scene, kind: str, lang: str, rng: random.Random) -> Fact | None:
    family, fits = _ASKED[kind]
    for _ in range(_TRIES):
        for question in questions(scene, rng.getrandbits(32), n=2, family=family, lang=lang):
            if question.answer != UNANSWERABLE and fits(question):
                return Fact(kind, question)
    return None
