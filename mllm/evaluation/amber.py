"""AMBER: hallucination in yes/no answers and in descriptions, scored without a judge model.

Wang et al., arXiv 2311.07397, on metrics. Here are its annotations, the scores of the yes/no
answers (accuracy, and precision, recall and F1 with "no" as the positive class) and the joint
AMBER score; ``amber_descriptions`` scores descriptions. All figures lie in 0..1; the paper prints
them in per cent.

``variant="peer"`` gives what ``inference.py`` prints. Every published existence question has the
answer "no", so that a constant "no" is right on all of them: read each figure beside the constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mllm.evaluation.intervals import wilson
from mllm.evaluation.yes_no import YesNo, parse_yes_no

Variant: TypeAlias = Literal["paper", "peer"]
Interval: TypeAlias = tuple[float, float]
PARTS: Mapping[str, tuple[str, ...]] = {
    "existence": ("discriminative-hallucination",),
    "attribute": tuple(f"discriminative-attribute-{k}" for k in ("state", "number", "action")),
    "state": ("discriminative-attribute-state",),
    "number": ("discriminative-attribute-number",),
    "action": ("discriminative-attribute-action",),
    "relation": ("discriminative-relation", "relation"),
}
"""The rows of the paper's table, and the annotation types that each takes in."""
KINDS = frozenset(kind for kinds in PARTS.values() for kind in kinds)


@dataclass(frozen=True)
class Described:
    """A picture to describe: what it shows, and what models tend to imagine in it."""

    id: int
    truth: tuple[str, ...]
    hallu: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A yes/no question. ``kind`` is one of ``KINDS``."""

    id: int
    kind: str
    truth: YesNo


Annotations: TypeAlias = Mapping[int, Described | Asked]


@dataclass(frozen=True)
class YesNoScore:
    """With "no" as the positive class; a share of nothing is 0. An answer that says neither yes
    nor no is ``unclear``: it is wrong, and on a gold no it still lowers recall."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    n: int
    right: int
    hits: int
    said_no: int
    are_no: int
    unclear: int

    @property
    def intervals(self) -> dict[str, Interval]:
        """95 % Wilson intervals of the plain shares; F1 is not a share and has none."""
        return {
            "accuracy": wilson(self.right, self.n),
            "precision": wilson(self.hits, self.said_no),
            "recall": wilson(self.hits, self.are_no),
        }


YesNoScores: TypeAlias = Mapping[str, YesNoScore]
"""``all``, and each of ``PARTS`` that has an answer."""


@dataclass(frozen=True)
class YesNoReport:
    """A model's scores beside what one word, always repeated, would get on the same questions."""

    model: YesNoScores
    always_yes: YesNoScores
    always_no: YesNoScores


def ask_score(
    responses: Mapping[int, str], annotations: Annotations, variant: Variant = "paper"
) -> YesNoReport:
    """Score the responses to yes/no items; descriptions are passed over.

    Answers are read by ``yes_no``'s strict parser. ``variant="peer"`` takes only ``Yes`` and
    ``No``, adds 0.001 to divisors, and rounds to a tenth of a per cent before and after F1.
    Raises ``ValueError`` for an id without annotation and when no response answers a question.
    """
    items = [(annotation(i, annotations), text) for i, text in responses.items()]
    asked = [(item, text) for item, text in items if isinstance(item, Asked)]
    if not asked:
        raise ValueError("no response answers a question; check the ids of the response file")

    def scores(said: str | None) -> dict[str, YesNoScore]:
        rows = [(q.kind, q.truth, _read(said or text, variant)) for q, text in asked]
        found = {
            part: [(truth, read) for kind, truth, read in rows if kind in kinds]
            for part, kinds in {"all": KINDS, **PARTS}.items()
        }
        return {part: _yes_no(some, variant, part) for part, some in found.items() if some}

    return YesNoReport(model=scores(None), always_yes=scores("Yes"), always_no=scores("No"))


def amber(chair: float, f1: float) -> float:
    """The paper's joint score: half of (1 - CHAIR) plus the F1 of all questions."""
    return (1 - chair + f1) / 2


def _read(text: str, variant: Variant) -> YesNo | None:
    if variant == "paper":
        return parse_yes_no(text)
    return "yes" if text == "Yes" else "no" if text == "No" else None


def _yes_no(rows: Sequence[tuple[YesNo, YesNo | None]], variant: Variant, part: str) -> YesNoScore:
    right = sum(truth == said for truth, said in rows)
    hits = sum(truth == said == "no" for truth, said in rows)
    said_no = sum(said == "no" for _, said in rows)
    are_no = sum(truth == "no" for truth, _ in rows)
    if variant == "peer":
        # each of the attribute's three counters starts at 0.001, all others are one counter
        start = 0.003 if part == "attribute" else 0.001
        accuracy = tenth(right / (len(rows) + start))
        precision, recall = tenth(hits / (said_no + start)), tenth(hits / (are_no + start))
        ridge = 0.001 if part == "existence" else 0.0001
        f1 = tenth(2 * precision * recall / (precision + recall + ridge))
    else:
        accuracy = right / len(rows)
        precision = hits / said_no if said_no else 0.0
        recall = hits / are_no if are_no else 0.0
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    unclear = sum(said is None for _, said in rows)
    counts = (len(rows), right, hits, said_no, are_no, unclear)
    return YesNoScore(accuracy, precision, recall, f1, *counts)


def tenth(share: float) -> float:
    """Rounded to a tenth of a per cent, as the published script prints."""
    return round(share * 100, 1) / 100


def annotation(number: int, annotations: Annotations) -> Described | Asked:
    """The annotation of an id. Raises ``ValueError`` when there is none."""
    if number not in annotations:
        raise ValueError(f"no annotation has the id {number}; check the response file")
    return annotations[number]
