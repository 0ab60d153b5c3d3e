"""Scoring: right answers in many words count, hedges and lists of everything do not."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from mllm.data.claim_drafts import misread
from mllm.data.questions import questions
from mllm.data.scenes import sample_scene
from mllm.evaluation.answers import baselines, matches


@pytest.mark.parametrize(
    ("answer", "gold", "family"),
    [
        ("Yes, there is a cup.", "yes", "existence"),
        ("yes", "yes", "existence"),
        ("There is a cup next to the dog.", "yes", "existence"),
        ("No.", "no", "existence"),
        ("There is no cup here.", "no", "existence"),
        ("The cup is not left of the laptop.", "no", "relation"),
        ("有，图中有杯子。", "yes", "existence"),
        ("没有。", "no", "existence"),
        ("不是", "no", "attribute"),
        ("是的", "yes", "attribute"),
        ("There are three cups.", "3", "count"),
        ("3", "3", "count"),
        ("I count 2 cats and 3 dogs, 5 in total.", "5", "multi_step"),
        ("There are no cups.", "0", "count"),
        ("有三个杯子。", "3", "count"),
        ("一共有3个杯子。", "3", "count"),
        ("两只", "2", "count"),
        ("The cup is red.", "red", "attribute"),
        ("It is not blue but red.", "red", "attribute"),
        ("紫色", "purple", "attribute"),
        ('The sign says "Exit 4".', "EXIT 4", "text"),
        ("EXIT4", "EXIT 4", "text"),
        ("It reads EXIT", "EXIT", "text"),
        ("上面写着“K7QP”。", "K7QP", "text"),
        ("42", "42", "text"),
        ("The mug is larger than the book.", "cup", "comparison"),
        ("杯子更大。", "cup", "comparison"),
        ("A hot dog", "hot dog", "attribute"),
        ("It is on the beach.", "beach", "attribute"),
        ("这是雪地。", "snow", "attribute"),
        ("I cannot tell from the picture who owns it.", "unanswerable", "unanswerable"),
        ("There is no zebra in the picture.", "unanswerable", "unanswerable"),
        ("无法从图片中判断。", "unanswerable", "unanswerable"),
    ],
)
def test_right_answers_count(answer: str, gold: str, family: str) -> None:
    assert matches(answer, gold, family)


@pytest.mark.parametrize(
    ("answer", "gold", "family"),
    [
        ("", "yes", "existence"),
        ("Yes and no.", "yes", "existence"),
        ("Yes and no.", "no", "existence"),
        ("yes or no", "yes", "existence"),
        ("是或否", "yes", "existence"),
        ("No, there is no cup.", "yes", "existence"),
        ("I cannot tell.", "no", "existence"),
        ("无法判断有没有杯子。", "no", "existence"),
        ("0 1 2 3 4 5 6", "3", "count"),
        ("2 or 3", "3", "count"),
        ("Between 2 and 4.", "3", "count"),
        ("yes no", "0", "count"),
        ("There are 13 cups.", "3", "count"),
        ("Red, orange, yellow, green, blue or purple.", "red", "attribute"),
        ("It is not red.", "red", "attribute"),
        ("The cup or the book.", "cup", "comparison"),
        ("The book is larger than the cup.", "cup", "comparison"),
        ("A dog", "hot dog", "attribute"),
        ('"EXIT", "OPEN" or "SALE"', "EXIT", "text"),
        ("EXIT OPEN SALE", "EXIT", "text"),
        ("The zebra is black.", "unanswerable", "unanswerable"),
        ("Yes.", "unanswerable", "unanswerable"),
    ],
)
def test_wrong_hedged_and_catch_all_answers_do_not_count(
    answer: str, gold: str, family: str
) -> None:
    assert not matches(answer, gold, family)


def test_sides_need_to_be_offered() -> None:
    assert matches("It is to the left of the dog.", "left", "relation", ("left", "right"))
    assert not matches("Left or right.", "left", "relation", ("left", "right"))
    assert matches("杯子在狗的右边。", "right", "relation", ("left", "right"))


@pytest.mark.parametrize("held_out", [False, True])
def test_generated_answers_score_and_misread_ones_do_not(held_out: bool) -> None:
    scenes = (sample_scene(13, i) for i in range(25))
    for question in (q for s in scenes for q in questions(s, 1, held_out=held_out, n=8)):
        said = question.say()
        assert matches(said, question.answer, question.family, question.choices), said
        wrong = misread(question, random.Random(1))
        if wrong is not None and question.say(wrong) != said:
            other = question.say(wrong)
            assert not matches(other, question.answer, question.family, question.choices), other


def test_baselines_are_what_answering_blindly_gives() -> None:
    def item(answer: str, family: str) -> SimpleNamespace:
        return SimpleNamespace(answer=answer, family=family, choices=None)

    items = [item("yes", "existence"), item("no", "existence"), item("no", "existence"),
             item("3", "count")]
    assert baselines(items) == {"always_yes": 0.25, "always_no": 0.5, "majority": 0.75}


def test_an_orange_that_is_offered_is_the_fruit() -> None:
    assert matches("There are more oranges.", "orange", "comparison", ("sign", "orange"))
    assert not matches("There are more orange signs.", "orange", "comparison", ("sign", "orange"))
    assert matches("The sign is orange.", "orange", "attribute")
