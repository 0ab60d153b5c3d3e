"""What is looked at before an answer: places in reading order, and an answer that follows."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from mllm.content import Box, Text
from mllm.data.gaze import Spot, in_order, spots, told
from mllm.data.instruct import Conversation, conversations
from mllm.data.lexicon import BY_NAME
from mllm.training.descriptions import turns
from mllm.training.views import Views, stream

PLACE = re.compile(r"<\|loc_(\d+)\|>([^<,，]*)")


def thoughts(n: int) -> list[tuple[str, str]]:
    """What direct conversations of ``n`` scenes think, and what they say then."""
    found = []
    for index in range(n):
        talks: list[Conversation] = conversations(3, index, [])
        for talk in talks:
            part = talk.messages[-1].content[0]
            if talk.kind == "direct" and isinstance(part, Text) and "</think>" in part.text:
                thought, _, said = part.text.removeprefix("<think>").partition("</think>")
                found.append((thought, said))
    return found


def test_a_place_is_the_visual_token_at_the_middle_of_a_thing() -> None:
    box = Box(artifact="img1", width=80, height=160, x0=70, y0=0, x1=80, y1=40, label="dog")
    assert told(spots([box]), "en") == "<|loc_15|>dog"
    corner = Spot("cup", "red", 1.0, 1.0)
    assert told(in_order([corner, *spots([box])]), "en") == "<|loc_15|>dog, <|loc_63|>red cup"


@pytest.mark.parametrize(("lang", "said"), [("en", "nowhere"), ("zh", "没有")])
def test_nothing_to_look_at_is_said(lang: str, said: str) -> None:
    assert told([], lang) == said


def test_descriptions_say_what_was_looked_at_and_nothing_else() -> None:
    checked = 0
    for thought, said in thoughts(60):
        seen = PLACE.findall(thought)
        numbers = [int(number) for number, _ in seen]
        assert numbers == sorted(numbers)
        if not said.startswith("The picture shows "):
            continue
        kinds = Counter(
            max((n for n in BY_NAME if name.endswith(n)), key=len) for _, name in seen
        )
        for kind, count in kinds.items():
            word = kind if count == 1 else BY_NAME[kind].plural
            assert f"{count} {word}" in said
        checked += 1
    assert checked > 5


def test_views_are_listed_in_the_same_words() -> None:
    views = Views(1, 4, 128, 16)
    listed = [
        answer
        for i in range(4)
        for ask, answer in turns(views[i], stream(1, i, "test"), 20)
        if ask in ("all: where?", "全部：在哪里？")
    ]
    assert listed and all(PLACE.match(answer) or answer == "nowhere" for answer in listed)
