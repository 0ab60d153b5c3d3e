"""Page tasks: a pure function of their number, and nothing of evaluation is met in training."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from mllm.data.pages import KINDS, make
from mllm.data.pages.words import reworded, words
from mllm.data.phrasing import CLOSING, fill

N = 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_is_a_pure_function_of_its_number(kind: str) -> None:
    tasks = [make(3, i, "train", kind) for i in range(N)]
    assert [make(3, i, "train", kind) for i in reversed(range(N))] == tasks[::-1]
    assert len({t.html for t in tasks}) > N // 2
    assert make(4, 0, "train", kind).html != tasks[0].html


def _pattern(phrasing: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w\\}", ".+", re.escape(phrasing.rstrip("?.。"))), re.IGNORECASE)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_phrasings_of_evaluation_are_never_used_in_training(kind: str, lang: str) -> None:
    kept: dict[str, Any] = words(lang)["goals"][kind]
    held_out = [_pattern(p) for p in kept["held_out"]]
    assert not set(kept["train"]) & set(kept["held_out"])
    for index in range(N):
        task = make(5, index, "train", kind)
        if task.lang == lang:
            assert not any(p.match(task.goal) for p in held_out), task.goal
        judged = make(5, index, "eval", kind)
        if judged.lang == lang:
            assert any(p.match(judged.goal) for p in held_out), judged.goal


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wish_is_said_in_other_words_and_keeps_its_slots(kind: str, lang: str) -> None:
    phrasings = words(lang)["goals"][kind]["train"]
    slots = {"x": "Junlor", "y": "Vexzan", "z": "Temsol"}
    every = {fill(phrasing, slots).casefold().rstrip(CLOSING) for phrasing in phrasings}
    for index, phrasing in enumerate(phrasings):
        rng = random.Random(index)
        said = {reworded(fill(phrasing, slots), kind, lang, rng) for _ in range(20)}
        assert len(said) > 5
        assert {one.casefold().rstrip(CLOSING) for one in said} <= every


def test_a_wish_in_words_of_ones_own_is_left_as_it_is() -> None:
    rng = random.Random(0)
    assert reworded("Do the dishes, then sing", "menu", "en", rng) == "Do the dishes, then sing"
    assert reworded("Press Save", "click-button", "en", rng) == "Press Save"


def test_styles_layouts_and_names_of_evaluation_are_kept_out() -> None:
    train, judged = ([make(1, i, split) for i in range(900)] for split in ("train", "eval"))
    for part in ("style", "layout"):
        assert not {getattr(t, part) for t in train} & {getattr(t, part) for t in judged}
    kept = words("en")["names"]["held_out"]
    assert any(name in t.goal for t in judged for name in kept)
    assert not any(f">{name}<" in t.html for t in train for name in kept)
    assert 0.1 < sum(t.lang == "zh" for t in train) / len(train) < 0.3
    assert {t.kind for t in train} == set(KINDS)
    assert {t.ending for t in train} == {"done", "missing", "refused"}
    assert any(act.wrong for t in train for act in t.acts)
