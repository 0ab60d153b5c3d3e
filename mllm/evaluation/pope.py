"""POPE, arXiv 2305.10355: does a model see objects that are not there?

Half of the questions ask for an object of the picture, half for an absent one, drawn at random,
by frequency, or by how often it is seen together with a present one (section 5). All shares lie
in 0..1. ``variant="peer"`` reads answers as POPE's evaluate.py does; the arithmetic is the same,
except that the peer divides by zero where a model never says yes and ours gives 0.

lmms-eval reports the share of yes among the *gold* answers as yes-ratio; here, as in the paper, it
is that of the predictions.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mllm.evaluation.intervals import wilson
from mllm.evaluation.yes_no import Parser, YesNo, parse_yes_no

Setting: TypeAlias = Literal["random", "popular", "adversarial"]
Variant: TypeAlias = Literal["correct", "peer"]


@dataclass(frozen=True)
class Picture:
    """The objects that a picture shows, most important first."""

    image: str
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A line of an official question file."""

    question_id: int
    image: str
    text: str
    label: YesNo


@dataclass(frozen=True)
class Record:
    """A gold label and the free answer that was given."""

    label: YesNo
    answer: str


@dataclass(frozen=True)
class Score:
    """Counts with yes as the positive class. An answer that is neither yes nor no is wrong, and
    is in none of tp, fp, tn, fn; on a gold yes it still lowers recall."""

    n: int
    tp: int
    fp: int
    tn: int
    fn: int
    unclear: int
    positives: int

    @property
    def accuracy(self) -> float:
        return (self.tp + self.tn) / self.n

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        return self.tp / self.positives if self.positives else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def yes_ratio(self) -> float:
        """Share of all answers that say yes."""
        return (self.tp + self.fp) / self.n

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % Wilson intervals of the four plain shares; F1 is not a share and has none."""
        said_yes = self.tp + self.fp
        return {
            "accuracy": wilson(self.tp + self.tn, self.n),
            "precision": wilson(self.tp, said_yes),
            "recall": wilson(self.tp, self.positives),
            "yes_ratio": wilson(said_yes, self.n),
        }


@dataclass(frozen=True)
class Report:
    """A model's score beside what one word, always repeated, would get on the same questions."""

    model: Score
    always_yes: Score
    always_no: Score


def score(
    records: Iterable[Record], variant: Variant = "correct", parser: Parser | None = None
) -> Report:
    """Score answers. ``parser`` overrides the reading of ``variant`` (strict, or POPE's own).

    Raises ``ValueError`` when there is no record.
    """
    items = list(records)
    if not items:
        raise ValueError("There are no answers to score; give at least one record.")
    reading = parser or ("pope" if variant == "peer" else "strict")
    said = [parse_yes_no(r.answer, reading, r.label) for r in items]
    labels = [r.label for r in items]
    return Report(
        model=_count(labels, said),
        always_yes=_count(labels, ["yes"] * len(items)),
        always_no=_count(labels, ["no"] * len(items)),
    )


def english(noun: str) -> str:
    """The official question. (The peer's current code spells "an ... imange".)"""
    article = "an" if noun[:1].lower() in set("aeiou") else "a"
    return f"Is there {article} {noun} in the image?"


def build_questions(
    annotations: Iterable[Picture],
    setting: Setting = "random",
    *,
    per_image: int = 6,
    seed: int = 0,
    ask: Callable[[str], str] = english,
) -> list[Question]:
    """Questions of one setting: for each picture its first ``per_image / 2`` objects, each
    followed by an absent one, ids from 1. Pictures with fewer objects are left out.

    The absent object is, among those not asked about this picture before, any (``random``), the
    one that most pictures show (``popular``), or the one seen most often together with the object
    asked just before (``adversarial``; any, where nothing is left). Ties go to what is named
    first. Counts are over all annotations, as in the paper; the peer's script counts only the
    pictures it asks about. An object named twice counts once. Raises ``ValueError`` for an odd
    ``per_image``, when no picture is left, and when a picture leaves no absent object to ask for.
    """
    if per_image < 2 or per_image % 2:
        raise ValueError(f"per_image must be an even number of at least 2, not {per_image}.")
    if setting not in ("random", "popular", "adversarial"):
        raise ValueError(f"There is no setting {setting!r}: use random, popular or adversarial.")
    pictures = [Picture(p.image, tuple(dict.fromkeys(p.objects))) for p in annotations]
    shown = Counter(name for p in pictures for name in p.objects)
    popular = [name for name, _ in shown.most_common()]
    together = _co_occurrence(pictures)
    pairs = per_image // 2
    rng = random.Random(seed)
    asked: list[tuple[str, str, YesNo]] = []
    for picture in (p for p in pictures if len(p.objects) >= pairs):
        used = set(picture.objects)
        for present in picture.objects[:pairs]:
            anything = [name for name in popular if name not in used]
            if not anything:
                raise ValueError(
                    f"{picture.image} shows so many objects that none is left to ask for; "
                    "give annotations with more kinds of objects or a smaller per_image."
                )
            near = [name for name in together[present] if name not in used]
            ranked = {"random": [], "popular": anything, "adversarial": near}[setting]
            absent = ranked[0] if ranked else rng.choice(anything)
            used.add(absent)
            asked += [(picture.image, present, "yes"), (picture.image, absent, "no")]
    if not asked:
        raise ValueError(f"No picture shows the {pairs} objects that per_image={per_image} needs.")
    return [Question(i, image, ask(name), label) for i, (image, name, label) in enumerate(asked, 1)]


def _count(labels: Sequence[YesNo], said: Sequence[str | None]) -> Score:
    c = Counter(zip(labels, said, strict=True))
    return Score(
        n=len(labels),
        tp=c["yes", "yes"],
        fp=c["no", "yes"],
        tn=c["no", "no"],
        fn=c["yes", "no"],
        unclear=c["yes", None] + c["no", None],
        positives=labels.count("yes"),
    )


def _co_occurrence(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """For each object the others, most often seen together with it first."""
    together: dict[str, Counter[str]] = {}
    for p in pictures:
        for name in p.objects:
            others = (o for o in p.objects if o != name)
            together.setdefault(name, Counter()).update(others)
    return {name: [o for o, _ in others.most_common()] for name, others in together.items()}
