"""POPE: questions about what is absent, scores that count predictions, the peers' own numbers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mllm.evaluation.intervals import wilson
from mllm.evaluation.pope import Picture, Record, Setting, build_questions, english, score
from mllm.evaluation.pope_files import (
    read_annotations,
    read_questions,
    read_records,
    write_answers,
    write_questions,
)

PICTURES = [
    Picture("a.jpg", ("dog", "person", "ball")),
    Picture("b.jpg", ("person", "dog")),
    Picture("c.jpg", ("person", "car", "bus")),
    Picture("d.jpg", ("cat",)),
    Picture("e.jpg", ("car", "person")),
]


@pytest.fixture(scope="module")
def peer() -> dict[str, Any]:
    path = Path(__file__).parent / "fixtures" / "pope_peer.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("name", ["pope", "vcd"])
def test_scores_equal_the_published_scripts(peer: dict[str, Any], name: str) -> None:
    records = [Record(label, answer) for _, answer, label in peer["questions"]]
    report = score(records, "peer") if name == "pope" else score(records, parser="vcd")
    ours, theirs = report.model, peer["scores"][name]
    assert (ours.tp, ours.fp, ours.tn, ours.fn) == tuple(
        theirs[k] for k in ("TP", "FP", "TN", "FN")
    )
    seen = (ours.accuracy, ours.precision, ours.recall, ours.f1, ours.yes_ratio)
    keys = ("acc", "precision", "recall", "f1", "yes_ratio")
    assert seen == pytest.approx([theirs[k] for k in keys], abs=1e-12)


@pytest.mark.parametrize("setting", ["popular", "adversarial"])
def test_questions_equal_the_published_builder(peer: dict[str, Any], setting: Setting) -> None:
    """Up to the peer's random choice where nothing co-occurs, which this input never needs."""
    pictures = [Picture(p["image"], tuple(p["objects"])) for p in peer["annotations"]]
    built = build_questions(pictures, setting, ask=lambda noun: noun)
    assert [[q.image, q.text, q.label] for q in built] == peer["built"][setting]


def test_shares_by_hand() -> None:
    answers = ["yes", "no", "no idea", "yes", "no", "no", "hm", "no"]
    labels = ["yes", "yes", "yes", "no", "no", "no", "no", "no"]
    records = [
        Record("yes" if gold == "yes" else "no", a) for gold, a in zip(labels, answers, strict=True)
    ]
    report = score(records)
    m = report.model
    assert (m.tp, m.fp, m.tn, m.fn, m.unclear) == (1, 1, 3, 1, 2)
    assert (m.accuracy, m.precision, m.yes_ratio) == (0.5, 0.5, 0.25)
    assert m.recall == pytest.approx(1 / 3)  # the unclear answer missed its object
    assert m.f1 == pytest.approx(0.4)
    assert m.intervals == {
        "accuracy": wilson(4, 8),
        "precision": wilson(1, 2),
        "recall": wilson(1, 3),
        "yes_ratio": wilson(2, 8),
    }


def test_constant_answers_stand_beside_the_model() -> None:
    report = score([Record("yes", "no"), Record("no", "no"), Record("no", ""), Record("no", "yes")])
    assert report.always_yes.accuracy == 0.25
    assert report.always_yes.recall == 1
    assert report.always_yes.f1 == pytest.approx(0.4)
    assert report.always_yes.yes_ratio == 1
    assert (report.always_no.accuracy, report.always_no.f1, report.always_no.precision) == (
        0.75,
        0,
        0,
    )


def test_no_records_is_told() -> None:
    with pytest.raises(ValueError, match="no answers to score"):
        score([])


@pytest.mark.parametrize("setting", ["random", "popular", "adversarial"])
def test_half_of_the_questions_ask_for_what_is_absent(setting: Setting) -> None:
    shown = {p.image: set(p.objects) for p in PICTURES}
    built = build_questions(PICTURES, setting, per_image=4, ask=lambda noun: noun)
    assert [q.question_id for q in built] == list(range(1, 17))
    assert {q.image for q in built} == {"a.jpg", "b.jpg", "c.jpg", "e.jpg"}
    for q in built:
        assert (q.text in shown[q.image]) == (q.label == "yes")
    assert max(Counter((q.image, q.text) for q in built).values()) == 1


