"""CHAIR: the published script's numbers on the same captions, ours, and the file formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mllm.evaluation.chair import (
    Caption,
    chair,
    read_captions,
    read_truth,
    with_references,
    write_captions,
    write_truth,
)
from mllm.evaluation.vocabulary import Vocabulary

PEER = json.loads((Path(__file__).parent / "fixtures" / "chair.json").read_text())
CAPTIONS = [Caption(str(c["image_id"]), c["caption"]) for c in PEER["captions"]]
REFERENCES = [Caption(str(c["image_id"]), c["caption"]) for c in PEER["references"]]
SEGMENTS = {image: frozenset(names) for image, names in PEER["segments"].items()}


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("words") / "synonyms.txt"
    path.write_text("\n".join(PEER["synonyms"]))
    return Vocabulary.read(path)


def test_the_peer_variant_gives_the_published_scripts_numbers(coco: Vocabulary) -> None:
    truth = with_references(SEGMENTS, REFERENCES, coco, "peer")
    scored = chair(CAPTIONS, truth, coco, "peer")
    assert scored.chair_i == pytest.approx(PEER["peer"]["overall"]["CHAIRi"])
    assert scored.chair_s == pytest.approx(PEER["peer"]["overall"]["CHAIRs"])
    for ours, theirs in zip(scored.captions, PEER["peer"]["sentences"], strict=True):
        assert list(ours.mentioned) == theirs["generated"]
        assert list(ours.hallucinated) == theirs["hallucinated"]
        assert sorted(truth[ours.image_id]) == theirs["truth"]


@pytest.mark.parametrize(
    "text",
    [
        "图中没有看到狗，也没有发现杯子。",
        "There's no sign of a cup.",
        "I can see hardly any cups.",
        "I do not see any people, cars or cups.",
    ],
)
def test_ways_of_denying(text: str) -> None:
    mentions = Vocabulary.ours().mentions(text)
    assert mentions and all(m.denied for m in mentions)


def test_what_is_denied_and_the_colour_orange_are_no_mentions(coco: Vocabulary) -> None:
    truth = {"2": frozenset({"cat", "couch"})}
    caption = [Caption("2", "An orange cat sleeps on a couch; there is no dog.")]
    assert chair(caption, truth, coco).captions[0].mentioned == ("cat", "couch")
    peer = chair(caption, truth, coco, "peer").captions[0]
    assert set(peer.hallucinated) == {"orange", "dog"}


def test_silence_has_no_hallucination_but_covers_nothing(coco: Vocabulary) -> None:
    scored = chair([Caption("1", "Nothing much.")], {"1": frozenset({"dog", "person"})}, coco)
    assert (scored.chair_i, scored.chair_s, scored.cover) == (0.0, 0.0, 0.0)
    half = chair([Caption("1", "Two dogs.")], {"1": frozenset({"dog", "person"})}, coco)
    assert half.cover == 0.5 and half.captions[0].missed == ("person",)


def test_our_own_world_is_read_in_both_languages() -> None:
    ours = Vocabulary.ours()
    truth = {"1": frozenset({"cup", "hot dog"})}
    english = chair([Caption("1", "Two mugs, a hot dog and a zebra.")], truth, ours)
    assert english.captions[0].mentioned == ("cup", "hot dog", "zebra")
    assert english.captions[0].hallucinated == ("zebra",)
    chinese = chair([Caption("1", "图中有两个杯子和一匹斑马。")], truth, ours)
    assert set(chinese.captions[0].mentioned) == {"cup", "zebra"}


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_captions(tmp_path / "c.json", CAPTIONS)
    write_truth(tmp_path / "t.json", SEGMENTS)
    assert read_captions(tmp_path / "c.json") == CAPTIONS
    assert read_truth(tmp_path / "t.json") == SEGMENTS


@pytest.mark.parametrize(
    ("rows", "message"), [([{"caption": "x"}], "image_id"), ([{"image_id": 1}], "caption")]
)
def test_a_broken_file_says_which_entry(
    tmp_path: Path, rows: list[object], message: str
) -> None:
    (tmp_path / "c.json").write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=f"entry 1.*{message}"):
        read_captions(tmp_path / "c.json")


def test_captions_without_truth_are_refused(coco: Vocabulary) -> None:
    with pytest.raises(ValueError):
        chair([Caption("1", "A dog.")], {}, coco)
    with pytest.raises(ValueError, match="no caption"):
        chair([], {}, coco)


@pytest.mark.parametrize(
    "text",
    [
        "There are 0 cups.", "There is no red cup.", "No orange cup.", "no small cups",
        "It does not have a cup.", "no dogs, cups or carrots", "没有红色的杯子", "没有狗、杯子",
    ],
)
def test_a_number_or_a_colour_between_no_and_the_object_denies_it_too(text: str) -> None:
    assert [m.denied for m in Vocabulary.ours().mentions(text) if m.category == "cup"] == [True]


def test_a_denial_ends_where_something_is_named_with_its_article() -> None:
    mentions = Vocabulary.ours().mentions("The picture shows no dogs, a cup and 2 carrots.")
    assert [(m.category, m.denied) for m in mentions] == [
        ("dog", True), ("cup", False), ("carrot", False)
    ]  # fmt: skip
