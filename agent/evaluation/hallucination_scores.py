"""The numbers of `corvid eval hallucination`, over plain records.

Answers about one picture are not independent of each other: intervals are those of a bootstrap
over pictures. What happened never or always in a sample looks certain to a bootstrap; there the
interval is Wilson's with one trial a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from agent.evaluation.scenes import Metric, share
from agent.evaluation.statements import Statement, Thing, holds, statements, vocabulary
from mllm.evaluation import chair, pope
from mllm.evaluation.intervals import wilson
from mllm.evaluation.yes_no import parse_yes_no

SETTINGS: tuple[pope.Setting, ...] = get_args(pope.Setting)
RESAMPLES = 1000

Pair = tuple[set[Statement], set[Statement]]
"""What a text states before and after."""


@dataclass(frozen=True)
class Case:
    """A picture, what it shows, and the questions of each setting (none where it shows too few
    kinds of objects)."""

    name: str
    things: tuple[Thing, ...]
    questions: Mapping[pope.Setting, tuple[pope.Question, ...]]

    @property
    def asked(self) -> tuple[str, ...]:
        """The texts of the questions, each once: settings have questions in common."""
        every = (q.text for setting in SETTINGS for q in self.questions[setting])
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True)
class Replies:
    """What was said of a picture: a description, and an answer to each text of a question.
    ``seconds`` are those of each of them."""

    description: str
    answers: Mapping[str, str]
    seconds: tuple[float, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.description, *self.answers.values())


def scores(cases: Sequence[Case], replies: Sequence[Replies]) -> dict[str, Metric]:
    """The columns of a row: POPE's F1 by setting, CHAIR_i (also with each kind once), CHAIR_s,
    Cover, seconds an answer.

    A value over nothing (CHAIR_i of a model that names no object) is None. Raises
    ``ValueError`` without cases.
    """
    described = [chair.Caption(c.name, r.description) for c, r in zip(cases, replies, strict=True)]
    present = {c.name: frozenset(t.object for t in c.things) for c in cases}
    captions = chair.chair(described, present, vocabulary()).captions
    seconds = [one for r in replies for one in r.seconds]
    kinds = [present[c.image_id] for c in captions]
    return {
        **pope_f1(cases, [r.answers for r in replies]),
        "chair_i": ratio((len(c.hallucinated), len(c.mentioned)) for c in captions),
        "chair_i.kinds": ratio((len({*c.hallucinated}), len({*c.mentioned})) for c in captions),
        "chair_s": share(sum(bool(c.hallucinated) for c in captions), len(captions)),
        "cover": ratio(
            (len(there) - len(c.missed), len(there))
            for c, there in zip(captions, kinds, strict=True)
        ),
        "seconds": {
            "value": sum(seconds) / len(seconds) if seconds else None,
            "low": None,
            "high": None,
            "n": len(seconds),
        },
    }


def always(cases: Sequence[Case], word: str) -> dict[str, Metric]:
    """POPE's F1 of one word, always repeated: exact, so without intervals."""
    answers = [dict.fromkeys(case.asked, word) for case in cases]
    measured = pope_f1(cases, answers)
    return {name: {**metric, "low": None, "high": None} for name, metric in measured.items()}


def pope_f1(cases: Sequence[Case], answers: Sequence[Mapping[str, str]]) -> dict[str, Metric]:
    """``pope_f1.SETTING`` of the answers, by the text of the question; n are questions."""
    out = {}
    for setting in SETTINGS:
        counted = [
            pope.score(pope.Record(q.label, said[q.text]) for q in case.questions[setting]).model
            for case, said in zip(cases, answers, strict=True)
            if case.questions[setting]
        ]
        # F1 = 2 tp / (answered yes + gold yes)
        metric = ratio((2 * s.tp, s.tp + s.fp + s.positives) for s in counted)
        out[f"pope_f1.{setting}"] = {**metric, "n": sum(s.n for s in counted)}
    return out


