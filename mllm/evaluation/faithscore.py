"""FaithScore: the share of an answer's atomic facts that its picture supports (arXiv 2311.01477).

Sub-sentences that describe the picture are found, each is decomposed into atomic facts, and each
fact gets a verdict. Here those are records, or come from functions passed in; no model is called.
All scores lie in 0..1. ``variant="peer"`` computes as ``bcdnlp/FAITHSCORE`` does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mllm.evaluation.intervals import wilson

Category = Literal["entity", "count", "color", "relation", "other"]
Variant = Literal["correct", "peer"]
_HEADINGS: dict[str, Category] = {
    "entities": "entity",
    "relations": "relation",
    "colors": "color",
    "counting": "count",
    "other attributes": "other",
}


@dataclass(frozen=True)
class Sentence:
    """A sub-sentence. Only what describes the picture is checked; analysis is not."""

    text: str
    descriptive: bool


@dataclass(frozen=True)
class Fact:
    """An atomic fact and its verdict. ``sentence`` is the index of its sub-sentence; ``weight``
    is w of the paper's weighted score, 1 there."""

    text: str
    supported: bool
    category: Category | None = None
    sentence: int | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"the weight of a fact must be 0 or more, not {self.weight}")


@dataclass(frozen=True)
class Answer:
    """One examined answer. Raises ``ValueError`` when a fact points at no sub-sentence of it."""

    id: str
    text: str
    sentences: tuple[Sentence, ...]
    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        for fact in self.facts:
            if fact.sentence is not None and not 0 <= fact.sentence < len(self.sentences):
                raise ValueError(
                    f"answer {self.id}: fact {fact.text!r} belongs to sub-sentence "
                    f"{fact.sentence}, but there are {len(self.sentences)}"
                )


@dataclass(frozen=True)
class CategoryScore:
    """Supported facts of a category over all answers, with Wilson's 95 % interval."""

    supported: int
    n: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class FaithScores:
    """Means over answers. ``None`` where no answer could be scored; ``sentence`` is also ``None``
    when some fact is linked to no sub-sentence, since leaving its answer out would flatter."""

    fact: float | None
    fact_answers: int
    sentence: float | None
    sentence_answers: int
    by_category: Mapping[Category, CategoryScore]


def examine(
    id: str,
    text: str,
    split: Callable[[str], Sequence[Sentence]],
    decompose: Callable[[str], Sequence[tuple[Category, str]]],
    verify: Callable[[Sequence[str]], Sequence[bool]],
) -> Answer:
    """The three stages over one answer: ``split`` it, ``decompose`` each descriptive
    sub-sentence, ``verify`` all its facts in one call. Raises ``ValueError`` when ``verify``
    does not return one verdict a fact."""
    sentences = tuple(split(text))
    found = [
        (index, category, fact)
        for index, sentence in enumerate(sentences)
        if sentence.descriptive
        for category, fact in decompose(sentence.text)
    ]
    verdicts = verify([fact for _, _, fact in found]) if found else []
    if len(verdicts) != len(found):
        raise ValueError(f"answer {id}: {len(found)} facts got {len(verdicts)} verdicts")
    facts = tuple(
        Fact(fact, bool(verdict), category, index)
        for (index, category, fact), verdict in zip(found, verdicts, strict=True)
    )
    return Answer(id, text, sentences, facts)


def fact_score(answer: Answer, variant: Variant = "correct") -> float | None:
    """f = sum of w_i s_i over sum of w_i (section 3). ``None`` when there is no fact to weigh;
    the peer counts such an answer as 0, and knows no weights."""
    if variant == "peer":
        return sum(f.supported for f in answer.facts) / max(1, len(answer.facts))
    total = sum(f.weight for f in answer.facts)
    return sum(f.weight for f in answer.facts if f.supported) / total if total else None


def sentence_score(answer: Answer, variant: Variant = "correct") -> float | None:
    """1 - C_h / C: the share of descriptive sub-sentences without a false fact.

    ``None`` without a descriptive sub-sentence (the peer says 1) or when a fact is linked to
    none. The peer keeps no links: a false fact hits every sub-sentence that contains the last
    word of an entity fact of the answer, as a bare substring; an entity fact that ends in a full
    stop yields the empty word, which is in every sub-sentence. Its tagger's filter on that word
    is taken to pass. The peer needs categories, else ``ValueError``.
    """
    described = [i for i, s in enumerate(answer.sentences) if s.descriptive]
    if variant == "peer":
        hit = {i for i in described if _peer_hit(answer, answer.sentences[i].text)}
        return 1 - len(hit) / len(described) if described else 1.0
    if not described or any(f.sentence is None for f in answer.facts):
        return None
    false = {f.sentence for f in answer.facts if not f.supported}
    return 1 - len(false.intersection(described)) / len(described)


