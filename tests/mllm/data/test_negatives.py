"""Negative instructions take something for granted that is false in the scene, and say so."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from mllm.data.lexicon import BY_NAME, GROUPS
from mllm.data.negatives import LEVELS, Negative, negatives
from mllm.data.phrasing import phrasings
from mllm.data.scenes import Scene, SceneObject, sample_scene

SCENES = [sample_scene(21, index) for index in range(60)]
MADE = [(n, s) for i, s in enumerate(SCENES) for n in negatives(s, i, n=8)]
FILE = json.loads(
    (Path(__file__).parents[3] / "mllm/data/phrasings/negatives.json").read_text(encoding="utf-8")
)
CONTRADICTS = {"en": ("There is no ", " not "), "zh": ("没有", "不")}


def of_form(form: str) -> list[tuple[Negative, Scene]]:
    found = [(n, s) for n, s in MADE if n.premise.form == form]
    assert len(found) >= 5, form
    return found


def things(scene: Scene, label: str) -> list[SceneObject]:
    return [o for o in scene.objects if o.label == label]


def test_every_level_mood_form_and_language_comes_up() -> None:
    levels = Counter(n.level for n, _ in MADE)
    assert set(levels) == set(LEVELS) and min(levels.values()) > 0.2 * len(MADE)
    moods = Counter(n.mood for n, _ in MADE)
    assert min(moods.values()) > 0.4 * len(MADE)
    assert {n.premise.form for n, _ in MADE} == set(FILE["en"]["forms"])
    assert 0.1 < sum(n.lang == "zh" for n, _ in MADE) / len(MADE) < 0.35


def test_same_arguments_same_instructions() -> None:
    assert negatives(SCENES[3], 3, n=8) == [n for n, s in MADE if s is SCENES[3]]
    assert negatives(SCENES[3], 3) != negatives(SCENES[3], 4)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_level_and_language_can_be_chosen(level: str, lang: str) -> None:
    found = negatives(SCENES[0], 1, lang=lang, level=level)  # type: ignore[arg-type]
    assert {(n.level, n.lang) for n in found} == {(level, lang)}
    assert len({n.task for n in found}) == len(found) > 2


def test_objects_are_not_there() -> None:
    for n, scene in of_form("absent"):
        assert not things(scene, n.premise.subject)


def test_colors_are_others() -> None:
    for n, scene in of_form("color"):
        (thing,) = things(scene, n.premise.subject)
        assert thing.color == n.premise.real != n.premise.said
        hues = phrasings(n.lang)["colors"]
        assert hues[n.premise.said] in n.task and hues[n.premise.real] in n.answer


def test_numbers_are_others() -> None:
    for n, scene in of_form("count"):
        assert len(things(scene, n.premise.subject)) == int(n.premise.real) != int(n.premise.said)
        assert n.premise.said in n.task and n.premise.real in n.answer


def test_places_are_opposite() -> None:
    for n, scene in of_form("side"):
        (x,), (y,) = things(scene, n.premise.subject), things(scene, n.premise.anchor)
        ax, ay, bx, by = ((t.box[i] + t.box[i + 2]) / 2 for t in (x, y) for i in (0, 1))
        ahead = {"left of": bx - ax, "right of": ax - bx, "above": by - ay, "below": ay - by}
        assert ahead[n.premise.real] >= 12 and ahead[n.premise.said] <= -12


def test_signs_say_something_else() -> None:
    for i, scene in enumerate(SCENES):
        for n in negatives(scene, i, n=20, level="property"):
            if n.premise.form == "text":
                (sign,) = [o for o in scene.objects if o.text is not None]
                assert sign.text == n.premise.real != n.premise.said
                assert n.premise.said in n.task and n.premise.real in n.answer


def test_knowledge_is_wrong_of_what_is_there() -> None:
    for n, scene in of_form("kind"):
        assert things(scene, n.premise.subject)
        assert BY_NAME[n.premise.subject].group == n.premise.real != n.premise.said
    for n, scene in of_form("fact"):
        assert things(scene, n.premise.subject)
        (fact,) = [f for f in FILE["facts"] if f["en"]["do"] == n.premise.said]
        assert BY_NAME[n.premise.subject].group in fact["of"]


def test_every_answer_denies() -> None:
    for n, _ in MADE:
        assert any(word in n.answer for word in CONTRADICTS[n.lang]), n.answer
        assert "{" not in n.task + n.answer


def test_the_templates_are_complete_in_both_languages() -> None:
    groups = {g.name for g in GROUPS}
    assert set(FILE["en"]["forms"]) == set(FILE["zh"]["forms"])
    for lang in ("en", "zh"):
        assert set(FILE[lang]["groups"]) == groups
        for form in FILE[lang]["forms"].values():
            assert min(len(form["declarative"]), len(form["interrogative"])) >= 5
    assert set(FILE["mistaken"]) == groups
    for group, others in FILE["mistaken"].items():
        assert group not in others and set(others) <= groups
    assert all(set(fact["of"]) < groups for fact in FILE["facts"])
