"""Sentences that only list what a picture shows are read without a model."""

from __future__ import annotations

import pytest

from agent.verify.enumeration import enumerated

LISTS = {
    "The picture shows 1 watermelon, 2 sheep and 1 car.": ["1 watermelon", "2 sheep", "1 car"],
    "There are two red cups, a hot dog, and 3 buses in the picture.": [
        "2 red cups", "hot dog: yes", "3 buses",
    ],
    "I see 1 dog, 1 dog and 2 cats": ["1 dog", "2 cats"],
    "图中有1个西瓜、2只羊和一辆红色的汽车。": ["1 西瓜", "2 羊", "1 红色 汽车"],
    "图中有1斑马和零个杯子。": ["1 斑马", "0 杯子"],
    "There are no cups and two books.": ["0 cups", "2 books"],
}  # fmt: skip


@pytest.mark.parametrize("said", LISTS)
def test_every_item_is_a_claim(said: str) -> None:
    assert [draft.phrase() for draft in enumerated(said)] == LISTS[said]


@pytest.mark.parametrize(
    "said",
    [
        "There are 2 cups.",  # of an answer the question may say where
        "There are 2 cups and 1 book left of the laptop.",
        "Left of the laptop there are 2 cups and 1 book.",
        "There are more than 2 cups and 1 book.",
        "The picture shows 2 gadgets and 1 cup.",
        "The cup and the book are red.",
        "笔记本电脑左边有2个杯子和1本书。",
        "没有杯子和书。",
        "图中有一群羊和一辆车。",
        "图中有一叠书和一个杯子。",
        "There is 1 red cup and 2 cups.",
        "There is 1 mug and 2 cups.",
        "It has 1 apple and 2 bananas.",
        "",
    ],
)
def test_what_says_more_or_less_is_left_to_the_model(said: str) -> None:
    assert enumerated(said) == []
