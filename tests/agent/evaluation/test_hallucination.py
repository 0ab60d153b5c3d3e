"""`corvid eval hallucination`: numbers on records made by hand, rows with scripted models."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from agent.errors import InputError
from agent.evaluation import hallucination
from agent.evaluation.hallucination import PER_SCENE, cases_of
from agent.evaluation.hallucination_scores import (
    SETTINGS,
    Case,
    Replies,
    always,
    compared,
    corrections,
    pope_f1,
    ratio,
    scores,
)
from agent.evaluation.statements import Statement, Thing, holds, statements, things
from agent.evaluation.table import tables
from mllm.backends.protocol import ModelError
from mllm.backends.scripted import Line, Scripted
from mllm.content import Boxes, Message
from mllm.data.lexicon import NAMES, normalize
from mllm.data.scenes import sample_scene
from mllm.decoding import lure
from mllm.decoding.halle import write
from mllm.evaluation import pope
from mllm.evaluation.intervals import wilson
from tests.mllm.backends.conftest import tiny_nano
from tools import Image, Tool
from tools.protocol import ToolContext

SEED = 5
DESK = (Thing("cup", "red"), Thing("cup", "blue"), Thing("dog", None))


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("A cup and dogs.", {("cup", "", None), ("dog", "", None)}),
        ("Two large red cups.", {("cup", "", None), ("cup", "red", None), ("cup", "red", 2)}),
        ("The mug is grey.", {("cup", "", None), ("cup", "gray", None)}),
        ("2 cups are red.", {("cup", "", None), ("cup", "red", None), ("cup", "", 2)}),
        ("No, there is no dog.", {("dog", "", 0)}),
        ("There are no red cups.", {("cup", "red", 0)}),
        ("0 dogs, 3 pairs of scissors", {("dog", "", 0), ("scissors", "", None),
                                         ("scissors", "", 3)}),
        ("More than 2 dogs, at least one cup.", {("dog", "", None), ("cup", "", None)}),
        ("A dog on a table. A dog.", {("dog", "", None)}),
        ("An orange car.", {("car", "", None), ("car", "orange", None)}),
        ("Yes.", set()),
    ],
)  # fmt: skip
def test_what_a_text_states(text: str, stated: set[tuple[str, str, int | None]]) -> None:
    assert statements(text) == {Statement(*one) for one in stated}


@pytest.mark.parametrize(
    ("stated", "true"),
    [
        (Statement("cup"), True),
        (Statement("cat"), False),
        (Statement("cat", number=0), True),
        (Statement("cup", number=2), True),
        (Statement("cup", number=1), False),
        (Statement("cup", "red", 1), True),
        (Statement("cup", "red", 2), False),
        (Statement("cup", "green"), False),
        (Statement("cat", "green"), False),
        (Statement("dog", "brown"), None),
    ],
)
def test_a_statement_is_true_by_the_labels(stated: Statement, true: bool | None) -> None:
    assert holds(stated, DESK) is true


def case(name: str, there: Sequence[Thing], yes: str, no: str) -> Case:
    asked = tuple(
        pope.Question(i, name, pope.english(noun), label)
        for i, (noun, label) in enumerate(((yes, "yes"), (no, "no")), 1)
    )
    return Case(name, tuple(there), dict.fromkeys(SETTINGS, asked))


CASES = [
    case("0", DESK, "cup", "cat"),
    case("1", (Thing("key", None),), "key", "cat"),
    Case("2", (Thing("cow", None),), dict.fromkeys(SETTINGS, ())),
]


def said(description: str, answers: Mapping[str, str], *seconds: float) -> Replies:
    return Replies(description, {pope.english(k): v for k, v in answers.items()}, seconds)


SAID = [
    said("A cup and 2 cats.", {"cup": "Yes.", "cat": "Yes, a cat."}, 1.0, 2.0, 3.0),
    said("A key, a key and a bed.", {"key": "Who knows?", "cat": "No."}, 2.0, 2.0, 2.0),
    said("A cow; there is no cat.", {}, 2.0),
]


def test_columns_of_a_row() -> None:
    row = scores(CASES, SAID)
    for setting in SETTINGS:
        f1 = row[f"pope_f1.{setting}"]
        assert (f1["value"], f1["n"]) == (0.5, 4)  # one hit, one false yes, one missed
    assert (row["chair_i"]["value"], row["chair_i"]["n"]) == (pytest.approx(2 / 6), 6)
    kinds = row["chair_i.kinds"]  # the key once
    assert (kinds["value"], kinds["n"]) == (pytest.approx(2 / 5), 5)
    assert (row["chair_s"]["value"], row["chair_s"]["n"]) == (pytest.approx(2 / 3), 3)
    assert (row["cover"]["value"], row["cover"]["n"]) == (0.75, 4)  # the dog is not named
    assert row["seconds"] == {"value": 2.0, "low": None, "high": None, "n": 7}
    for name in ("pope_f1.random", "chair_i", "chair_s", "cover"):
        low, high, value = (row[name][end] for end in ("low", "high", "value"))
        assert low is not None and high is not None and value is not None
        assert 0 <= low < value < high <= 1


def test_f1_is_that_of_pope_over_all_questions() -> None:
    records = [
        pope.Record(q.label, one.answers[q.text])
        for c, one in zip(CASES, SAID, strict=True)
        for q in c.questions["popular"]
    ]
    answers = [one.answers for one in SAID]
    assert pope_f1(CASES, answers)["pope_f1.popular"]["value"] == pope.score(records).model.f1
    report = pope.score(records)
    for word, constant in (("Yes.", report.always_yes), ("No.", report.always_no)):
        metric = always(CASES, word)["pope_f1.popular"]
        assert metric == {"value": constant.f1, "low": None, "high": None, "n": 4}


def test_silence_has_no_chair_but_no_cover_either() -> None:
    row = scores(CASES, [Replies("", dict.fromkeys(c.asked, "")) for c in CASES])
    assert row["chair_i"] == {"value": None, "low": None, "high": None, "n": 0}
    assert row["chair_s"]["value"] == row["cover"]["value"] == row["pope_f1.random"]["value"] == 0
    assert row["seconds"]["value"] is None


def test_what_became_of_claims() -> None:
    before = [
        said("A red cup, 3 cups and a brown dog.", {"cup": "Yes, a cup.", "cat": "Yes, a cat."}),
        said("A bed.", {"key": "I see a key.", "cat": "There is no cat."}),
    ]
    after = [
        # 3 becomes 2, which is right; the red cup and a dog stay; the cat is denied, rightly
        said("A red cup, 2 cups and a dog.", {"cup": "Yes, a cup.", "cat": "There is no cat."}),
        # the bed becomes a cat, wrongly; the key is lost
        said("A cat.", {"key": "There is no key.", "cat": "There is no cat."}),
    ]
    row = corrections(CASES[:2], before, after)
    kept, right = row["right_claims_kept"], row["corrected_right"]
    # cup, red cup, dog; cup; key; no cat. A dog's colour is not known.
    assert (kept["value"], kept["n"]) == (pytest.approx(5 / 6), 6)
    # 2 cups; no cat; a cat; no key
    assert (right["value"], right["n"]) == (0.5, 4)
    kept, right = row["right_claims_kept.described"], row["corrected_right.described"]
    assert (kept["value"], kept["n"]) == (1, 3)
    assert (right["value"], right["n"]) == (0.5, 2)
    same = corrections(CASES[:2], before, before)
    assert same["right_claims_kept"]["value"] == 1
    assert same["corrected_right"]["n"] == 0


def test_a_bare_answer_states_what_was_asked() -> None:
    before = [said("", {"cup": "Yes.", "cat": "yes"}), said("", {"key": "No.", "cat": "No."})]
    after = [said("", {"cup": "No.", "cat": "no"}), said("", {"key": "Yes.", "cat": "No."})]
    row = corrections(CASES[:2], before, after)
    kept, right = row["right_claims_kept"], row["corrected_right"]
    assert (kept["value"], kept["n"]) == (0.5, 2), "the cup was lost, the second no cat stays"
    assert (right["value"], right["n"]) == (pytest.approx(2 / 3), 3), "no cup is wrong"


def test_the_table_says_what_helps() -> None:
    def row(f1: float, chair: float, cover: float) -> dict[str, Any]:
        values = {**{f"pope_f1.{s}": f1 for s in SETTINGS}, "chair_i": chair, "cover": cover}
        values["chair_i.kinds"] = values["chair_s"] = chair
        return {
            k: {"value": v, "low": v - 0.05, "high": v + 0.05, "n": 9} for k, v in values.items()
        }

    assert compared(
        {
            "base": row(0.6, 0.5, 0.5),
            "better": row(0.8, 0.2, 0.5),
            "hardly": row(0.65, 0.45, 0.5),
            "silent": row(0.6, 0.5, 0.1),
            "broken": {"error": "not trained"},
        }
    ) == [
        "better is better than base in pope_f1.random, pope_f1.popular, pope_f1.adversarial, "
        "chair_i, chair_i.kinds, chair_s",
        "hardly does not help",
        "silent does not help; worse in cover",
    ]
    nothing = {k: {**m, "low": None, "high": None} for k, m in row(0.9, 0.1, 0.9).items()}
    assert compared({"base": row(0.6, 0.5, 0.5), "unsure": nothing}) == ["unsure does not help"]


def test_intervals_are_of_pictures_not_of_answers() -> None:
    few, many = ratio([(1, 10), (9, 10)] * 5), ratio([(1, 10), (9, 10)] * 500)
    assert few["value"] == many["value"] == 0.5
    assert width(few) > 5 * width(many)
    assert width(few) > width(ratio([(5, 10)] * 10)) == 0
    never = ratio([(0, 10)] * 7 + [(0, 0)])
    assert (never["low"], never["high"]) == wilson(0, 7)
    assert (never["value"], never["n"]) == (0, 70)


def width(metric: Mapping[str, float | int | None]) -> float:
    low, high = metric["low"], metric["high"]
    assert low is not None and high is not None
    return high - low


def test_questions_are_of_what_is_there_and_of_what_is_not() -> None:
    scenes = [sample_scene(SEED, i, style="twemoji") for i in range(25)]
    cases = cases_of(scenes, SEED)
    assert cases == cases_of(scenes, SEED) != cases_of(scenes, SEED + 1)
    for scene, one in zip(scenes, cases, strict=True):
        there = {thing.object for thing in one.things}
        assert one.things == things(scene)
        for setting in SETTINGS:
            asked = one.questions[setting]
            assert len(asked) == (PER_SCENE if len(there) >= PER_SCENE / 2 else 0)
            assert [q.label for q in asked] == ["yes", "no"] * (len(asked) // 2)
            assert all((about(q.text) in there) == (q.label == "yes") for q in asked)
    random, popular = (
        {about(q.text) for c in cases for q in c.questions[setting] if q.label == "no"}
        for setting in SETTINGS[:2]
    )
    assert random <= set(NAMES)
    assert len(random) > 20 > len(popular)


def test_a_single_poor_scene_is_described_and_not_asked_about() -> None:
    scene = next(s for s in map(one_scene, range(50)) if len({o.label for o in s.objects}) == 1)
    (only,) = cases_of([scene], SEED)
    assert only.asked == ()
    assert pope_f1([only], [{}])["pope_f1.random"]["value"] is None


def one_scene(index: int) -> Any:
    return sample_scene(SEED, index, style="twemoji")


def about(question: str) -> str | None:
    found = re.fullmatch(r"Is there an? (.+) in the image\?", question)
    assert found is not None
    return normalize(found[1].removeprefix("pair of ").removeprefix("bunch of "))


def model(claims: Callable[[str], list[dict[str, str]]] = lambda answer: []) -> Scripted:
    """Says yes to every question and sees a cat in every picture, and puts right what it is told
    to. ``claims`` takes an answer apart."""

    def say(messages: Sequence[Message]) -> str:
        system, asked = messages[0].words(), messages[-1].words()
        if "JSON" in system:
            return json.dumps(claims(asked))
        if "image" in asked and (question := re.search(r"Is there (an? .+) in the image", asked)):
            return f"Yes, there is {question[1]} in the image."
        if "Describe" in asked:
            return "The picture shows a cat."
        wrong = re.search(r"there is an? (.+) in the image", asked)
        return f"No, there is no {wrong[1]} in the image." if wrong else "I see nothing."

    line: Line = say
    return Scripted([line] * 500)


def existence(answer: str) -> list[dict[str, str]]:
    found = re.search(r"there is (an?|no) (.+) in the image", answer)
    value = "no" if found and found[1] == "no" else "yes"
    return [{"kind": "existence", "object": found[2], "value": value}] if found else []


def test_a_model_without_claims_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hallucination, "METHODS", {"twin": lambda given: given, "vcd": refused})
    measured = hallucination.evaluate(2, SEED, model(), quiet=True)
    assert {k: measured[k] for k in ("suite", "model", "seed")} == {
        "suite": "hallucination", "model": "scripted", "seed": SEED,
    }  # fmt: skip
    rows = measured["rows"]
    trained = ["halle", "align", "contrast", "lure"]
    assert list(rows) == ["base", "twin", "vcd", *trained, "verified", "always_yes", "always_no"]
    assert rows["vcd"] == {"error": "needs a local model"}
    for row in trained:
        assert rows[row]["error"].startswith("not trained") and f"--{row}" in rows[row]["error"]
    columns = [*(f"pope_f1.{s}" for s in SETTINGS), "chair_i", "chair_s", "cover"]
    for name in columns:
        assert rows["base"][name] == rows["twin"][name] == rows["verified"][name]
    for name in columns[:3]:
        assert rows["base"][name]["value"] == rows["always_yes"][name]["value"] == 2 / 3
        assert rows["always_no"][name]["value"] == 0
    assert rows["base"]["chair_s"]["value"] == 1
    assert rows["verified"]["right_claims_kept"]["value"] == 1
    assert rows["verified"]["corrected_right"]["value"] is None
    assert rows["verified"]["seconds"]["value"] > rows["base"]["seconds"]["value"]
    text = printed(measured)
    assert "vcd could not run: needs a local model" in text
    assert all(len(line.rstrip()) <= 100 for line in text.splitlines())


def test_trained_rows_need_a_model_that_runs_here() -> None:
    with pytest.raises(ModelError, match="need a local model"):
        hallucination.evaluate(1, SEED, model(), halle="halle.safetensors", quiet=True)
    with pytest.raises(ModelError, match="leave --lure away"):
        hallucination.evaluate(1, SEED, model(), lure="revisor", quiet=True)


def test_trained_rows_are_measured(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a projection that halves hidden states, and a revisor that has little to revise: of a
    tiny model with random weights, which seldom names an object."""
    folder = tiny_nano(tmp_path / "nano")
    write(0.5 * torch.eye(64), tmp_path)
    monkeypatch.setattr(hallucination, "METHODS", {})
    monkeypatch.setattr(hallucination, "MAX_TOKENS", 8)
    monkeypatch.setattr(lure, "REVISION_TOKENS", 8)
    untouched = lambda texts, *_, **__: [SimpleNamespace(answer=text) for _, text in texts]  # noqa: E731
    monkeypatch.setattr(hallucination, "verify_many", untouched)
    measured = hallucination.evaluate(
        1,
        SEED,
        str(folder),
        halle=f"{tmp_path}@-1",
        lure=str(folder),
        align=str(folder),
        quiet=True,
    )
    rows = measured["rows"]
    assert list(rows)[:5] == ["base", "halle", "align", "contrast", "lure"]
    assert "error" in rows["contrast"]
    for row in ("halle", "align", "lure"):
        assert set(rows[row]) == set(rows["base"])
        assert rows[row]["seconds"]["n"] == rows["base"]["seconds"]["n"]
    for setting in SETTINGS:
        assert rows["align"][f"pope_f1.{setting}"] == rows["base"][f"pope_f1.{setting}"]
        assert rows["lure"][f"pope_f1.{setting}"] == rows["base"][f"pope_f1.{setting}"]
    with pytest.raises(ModelError, match="corvid train halle"):
        hallucination.evaluate(1, SEED, str(folder), halle=str(tmp_path / "none"), quiet=True)