def score_answers(answers: Iterable[Answer], variant: Variant = "correct") -> FaithScores:
    """Both scores as means over answers, and the share of supported facts by category.

    Answers without anything to score are left out; the peer counts them in, as 0 and 1. The
    peer's sentence score is ``None`` where facts have no category.
    """
    items = list(answers)
    facts = [f for a in items for f in a.facts]
    unlinked = (f.category is None if variant == "peer" else f.sentence is None for f in facts)
    per_fact = [s for a in items if (s := fact_score(a, variant)) is not None]
    per_sentence: list[float] = []
    if not any(unlinked):
        per_sentence = [s for a in items if (s := sentence_score(a, variant)) is not None]
    by_category: dict[Category, CategoryScore] = {}
    for category in get_args(Category):
        verdicts = [f.supported for f in facts if f.category == category]
        if verdicts:
            good, n = sum(verdicts), len(verdicts)
            by_category[category] = CategoryScore(good, n, good / n, wilson(good, n))
    return FaithScores(
        _mean(per_fact), len(per_fact), _mean(per_sentence), len(per_sentence), by_category
    )


def parse_sentences(labelled: str, variant: Variant = "correct") -> tuple[Sentence, ...]:
    """Sub-sentences of ``A red bus [D] which may be late [A]``, the form the first stage's model
    writes: each is followed by its mark, D for descriptive and A for analytical.

    Text after the last mark raises ``ValueError``. The peer takes every capital D or A for a
    mark, so ``A red bus [D]`` loses its beginning, and keeps descriptive ones only.
    """
    if variant == "peer":
        marks = [m.start() for m in re.finditer("[DA]", labelled)]
        starts = [0] + [mark + 3 for mark in marks]
        return tuple(
            Sentence(labelled[start : mark - 1], True)
            for start, mark in zip(starts, marks, strict=False)
            if labelled[mark] == "D"
        )
    *parts, rest = re.split(r"\[([DA])\]", labelled)
    if rest.strip(" .\n"):
        raise ValueError(f"sub-sentence {rest.strip()!r} has no mark [D] or [A] after it")
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(Sentence(text.strip(), mark == "D") for text, mark in pairs if text.strip())


def parse_facts(reply: str) -> tuple[tuple[Category, str], ...]:
    """Facts of a decomposition reply: lines ``Entities: There is a dog. There is a ball.``,
    likewise Relations, Colors, Counting, Other attributes. A repeated ``Entities:`` ends it, as
    models like to go on with a next example. Raises ``ValueError`` when no heading is there."""
    facts: list[tuple[Category, str]] = []
    seen: set[Category] = set()
    for line in reply.splitlines():
        heading, colon, rest = line.strip().partition(":")
        category = _HEADINGS.get(heading.strip().lower()) if colon else None
        if category is None:
            continue
        if category == "entity" and seen:
            break
        seen.add(category)
        texts = re.split(r"(?<=\.)\s+", rest.strip())
        facts += [(category, text) for text in texts if text]
    if not seen:
        raise ValueError(f"the reply has no line such as 'Entities: ...': {reply[:80]!r}")
    return tuple(facts)


def read_annotations(path: Path) -> list[Answer]:
    """The published human annotation, ``annotation.jsonl``: ``id``, ``answer``, ``stage 1``
    (sub-sentence to 0/1) and ``stage 2`` (fact to 0/1), without categories and links.

    1 is read as descriptive and as supported. The peer's readme says the reverse of both, which
    its own lines contradict: 1,114 of 1,380 facts have 1, and plain descriptions have 1. Raises
    ``ValueError`` naming the line that does not fit.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; download annotation.jsonl of bcdnlp/FAITHSCORE")
    answers: list[Answer] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                answers.append(_annotation(json.loads(line)))
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{path}, line {number}: expected an object with id, answer, 'stage 1' and "
                    f"'stage 2' (texts to 0 or 1); correct or remove the line ({error})"
                ) from error
    return answers


def write_annotations(path: Path, answers: Iterable[Answer]) -> None:
    """Write the same format; categories, links and weights have no place in it."""
    rows = (
        {
            "id": a.id,
            "answer": a.text,
            "stage 1": {s.text: int(s.descriptive) for s in a.sentences},
            "stage 2": {f.text: int(f.supported) for f in a.facts},
        }
        for a in answers
    )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _annotation(row: Any) -> Answer:
    for stage in ("stage 1", "stage 2"):
        if not isinstance(row[stage], dict) or any(v not in (0, 1) for v in row[stage].values()):
            raise TypeError(f"{stage} must map texts to 0 or 1")
    return Answer(
        id=str(row["id"]),
        text=str(row["answer"]),
        sentences=tuple(Sentence(text, bool(v)) for text, v in row["stage 1"].items()),
        facts=tuple(Fact(text, bool(v)) for text, v in row["stage 2"].items()),
    )


def _peer_hit(answer: Answer, sentence: str) -> bool:
    """Whether the peer finds a false fact in ``sentence``."""
    if any(f.category is None for f in answer.facts):
        raise ValueError(f"answer {answer.id}: the peer's sentence score needs fact categories")
    for entity in (f for f in answer.facts if f.category == "entity"):
        ending = re.search(r"[\w'-]+$", entity.text)
        head = ending[0] if ending else ""
        others = (f for f in answer.facts if f.category != "entity" and head in f.text)
        if head in sentence and not (entity.supported and all(f.supported for f in others)):
            return True
    return False


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
