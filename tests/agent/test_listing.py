"""Lists of what a picture shows, put right item by item."""

from __future__ import annotations

import pytest

from agent.verify.checks import Finding
from agent.verify.correction import edited
from mllm.claims import ClaimDraft

ABSENT = "0"


def weighed(*claims: tuple[str, str, str]) -> list[tuple[ClaimDraft, Finding]]:
    """Counts of objects: how many are said to be there, and how many are."""
    return [
        (said := ClaimDraft(kind="count", object=name, value=number),
         Finding(number == there, there, "detect",
                 instead=None if number == there else said.model_copy(update={"value": there})))
        for number, name, there in claims
    ]  # fmt: skip


LISTS = [
    (
        "图中有一个书包和一本书。",  # one word begins another
        [("1", "书包", "1"), ("1", "书", ABSENT)],
        "图中有一个书包。",
    ),
    (
        "图中有一个书包。",  # a claim that nobody made changes nothing
        [("1", "书", ABSENT)],
        None,
    ),
    (
        "There are 2 dogs, two dogs and 1 car.",
        [("2", "dogs", "3"), ("1", "car", "1")],
        "There are 3 dogs and 1 car.",
    ),
    (
        "There were also 2 cars and 1 bus.",
        [("2", "cars", ABSENT), ("1", "bus", "1")],
        "There was also 1 bus.",
    ),
    (
        "The picture shows 1 hot-dog and 1 car.",
        [("1", "hot-dog", "2"), ("1", "car", "1")],
        "The picture shows 2 hot dogs and 1 car.",
    ),
    (
        "The picture shows 1 watermelon, 2 sheep and 1 car.",
        [("1", "watermelon", ABSENT), ("2", "sheep", "3"), ("1", "car", "1")],
        "The picture shows 3 sheep and 1 car.",
    ),
    (
        "The picture shows 2 sheep, 1 sheep and 1 car.",
        [("2", "sheep", "2"), ("1", "sheep", "2"), ("1", "car", ABSENT)],
        "The picture shows 2 sheep.",
    ),
    (
        "There are 2 cars and 1 bus.",
        [("2", "cars", ABSENT), ("1", "bus", "1")],
        "There is 1 bus.",
    ),
    (
        "There is a car, two buses, and a dog on the lawn.",
        [("1", "car", "2"), ("2", "buses", ABSENT), ("1", "dog", "1")],
        "There are two cars and a dog on the lawn.",
    ),
    (
        "There is one car, two buses, one cup, and a dog on the lawn.",
        [("1", "car", "2"), ("2", "buses", ABSENT), ("1", "cup", "1"), ("1", "dog", "1")],
        "There are two cars, one cup, and a dog on the lawn.",
    ),
    (
        "图中有1个西瓜、2只羊和1辆汽车。",
        [("1", "西瓜", ABSENT), ("2", "羊", "3"), ("1", "汽车", "1")],
        "图中有3只羊和1辆汽车。",
    ),
    (
        "The picture shows 2 bicycle, 1 glasses and 1 glasses.",  # as a small model writes
        [("2", "bicycle", ABSENT), ("1", "glasses", "3")],
        "The picture shows 3 glasses.",
    ),
    (
        "图中有1个西瓜、2只羊和1个西瓜。",
        [("1", "西瓜", ABSENT), ("2", "羊", ABSENT)],
        "图中没有西瓜和羊。",
    ),
    (
        "The picture shows 1 watermelon, 1 watermelon and 2 sheep.",
        [("1", "watermelon", ABSENT), ("2", "sheep", ABSENT)],
        "The picture shows no watermelons and no sheep.",
    ),
]


@pytest.mark.parametrize(("said", "claims", "right"), LISTS)
def test_an_item_of_a_list_is_put_right_or_goes(
    said: str, claims: list[tuple[str, str, str]], right: str | None
) -> None:
    correction = edited(said, weighed(*claims))
    assert (correction and correction.text) == right


def test_what_goes_is_known_to_be_absent() -> None:
    said, claims, _ = next(one for one in LISTS if "watermelon" in one[0])
    correction = edited(said, weighed(*claims))
    assert correction is not None
    assert correction.true is not None
    assert [(c.object, c.value) for c in correction.true] == [("watermelon", "0"), ("sheep", "3")]


def test_of_a_colour_that_is_not_there_other_colours_may_be() -> None:
    red = ClaimDraft(kind="count", object="cups", color="red", value="2")
    blue = ClaimDraft(kind="count", object="car", color="blue", value="1")
    some = [
        (one, Finding(False, "0", "detect", instead=one.model_copy(update={"value": "0"})))
        for one in (red, blue)
    ]
    correction = edited("The picture shows 2 red cups and 1 blue car.", some)
    assert correction is not None
    assert correction.text == "The picture shows no red cups and no blue cars."


def test_what_is_said_to_be_there_without_a_number_goes_too() -> None:
    dog = ClaimDraft(kind="existence", object="dog", value="yes")
    absent = Finding(False, "0 dog", "detect", instead=dog.model_copy(update={"value": "no"}))
    some = [(dog, absent), *weighed(("2", "cups", "2"))]
    correction = edited("There is a dog and 2 cups.", some)
    assert correction is not None
    assert correction.text == "There are 2 cups."