def test_an_evaluation_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallucination, "METHODS", {})
    keep = tmp_path / "replies.jsonl"
    whole = hallucination.evaluate(2, SEED, model(), keep=keep, quiet=True)
    lines = keep.read_text().splitlines(keepends=True)
    assert len(lines) == 1 + 2 * 2  # what is measured; base and verified of two scenes
    keep.write_text("".join(lines[:3]) + lines[3][:20])  # killed while it wrote
    again = hallucination.evaluate(2, SEED, model(), keep=keep, quiet=True)
    # Its seconds are those of the first time: it was not asked again.
    assert again["rows"]["base"] == whole["rows"]["base"]
    assert keep.read_text().splitlines(keepends=True)[:3] == lines[:3]
    assert len(keep.read_text().splitlines()) == 5
    mine = tmp_path / "mine.txt"
    mine.write_text("a line of my own")
    for file, seed in ((keep, SEED + 1), (mine, SEED)):
        with pytest.raises(InputError, match="something else"):
            hallucination.evaluate(2, seed, model(), keep=file, quiet=True)
    assert mine.read_text() == "a line of my own"


def refused(model: Any) -> Any:
    raise ModelError("needs a local model")


class Blind(Tool):
    """A detector that finds nothing anywhere."""

    name = "detect"

    def run(self, image: Image, context: ToolContext, labels: list[str]) -> Boxes:
        """Find objects."""
        return Boxes(artifact=image.artifact.id, boxes=(), counts=dict.fromkeys(labels, 0))


def test_what_a_blind_detector_takes_back_is_judged_by_the_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tools.default_tools", lambda: [Blind()])
    rows = hallucination.evaluate(3, SEED, model(existence), quiet=True)["rows"]
    for setting in SETTINGS:  # every yes became a no, the right ones too
        assert rows["verified"][f"pope_f1.{setting}"]["value"] == 0
    kept, right = rows["verified"]["right_claims_kept"], rows["verified"]["corrected_right"]
    cases = cases_of([one_scene(i) for i in range(3)], SEED)
    asked = sum(len(c.asked) for c in cases)
    there = PER_SCENE // 2 * sum(bool(c.asked) for c in cases)
    assert 0 < there < asked
    assert (kept["value"], kept["n"]) == (0, there)
    assert (right["value"], right["n"]) == (pytest.approx(1 - there / asked), asked)


def printed(measured: dict[str, Any]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120)
    for part in tables(measured, percent=True):
        console.print(part)
    return out.getvalue()
