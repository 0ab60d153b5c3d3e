"""Woodpecker's open-ended comparison: a judge scores two answers (arXiv 2310.16045, section 4).

A judge that sees the picture gives both answers a score for accuracy and one for detailedness,
each 0..10. Judges favour a position, so every pair is judged in both orders and the scores are
averaged. The peer asks once, on a scale of 1 to 10: ``variant="peer"`` asks once too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from prompts import language, render

Variant = Literal["correct", "peer"]
Judge = Callable[[str, str], str]
"""From a prompt and a picture (whatever ``Pair.image`` holds) to a reply."""

_CRITERIA = {"accuracy": r"accuracy|准确性", "detailedness": r"detailedness|详细度"}
_HEADING = rf"^[^\w\n]*(?:\d\W*)?({'|'.join(_CRITERIA.values())})[^\w\n]*?[:：]"
_NUMBER = r"(?<![\w.,/-])\d+(?:\.\d+)?(?![\w.]*\d)"


@dataclass(frozen=True)
class Pair:
    """Two answers about one picture; ``image`` is a path, URL or id that the judge knows."""

    image: str
    first: str
    second: str
    question: str = ""


@dataclass(frozen=True)
class Scores:
    """One answer's scores, 0..10, higher is better."""

    accuracy: float
    detailedness: float


@dataclass(frozen=True)
class Judged:
    """Scores of both answers, and the replies they were read from."""

    first: Scores
    second: Scores
    replies: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Mean scores over ``n`` pairs, and how often each answer is the more accurate one."""

    n: int
    first: Scores
    second: Scores
    first_wins: int
    ties: int
    second_wins: int


def prompt(pair: Pair, lang: str | None = None) -> str:
    """The judge's prompt, in ``lang`` (en, zh) or else in the language of the first answer."""
    return render(
        "judge",
        lang or language(pair.first),
        question=pair.question.strip(),
        first=pair.first.strip(),
        second=pair.second.strip(),
    )


def parse(reply: str) -> tuple[Scores, Scores]:
    """Scores of the first and the second answer.

    After each criterion's name stand two numbers 0..10, on its line or, as in the peer's output
    format, on the next. Raises ``ValueError`` that quotes the reply when a criterion is missing,
    has not just two numbers, or one is out of range; nothing is guessed.
    """
    accuracy, detailedness = (_two_scores(reply, name) for name in _CRITERIA)
    return Scores(accuracy[0], detailedness[0]), Scores(accuracy[1], detailedness[1])


def judge_pair(
    pair: Pair, judge: Judge, lang: str | None = None, variant: Variant = "correct"
) -> Judged:
    """Ask the judge, in both orders unless ``variant`` is ``"peer"``. Raises ``ValueError`` for a
    reply that ``parse`` does not accept."""
    reply = judge(prompt(pair, lang), pair.image)
    first, second = parse(reply)
    if variant == "peer":
        return Judged(first, second, (reply,))
    swapped = Pair(pair.image, pair.second, pair.first, pair.question)
    again = judge(prompt(swapped, lang or language(pair.first)), pair.image)
    second_again, first_again = parse(again)
    return Judged(_mean([first, first_again]), _mean([second, second_again]), (reply, again))


def compare(judged: Iterable[Judged]) -> Comparison:
    """Means over pairs. Raises ``ValueError`` when there is none."""
    items = list(judged)
    if not items:
        raise ValueError("there is no judged pair to average")
    ahead = [item.first.accuracy - item.second.accuracy for item in items]
    return Comparison(
        n=len(items),
        first=_mean([item.first for item in items]),
        second=_mean([item.second for item in items]),
        first_wins=sum(a > 0 for a in ahead),
        ties=sum(a == 0 for a in ahead),
        second_wins=sum(a < 0 for a in ahead),
    )


def _two_scores(reply: str, criterion: str) -> tuple[float, float]:
    sections = re.split(_HEADING, reply, flags=re.IGNORECASE | re.MULTILINE)
    names = [re.fullmatch(_CRITERIA[criterion], name, re.IGNORECASE) for name in sections[1::2]]
    found = [body for name, body in zip(names, sections[2::2], strict=True) if name]
    if len(found) != 1:
        raise ValueError(f"the judge's reply needs one line '{criterion}:': {reply[:200]!r}")
    lines = [line for line in found[0].splitlines() if re.search(r"\d", line)]
    text = lines[0] if lines else ""
    # "Answer 1: 7, answer 2: 9": the labels are no scores.
    text = re.sub(r"(?:assistant|answer|回答|助手)\s*[12]\s*[:：=]", " ", text, flags=re.IGNORECASE)
    numbers = [float(n) for n in re.findall(_NUMBER, re.sub(r"\s*/\s*10\b", " ", text))]
    if len(numbers) != 2 or not all(0 <= n <= 10 for n in numbers):
        raise ValueError(
            f"the judge's {criterion} needs two scores from 0 to 10, not {text.strip()!r}; "
            "ask again or use a judge that keeps to the format"
        )
    return numbers[0], numbers[1]


def _mean(scores: list[Scores]) -> Scores:
    return Scores(
        accuracy=sum(s.accuracy for s in scores) / len(scores),
        detailedness=sum(s.detailedness for s in scores) / len(scores),
    )
