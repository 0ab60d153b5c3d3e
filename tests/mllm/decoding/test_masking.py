"""LURE's three scores and its masks, against numbers worked out by hand."""

from __future__ import annotations

from math import inf

import pytest

from mllm.decoding.masking import CoOccurrence, Limits, Piece, masked, score
from mllm.evaluation.vocabulary import Vocabulary

TEXT = "A cat and a dog sit near the bus."
PIECES = [
    Piece(0, 1, 3.0), Piece(1, 3, 0.5), Piece(3, 5, 0.6), Piece(5, 9, 2.0),
    Piece(9, 11, 0.0), Piece(11, 15, 0.3), Piece(15, 28, 4.0), Piece(28, 32, 0.2),
]  # fmt: skip
"""A| c|at| and| a| dog| sit near the| bus"""
COUNTS = CoOccurrence([{"cat", "dog"}, {"cat", "dog", "bus"}, {"cat"}, {"bus"}])
NEVER = Limits(uncertainty=inf, position=inf, co_occurrence=inf)


def test_an_object_is_as_unsure_as_all_its_tokens_together() -> None:
    found = {one.mention.category: one.uncertainty for one in score(TEXT, PIECES)}
    assert found == {"cat": pytest.approx(1.1), "dog": 0.3, "bus": 0.2}


def test_an_object_stands_where_its_first_word_does() -> None:
    assert [one.position for one in score(TEXT)] == [2 / 9, 5 / 9, 1.0]
    assert [one.position for one in score("My cell phone.")] == [2 / 3]
    assert [one.position for one in score("图中有2只猫和1只狗。")] == [0.6, 1.0]


def test_degrees_of_co_occurrence() -> None:
    # cat in 3 descriptions, dog in 2, bus in 2
    assert COUNTS.degree("cat", "dog") == COUNTS.degree("dog", "cat") == 2 / 5
    assert COUNTS.degree("cat", "bus") == 1 / 5
    assert COUNTS.degree("dog", "bus") == 1 / 4
    assert COUNTS.degree("cat", "zebra") == COUNTS.degree("zebra", "cow") == 0
    assert COUNTS.degree("cat", "cat") == 1 / 2


def test_co_occurrence_is_summed_over_the_other_objects_each_once() -> None:
    found = {one.mention.category: one.co_occurrence for one in score(TEXT, counts=COUNTS)}
    assert found == {k: pytest.approx(v) for k, v in {"cat": 0.6, "dog": 0.65, "bus": 0.45}.items()}
    again = score("A cat, a dog, a dog and a bus.", counts=COUNTS)
    assert [one.co_occurrence for one in again] == pytest.approx([0.6, 0.65, 0.65, 0.45])
    # CoScore, were the dog and the bus imagined.
    both = sum(COUNTS.score(name, ["cat", "dog", "bus"]) for name in ("dog", "bus"))
    assert both == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (NEVER, TEXT),
        (Limits(), "A [IDK] and a dog sit near the [IDK]."),
        (Limits(position=inf), "A [IDK] and a dog sit near the bus."),
        (Limits(uncertainty=inf), "A cat and a dog sit near the [IDK]."),
        (Limits(uncertainty=0.3, position=inf), "A [IDK] and a [IDK] sit near the bus."),
        (Limits(inf, inf, 0.62), "A cat and a [IDK] sit near the bus."),
        (Limits(inf, inf, 0.5), "A [IDK] and a [IDK] sit near the bus."),
    ],
)
def test_an_object_is_masked_for_any_one_reason(limits: Limits, expected: str) -> None:
    assert masked(TEXT, score(TEXT, PIECES, COUNTS), limits) == expected


def test_what_lies_on_a_limit_is_masked() -> None:
    text = "One two three cat five."
    assert masked(text, score(text), Limits(position=0.8)) == "One two three [IDK] five."
    assert masked(text, score(text), Limits(position=0.81)) == text


def test_only_the_words_of_the_object_are_replaced() -> None:
    every = Limits(position=0)
    for text, expected in (
        ("2 red cell phones, then dogs!", "2 red [IDK], then [IDK]!"),
        ("图中有2只猫和1只狗。", "图中有2只[IDK]和1只[IDK]。"),
        ("Nothing to name here.", "Nothing to name here."),
        ("", ""),
    ):
        assert masked(text, score(text), every) == expected


def test_what_is_denied_is_no_object() -> None:
    text = "There is no dog, but there is a cat."
    assert [one.mention.category for one in score(text)] == ["cat"]
    assert masked(text, score(text), Limits(position=0)).startswith("There is no dog, but")


def test_objects_are_those_of_a_vocabulary() -> None:
    text = "A kettle and a cat."
    found = score(text, vocabulary=Vocabulary([["kettle"]]))
    assert [one.mention.words for one in found] == ["kettle"]