def corrections(
    cases: Sequence[Case], before: Sequence[Replies], after: Sequence[Replies]
) -> dict[str, Metric]:
    """What became of the claims of all texts, as ``statements`` reads them; an answer to a
    question states that its object is there, or is not:

    - ``right_claims_kept``: share of the true claims before that are still there after
    - ``corrected_right``: share of the claims that were not there before which are true

    A claim whose truth nobody knows counts in neither. Both again with ``.described``, of the
    descriptions alone.
    """
    every = [list(_stated(*one)) for one in zip(cases, before, after, strict=True)]
    described = [pairs[:1] for pairs in every]
    return _corrections(cases, every) | {
        f"{name}.described": metric for name, metric in _corrections(cases, described).items()
    }


def _corrections(cases: Sequence[Case], stated: Sequence[Sequence[Pair]]) -> dict[str, Metric]:
    kept: list[tuple[int, int]] = []
    right: list[tuple[int, int]] = []
    for case, pairs in zip(cases, stated, strict=True):
        true = [s in new for old, new in pairs for s in old if holds(s, case.things)]
        kept.append((sum(true), len(true)))
        added = [holds(s, case.things) for old, new in pairs for s in new - old]
        right.append((added.count(True), len(added) - added.count(None)))
    return {"right_claims_kept": ratio(kept), "corrected_right": ratio(right)}


def ratio(counted: Iterable[tuple[int, int]]) -> Metric:
    """Part and whole of each picture as the ratio of their sums, with its 95 % interval."""
    rows = np.array([(part, whole) for part, whole in counted if whole], dtype=np.float64)
    if not len(rows):
        return {"value": None, "low": None, "high": None, "n": 0}
    part, whole = rows.sum(axis=0)
    value = float(part / whole)
    if value in (0.0, 1.0):
        low, high = wilson(len(rows) * int(value), len(rows))
    else:
        rng = np.random.default_rng(0)
        drawn = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES) @ rows
        low, high = map(float, np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975)))
    return {"value": value, "low": low, "high": high, "n": int(whole)}


def compared(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for each measured row: in which columns it is better than ``base`` and in which
    worse, where their intervals do not overlap; "does not help" where none is better."""
    base = rows["base"]
    out = []
    for name, row in rows.items():
        if name == "base" or "chair_i" not in row:
            continue
        apart = [column for column in _COLUMNS if _apart(base[column], row[column])]
        higher = {column for column in apart if row[column]["value"] > base[column]["value"]}
        better = [column for column in apart if (column in higher) == _COLUMNS[column]]
        worse = [column for column in apart if column not in better]
        said = f"is better than base in {', '.join(better)}" if better else "does not help"
        out.append(f"{name} {said}" + (f"; worse in {', '.join(worse)}" if worse else ""))
    return out


_COLUMNS = {
    **{f"pope_f1.{setting}": True for setting in SETTINGS},
    "chair_i": False,
    "chair_i.kinds": False,
    "chair_s": False,
    "cover": True,
}
"""What is compared, and whether more of it is better."""


def _apart(a: Metric, b: Metric) -> bool:
    """Whether the intervals do not overlap; false where one is not known."""
    ends = [(m["low"], m["high"]) for m in (a, b) if m["low"] is not None and m["high"] is not None]
    return len(ends) == 2 and max(low for low, _ in ends) > min(high for _, high in ends)


def _stated(case: Case, before: Replies, after: Replies) -> Iterator[Pair]:
    """The claims of each text before and after, those of the description first."""
    yield statements(before.description), statements(after.description)
    kinds = {q.text: kind for setting in SETTINGS for q in case.questions[setting]
             for kind in {m.category for m in vocabulary().mentions(q.text)}}  # fmt: skip
    for text, old in before.answers.items():
        yield _answered(old, kinds.get(text)), _answered(after.answers[text], kinds.get(text))


def _answered(answer: str, kind: str | None) -> set[Statement]:
    """What an answer to whether there is a ``kind`` states."""
    said = parse_yes_no(answer)
    if kind is None or said is None:
        return statements(answer)
    return statements(answer) | {Statement(kind) if said == "yes" else Statement(kind, "", 0)}