def test_negatives_follow_the_setting() -> None:
    def absent(setting: Setting, image: str) -> list[str]:
        built = build_questions(PICTURES, setting, per_image=4, ask=lambda noun: noun)
        return [q.text for q in built if q.image == image and q.label == "no"]

    # shown: person 4, dog 2, car 2, ball, bus, cat 1
    assert absent("popular", "b.jpg") == ["car", "ball"]
    assert absent("popular", "c.jpg") == ["dog", "ball"]
    # with person in b: dog is there, ball once, car twice; with dog: ball once
    assert absent("adversarial", "b.jpg") == ["car", "ball"]
    assert absent("adversarial", "e.jpg") == ["bus", "dog"]


def test_seeds_make_random_questions_repeatable() -> None:
    first = build_questions(PICTURES, "random", per_image=2, seed=1)
    assert first == build_questions(PICTURES, "random", per_image=2, seed=1)
    others = [build_questions(PICTURES, "random", per_image=2, seed=s) for s in range(2, 6)]
    assert any(first != other for other in others)


def test_what_is_listed_twice_counts_once() -> None:
    pictures = [Picture("a", ("cup", "cup", "dog")), Picture("b", ("cat",)), Picture("c", ("cat",))]
    built = build_questions(pictures, "popular", per_image=2, ask=lambda noun: noun)
    assert [q.text for q in built] == ["cup", "cat", "cat", "cup", "cat", "cup"]


def test_impossible_questions_are_told() -> None:
    with pytest.raises(ValueError, match="even number"):
        build_questions(PICTURES, per_image=3)
    with pytest.raises(ValueError, match="No picture shows the 4 objects"):
        build_questions(PICTURES, per_image=8)
    with pytest.raises(ValueError, match=r"only\.jpg shows so many objects"):
        build_questions([Picture("only.jpg", ("cup", "dog"))], per_image=2)
    with pytest.raises(ValueError, match="random, popular or adversarial"):
        build_questions(PICTURES, "rare")  # type: ignore[arg-type]


def test_articles() -> None:
    assert english("umbrella") == "Is there an umbrella in the image?"
    assert english("cup") == "Is there a cup in the image?"


def test_files_go_round(tmp_path: Path) -> None:
    questions = build_questions(PICTURES, "popular", per_image=4, ask=lambda noun: f"有{noun}吗？")
    write_questions(tmp_path / "q.json", questions)
    assert read_questions(tmp_path / "q.json") == questions
    answers = ["有\u2028" if q.label == "yes" else "没有" for q in questions]
    write_answers(tmp_path / "a.json", questions, answers)
    records = read_records(questions, tmp_path / "a.json")
    assert [r.answer for r in records] == answers
    assert score(records).model.accuracy == 1
    with pytest.raises(ValueError, match="1 answers do not fit 16"):
        write_answers(tmp_path / "a.json", questions, ["yes"])


def test_official_lines_are_read(tmp_path: Path) -> None:
    objects = tmp_path / "objects.json"
    objects.write_text('{"image": "x.jpg", "objects": ["bowl", "spoon"]}\n', encoding="utf-8")
    assert read_annotations(objects) == [Picture("x.jpg", ("bowl", "spoon"))]
    questions = build_questions([*PICTURES, Picture("x.jpg", ("bird",))], per_image=6)[:1]
    path = tmp_path / "a.jsonl"
    for line in (
        '{"question": "is there a dog in the image?", "answer": "yes"}',
        '{"question_id": 1, "text": "yes", "model_id": "m"}',
    ):
        path.write_text(line, encoding="utf-8")
        assert read_records(questions, path) == [Record("yes", "yes")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{oops", r"a\.jsonl, line 2: not JSON"),
        ("[1]", "line 2: not a JSON object"),
        (
            '{"question": "Is there a bird in the image?", "answer": "no"}',
            "line 2: answers 'Is the",
        ),
        ('{"question_id": 7, "text": "no"}', "line 2: answers question 7, not 2"),
        ('{"question_id": 2}', 'line 2: needs a field "text" of type str'),
        ("", "fewer answers than the 2 questions"),
        ('{"question_id": 2, "text": "a"}\n{"question_id": 3, "text": "b"}', "more answers than"),
    ],
)
def test_wrong_answer_files_are_told(tmp_path: Path, line: str, message: str) -> None:
    questions = build_questions(PICTURES, "popular", per_image=4)[:2]
    path = tmp_path / "a.jsonl"
    path.write_text('{"question_id": 1, "text": "yes"}\n' + line, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_records(questions, path)


def test_wrong_question_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    with pytest.raises(ValueError, match="does not exist"):
        read_questions(path)
    path.write_text('{"question_id": 1, "image": "a", "text": "b", "label": "Maybe"}')
    with pytest.raises(ValueError, match='line 1: the label must be "yes" or "no"'):
        read_questions(path)
