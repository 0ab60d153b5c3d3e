"""Questions have the one right answer, recomputed here from the scene's labels by other means."""

from __future__ import annotations

from collections import Counter

import pytest

from mllm.data.lexicon import normalize
from mllm.data.phrasing import phrasings
from mllm.data.questions import FAMILIES, Question, questions
from mllm.data.scenes import Scene, sample_scene

SCENES = [sample_scene(77, i) for i in range(70)]


def asked(**options: object) -> list[tuple[Question, Scene]]:
    return [(q, s) for i, s in enumerate(SCENES) for q in questions(s, i, **options)]  # type: ignore[arg-type]


ASKED = asked(n=10)


def centre(scene: Scene, label: str) -> tuple[float, float]:
    (box,) = [o.box for o in scene.objects if o.label == label]
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def test_every_family_and_both_languages_are_asked() -> None:
    assert {q.family for q, _ in ASKED} == set(FAMILIES)
    chinese = sum(q.lang == "zh" for q, _ in ASKED) / len(ASKED)
    assert 0.14 < chinese < 0.26


def test_existence_and_counts_are_those_of_the_labels() -> None:
    checked = Counter[str]()
    for q, scene in ASKED:
        if q.form not in ("exists", "count"):
            continue
        (name,) = q.nouns
        color = next((op.color for op in q.program.ops if hasattr(op, "color")), None)
        found = [
            o for o in scene.objects if o.label == name and (color is None or o.color == color)
        ]
        expected = str(len(found)) if q.form == "count" else "yes" if found else "no"
        assert q.answer == expected, q.text
        checked[q.form] += 1
    assert min(checked["exists"], checked["count"]) > 30


def test_relations_hold_by_a_clear_margin_between_lone_objects() -> None:
    checked = 0
    for q, scene in ASKED:
        if q.form != "rel" or q.family != "relation":
            continue
        x, y = q.nouns
        (ax, ay), (bx, by) = centre(scene, x), centre(scene, y)
        relation = next(op.relation for op in q.program.ops if hasattr(op, "relation"))
        gap = {"left of": bx - ax, "right of": ax - bx, "above": by - ay, "below": ay - by}
        assert abs(gap[str(relation)]) >= 12
        assert q.answer == ("yes" if gap[str(relation)] > 0 else "no"), q.text
        checked += 1
    assert checked > 10


def test_text_questions_give_what_the_sign_says() -> None:
    found = [(q, s) for q, s in ASKED if q.form == "says" and q.family == "text"]
    assert found
    for q, scene in found:
        assert [q.answer] == [o.text for o in scene.objects if o.text]


def test_totals_add_up() -> None:
    found = [(q, s) for q, s in ASKED if q.form == "total"]
    assert found
    for q, scene in found:
        assert int(q.answer) == sum(o.label in q.nouns for o in scene.objects)


def test_false_premises_name_something_that_is_not_there() -> None:
    found = [(q, s) for q, s in ASKED if q.family == "unanswerable" and q.form == "color"]
    assert found
    for q, scene in found:
        assert q.answer == "unanswerable"
        assert not any(o.label in q.nouns for o in scene.objects)


@pytest.mark.parametrize("family", ["existence", "relation", "comparison"])
def test_yes_and_no_are_balanced(family: str) -> None:
    answers = Counter(
        q.answer for q, _ in asked(family=family, n=5) if q.answer in ("yes", "no")
    )
    assert 0.4 < answers["yes"] / answers.total() < 0.6


def test_counts_spread_over_zero_to_six() -> None:
    answers = Counter(q.answer for q, _ in asked(family="count", n=2))
    assert set(answers) == set("0123456")
    assert max(answers.values()) < 3.5 * min(answers.values())


def test_the_words_of_the_question_name_the_categories_of_the_program() -> None:
    for q, _ in ASKED:
        for name, said in q.said.items():
            assert normalize(said) == name
            if q.form != "fact":
                assert said.lower() in q.text.lower()


def test_same_arguments_same_questions() -> None:
    assert questions(SCENES[0], 5, n=4) == questions(SCENES[0], 5, n=4)
    assert questions(SCENES[0], 5, n=4) != questions(SCENES[0], 6, n=4)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_evaluation_phrasings_are_not_trained_on(lang: str) -> None:
    for form, data in phrasings(lang)["forms"].items():
        assert data["held_out"], form
        assert not set(data["ask"]) & set(data["held_out"]), form
    trained = {q.text for q, _ in asked(n=2, lang=lang)}
    held = [q for q, _ in asked(n=2, lang=lang, held_out=True)]
    assert held and not trained & {q.text for q in held}


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="existence"):
        questions(SCENES[0], 1, family="smell")
