"""AMBER: the published script's numbers, the paper's ratios by hand, and the file formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mllm.evaluation.amber import Annotations, Asked, Described, amber, ask_score
from mllm.evaluation.amber_descriptions import Words, describe_score
from mllm.evaluation.amber_files import (
    Query,
    read_annotations,
    read_queries,
    read_related,
    read_responses,
    read_safe_words,
    write_responses,
)
from mllm.evaluation.intervals import wilson
from mllm.evaluation.vocabulary import Vocabulary

PEER = json.loads((Path(__file__).parent / "fixtures" / "amber.json").read_text())
ALIKE = {frozenset(pair) for pair in PEER["alike"]}
RESPONSES = {row["id"]: row["response"] for row in PEER["responses"]}
SCENE = Described(1, ("person", "lake", "forest", "road"), ("bird", "boat"))
RELATED = {"person": ["man", "woman"], "forest": ["tree"], "lake": [], "road": [], "bird": []}
WORDS = Words.official({**RELATED, "boat": ["ship"], "cloud": [], "sign": []}, frozenset({"sign"}))


@pytest.fixture
def published(tmp_path: Path) -> Annotations:
    (tmp_path / "annotations.json").write_text(json.dumps(PEER["annotations"]))
    return read_annotations(tmp_path / "annotations.json")


def test_descriptions_equal_the_published_script(published: Annotations) -> None:
    words = Words.official(
        PEER["related"], frozenset(PEER["safe"]), lambda a, b: frozenset((a, b)) in ALIKE
    )
    theirs = PEER["peer"]["generative"]
    ours = describe_score(RESPONSES, published, words, "peer")
    for name in ("chair", "cover", "hal", "cog"):
        assert 100 * getattr(ours, name) == pytest.approx(theirs[name], abs=1e-9), name


@pytest.mark.parametrize("part", sorted(set(PEER["peer"]) - {"generative"}))
def test_questions_equal_the_published_script(published: Annotations, part: str) -> None:
    ours = ask_score(RESPONSES, published, "peer").model[part]
    for name, theirs in PEER["peer"][part].items():
        assert 100 * getattr(ours, name) == pytest.approx(theirs, abs=1e-9), name


def test_a_description_by_hand() -> None:
    text = "Two men and a woman near a lake. A ship, a ship, a cloud, a sign, but no birds."
    score = describe_score({1: text}, {1: SCENE}, WORDS)
    (one,) = score.responses
    assert (one.right, one.wrong) == (("man", "woman", "lake"), ("ship", "cloud"))
    assert (one.imagined, one.covered) == (("ship",), ("person", "lake"))
    assert one.missed == ("forest", "road")
    assert (score.chair, score.cover, score.hal, score.cog) == (2 / 5, 2 / 4, 1.0, 1 / 5)


def test_figures_are_means_over_responses() -> None:
    texts = {1: "A bird, a boat and a cloud.", 2: "A lake.", 3: "Nothing at all."}
    score = describe_score(texts, dict.fromkeys(texts, SCENE), WORDS)
    assert (score.n, score.silent) == (3, 1)
    assert score.chair == pytest.approx((1 + 0) / 2)
    assert score.cog == pytest.approx((2 / 3 + 0) / 2)
    assert score.cover == pytest.approx((0 + 1 / 4 + 0) / 3)
    assert score.hal == pytest.approx(1 / 3)
    assert score.intervals["hal"] == wilson(1, 3)
    assert score.intervals["cover"] == (wilson(0, 3)[0], wilson(1, 3)[1])
    for name, (low, high) in score.intervals.items():
        assert 0 <= low <= getattr(score, name) <= high <= 1


def test_only_what_is_similar_stands_for_another_word() -> None:
    text = {1: "A pond."}
    words = {**RELATED, "pond": []}
    apart = describe_score(text, {1: SCENE}, Words.official(words))
    near = Words.official(words, similar=lambda a, b: {a, b} == {"pond", "lake"})
    alike = describe_score(text, {1: SCENE}, near)
    assert (apart.chair, apart.cover) == (1.0, 0.0)
    assert (alike.chair, alike.cover) == (0.0, 1 / 4)


def test_our_own_world_is_scored_in_chinese() -> None:
    scene = {1: Described(1, ("cup", "dog"), ("cat",))}
    score = describe_score({1: "有一个杯子和一只猫,没有斑马。"}, scene, Words(Vocabulary.ours()))
    assert (score.chair, score.cover, score.cog) == (1 / 2, 1 / 2, 1 / 2)


ASKED: Annotations = {
    1: Asked(1, "discriminative-hallucination", "no"),
    2: Asked(2, "discriminative-hallucination", "no"),
    3: Asked(3, "relation", "no"),
    4: Asked(4, "discriminative-relation", "yes"),
    5: Asked(5, "discriminative-attribute-action", "yes"),
    6: SCENE,
}


def test_questions_by_hand() -> None:
    said = {
        1: "No, there is none.",
        2: "Hard to say.",
        3: "Yes.",
        4: "no",
        5: "Yes, it runs.",
    }
    report = ask_score({**said, 6: "A lake."}, ASKED)
    score = report.model["all"]
    assert (score.n, score.right, score.hits, score.said_no, score.are_no) == (5, 2, 1, 2, 3)
    assert score.unclear == 1
    assert (score.accuracy, score.precision, score.recall) == (2 / 5, 1 / 2, 1 / 3)
    assert score.f1 == pytest.approx(2 / 5)
    assert score.intervals["precision"] == wilson(1, 2)
    assert report.model["existence"].accuracy == 1 / 2
    assert set(report.model) == {"all", "existence", "attribute", "action", "relation"}
    exact = ask_score(said, ASKED, "peer").model["all"]
    assert exact.right == 0


def test_constants_are_scored_on_the_answered_questions() -> None:
    report = ask_score({1: "No", 4: "Yes", 5: "Yes"}, ASKED)
    assert report.always_no["existence"].f1 == 1
    assert report.always_no["all"].accuracy == pytest.approx(1 / 3)
    assert report.always_yes["all"].accuracy == pytest.approx(2 / 3)
    assert report.always_yes["all"].f1 == 0


def test_the_joint_score_rewards_both() -> None:
    assert amber(0.0, 1.0) == 1
    assert amber(0.2, 0.6) == pytest.approx(0.7)


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(ValueError, match="no annotation has the id 9"):
        ask_score({9: "No"}, ASKED)
    with pytest.raises(ValueError, match="no response answers a question"):
        ask_score({6: "A lake."}, ASKED)
    with pytest.raises(ValueError, match="no response describes a picture"):
        describe_score({1: "No"}, ASKED, WORDS)


def test_files_are_read_as_published(tmp_path: Path, published: Annotations) -> None:
    assert published[1] == Described(
        1, ("sky", "forest", "grass", "person", "lake"), ("cloud", "bird", "dog")
    )
    assert len(published) == len(PEER["annotations"])
    write_responses(tmp_path / "r.json", {1: "一片湖。", 2: "No"})
    assert read_responses(tmp_path / "r.json") == {1: "一片湖。", 2: "No"}
    (tmp_path / "q.json").write_text('[{"id": 1, "image": "AMBER_1.jpg", "query": "Describe."}]')
    assert read_queries(tmp_path / "q.json") == [Query(1, "AMBER_1.jpg", "Describe.")]
    (tmp_path / "relation.json").write_text('{"lake": ["water"]}')
    assert read_related(tmp_path / "relation.json") == {"lake": ["water"]}
    (tmp_path / "safe_words.txt").write_text("orange\nsnack\n")
    assert read_safe_words(tmp_path / "safe_words.txt") == {"orange", "snack"}


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (read_responses, '[{"id": 1, "response": "a"}, {"id": 2}]', 'entry 2: needs .*"response"'),
        (read_responses, '[{"id": "1", "response": "a"}]', "entry 1: .*whole number"),
        (read_responses, '[{"id": 1, "response": null}]', "entry 1: .*text"),
        (read_responses, '[{"id": 1, "response": "a"}, {"id": 1, "response": "b"}]', "twice"),
        (read_responses, "{}", "must be a list"),
        (read_responses, "[", "is not JSON"),
        (read_annotations, '[{"id": 1, "type": "x", "truth": "yes"}]', "no type 'x'"),
        (read_annotations, '[{"id": 1, "type": "relation", "truth": "Yes"}]', "not 'Yes'"),
        (read_annotations, '[{"id": 1, "type": "generative", "truth": ["a"]}]', "lists of words"),
        (read_related, '{"lake": "water"}', "list of words"),
    ],
)
def test_a_broken_file_says_where(
    tmp_path: Path, read: Callable[[Path], object], text: str, said: str
) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(ValueError, match=r"file\.json.*check the path"):
        read(path)
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"file\.json.*{said}"):
        read(path)
