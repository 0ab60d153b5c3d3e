"""Facts put in the place of others, in words that stand for one another."""

from __future__ import annotations

from typing import Any

import pytest

from agent.verify.replacement import replaced
from agent.verify.words import color_word, legible, numbered
from mllm.claims import ClaimDraft


@pytest.mark.parametrize(
    ("said", "right", "number"),
    [
        ("There are 3 red cups.", "There are 2 red cups.", ("3", "2")),
        ("There are 3 red cups.", "There is 1 red cup.", ("3", "1")),
        ("There is 1 red cup.", "There are no red cups.", ("1", "0")),
        ("There are no red cups.", "There is 1 red cup.", ("0", "1")),
        ("Two red cups stand here.", "Three red cups stand here.", ("2", "3")),
        ("A desk, 1 red cup, 12 dogs.", "A desk, 2 red cups, 12 dogs.", ("1", "2")),
        ("1 red cup, a dog, 1 red cup", "no red cups, a dog, no red cups", ("1", "0")),
        ("12 red cups.", "", ("2", "3")),
        ("Some red cups.", "", ("2", "3")),
        ("There are more than 2 red cups.", "", ("2", "3")),
        ("There are 2 red cups, cars and a dog.", "", ("2", "0")),  # "no red cups, cars"
        ("There are 2 red cups and 3 cars.", "There are no red cups and 3 cars.", ("2", "0")),
        ("I can see exactly 2 red cups.", "", ("2", "0")),
        ("The two red cups shine.", "", ("2", "0")),
        ("Two red cups shine.", "", ("2", "1")),  # One shines
        ("There are 2 red cups, which shine.", "", ("2", "1")),
        ("There are only 2 red cups.", "", ("2", "1")),
        ("1 red cup and 1 red cup holder", "", ("1", "2")),
        ("I see two red cups on a desk.", "I see one red cup on a desk.", ("2", "1")),
    ],
)
def test_a_number_changes_with_its_noun_and_verb(
    said: str, right: str, number: tuple[str, str]
) -> None:
    assert replaced(said, *twice("count", number, object="cup", color="red")) == right


@pytest.mark.parametrize(
    ("said", "right", "truth"),
    [
        ("There is no orange guitar.", "There is an orange guitar.", "yes"),
        ("There is an orange guitar.", "There is no orange guitar.", "no"),
        ("No, there are no orange guitars.", "Yes, there are orange guitars.", "yes"),
        ("Yes, there is an orange guitar.", "No, there is no orange guitar.", "no"),
        ("Yes.", "No.", "no"),
        ("no", "yes", "yes"),
        ("Yes, it is there.", "", "no"),
        ("A guitar is there.", "", "no"),
    ],
)
def test_what_is_said_to_be_there_is_denied(said: str, right: str, truth: str) -> None:
    values = ("no" if truth == "yes" else "yes", truth)
    assert replaced(said, *twice("existence", values, object="guitar", color="orange")) == right


@pytest.mark.parametrize(
    ("said", "right", "number"),
    [
        ("There are no guitars.", "There is 1 guitar.", "1"),
        ("There are no guitars.", "There are 3 guitars.", "3"),
        ("No, there are no guitars.", "", "3"),
        ("There are no guitars or drums.", "", "3"),
    ],
)
def test_of_what_is_denied_in_the_plural_the_number_is_said(
    said: str, right: str, number: str
) -> None:
    denied = ClaimDraft(kind="existence", object="guitars", value="no")
    found = ClaimDraft(kind="count", object=numbered("guitar", int(number)), value=number)
    assert replaced(said, denied, found) == right


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("The gift is to the left of the bus.", "The gift is to the right of the bus."),
        ("礼物在公共汽车的左侧。", "礼物在公共汽车的右侧。"),
        ("Yes, the gift is to the left of the bus.", ""),  # which would still begin with yes
        ("The gift was left beside the bus.", ""),
        ("The gift is not to the left of the bus.", ""),
        ("礼物在左右两边。", ""),
    ],
)
def test_a_thing_stands_on_the_other_side(said: str, right: str) -> None:
    draft = ClaimDraft(kind="relation", object="gift", relation="left of", of="bus", value="yes")
    assert replaced(said, draft, draft.model_copy(update={"relation": "right of"})) == right


@pytest.mark.parametrize(
    ("kind", "said", "right", "values"),
    [
        ("attribute", "It is an orange cup.", "It is a purple cup.", ("orange", "purple")),
        ("attribute", "衬衫是橙色的。", "衬衫是紫色的。", ("橙色", "紫色")),
        ("attribute", "A red cup, a red dog.", "A blue cup, a red dog.", ("red", "blue")),
        ("attribute", "A red big cup, a red small cup.", "", ("red", "blue")),
        ("attribute", "The orange lies beside the cup.", "", ("orange", "red")),
        ("attribute", "The cup is red, not blue.", "", ("red", "blue")),
        ("attribute", "杯子旁边是白菜。", "", ("白", "红")),
        ("text", 'It says "LOT 8".', 'It says "GATE 3".', ("LOT 8", "GATE 3")),
        ("count", "有2根热狗。", "有3根热狗。", ("2", "3")),
        ("count", "有两根热狗。", "有三根热狗。", ("2", "3")),
        ("count", "没有热狗。", "有2个热狗。", ("0", "2")),
        ("count", "有2根热狗。", "没有热狗。", ("2", "0")),
        ("count", "有2根热狗和3辆汽车。", "", ("2", "0")),
        ("count", "有3辆汽车和2根热狗。", "", ("2", "0")),
        ("count", "还有2根热狗。", "", ("2", "0")),
        ("existence", "桌上放有热狗。", "", ("yes", "no")),
        ("existence", "没有热狗。", "有热狗。", ("no", "yes")),
        ("existence", "有，图中有热狗。", "没有，图中没有热狗。", ("yes", "no")),
        ("existence", "有。", "没有。", ("yes", "no")),
    ],
)
def test_words_stand_in_the_place_of_others(
    kind: str, said: str, right: str, values: tuple[str, str]
) -> None:
    assert replaced(said, *twice(kind, values, object="热狗" if "热狗" in said else "cup")) == right


def test_what_becomes_another_kind_of_claim_is_left_to_the_model() -> None:
    red = ClaimDraft(kind="attribute", object="cup", value="red")
    gone = ClaimDraft(kind="existence", object="cup", value="no")
    assert replaced("The cup is red.", red, gone) == ""


def test_words_are_those_of_the_text() -> None:
    assert [numbered("cup", 2), numbered("mugs", 1), numbered("puppies", 1)] == [
        "cups", "mug", "puppy"
    ]  # fmt: skip
    assert numbered("sphinx", 2) == "sphinx"
    assert [color_word("purple", like) for like in ("red", "红色", "红")] == [
        "purple",
        "紫色",
        "紫",
    ]
    assert legible("QCS0 Il") == legible("qcsO 1i") != legible("QCS8 Il")


def twice(kind: str, values: tuple[str, str], **about: Any) -> tuple[ClaimDraft, ClaimDraft]:
    """The same claim with either value."""
    wrong, right = (ClaimDraft(kind=kind, value=value, **about) for value in values)  # type: ignore[arg-type]
    return wrong, right
