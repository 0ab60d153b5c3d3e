"""LURE: how sure a model is of what was said, and what a revisor is shown and may say."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from mllm.backends.engine import Prompt
from mllm.backends.local import Local
from mllm.backends.protocol import MalformedOutput
from mllm.backends.scripted import Line, Scripted
from mllm.content import Message
from mllm.decoding import Reader
from mllm.decoding.lure import LURE, read_again
from mllm.decoding.masking import CoOccurrence, Limits, score
from mllm.model.chat import pictures as shown_pictures
from tests.mllm.backends.conftest import Pictures, say

TEXT = "A cat and a dog."
EVERY = Limits(uncertainty=inf, position=0)
NEVER = Limits(uncertainty=inf, position=inf)


@pytest.fixture(scope="module")
def speaker(tiny_folders: dict[str, Path]) -> Local:
    return Local(str(tiny_folders["nano"]))


@pytest.fixture
def asked(pictures: Pictures) -> list[Message]:
    return [say("user", pictures.add("img1", 5), "Describe the picture.")]


def test_each_token_is_as_surprising_as_in_a_reading_of_its_own(
    speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    pieces = read_again(speaker, TEXT, asked, pictures)
    assert "".join(TEXT[p.start : p.end] for p in pieces) == TEXT
    engine, template, _ = speaker.parts()
    seen = [engine.picture(a.sha256, pictures.image(a)) for a in shown_pictures(asked)]
    prompt = engine.prompt(template.render(asked, []), seen)
    ids = engine.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    for i in (0, 1, len(ids) - 1):
        logits, _ = Reader(engine).prefill(Prompt([*prompt.ids, *ids[:i]], prompt.blocks))
        expected = -logits.log_softmax(-1)[ids[i]].item()
        assert pieces[i].surprise == pytest.approx(expected, abs=1e-3)


def test_without_doubt_nothing_is_touched_and_nobody_asked(
    speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    revisor, blind = Scripted(["never said"]), "I see nothing."
    assert LURE(speaker, revisor, NEVER).revise(TEXT, asked, pictures) == TEXT
    assert LURE(speaker, revisor, EVERY).revise(blind, asked, pictures) == blind
    assert revisor.seen == []


def test_the_revisor_sees_the_picture_and_the_masked_text(
    speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    revisor = Scripted([" A cat. ", "一只猫。"])
    lure = LURE(speaker, revisor, EVERY)
    assert lure.revise(TEXT, asked, pictures) == "A cat."
    assert lure.revise("图中有1只猫。", asked, pictures) == "一只猫。"
    english, chinese = (seen[-1].words() for seen in revisor.seen)
    assert "A [IDK] and a [IDK]." in english and "cat" not in english
    assert "图中有1只[IDK]。" in chinese and "看图" in chinese
    for seen in revisor.seen:
        assert shown_pictures(seen) == shown_pictures(asked)


def test_the_least_sure_object_is_doubted_first(
    speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    objects = score(TEXT, read_again(speaker, TEXT, asked, pictures))
    most, least = sorted(objects, key=lambda one: -one.uncertainty)
    assert most.uncertainty > least.uncertainty
    revisor = Scripted(["Put right."])
    LURE(speaker, revisor, Limits(most.uncertainty, inf)).revise(TEXT, asked, pictures)
    said = revisor.seen[0][-1].words()
    assert most.mention.words not in said and f" {least.mention.words}" in said


def test_what_goes_too_well_together_is_doubted(
    speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    counts = CoOccurrence([{"cat", "dog"}])
    revisor = Scripted(["Put right."])
    lure = LURE(speaker, revisor, Limits(inf, inf, 0.5), counts)
    assert lure.revise("A cat and a bus.", asked, pictures) == "A cat and a bus."
    assert lure.revise(TEXT, asked, pictures) == "Put right."


@pytest.mark.parametrize("line", ["", "  ", MalformedOutput("cut off", "{")])
def test_a_revisor_without_words_changes_nothing(
    line: Line, speaker: Local, asked: list[Message], pictures: Pictures
) -> None:
    assert LURE(speaker, Scripted([line]), EVERY).revise(TEXT, asked, pictures) == TEXT
