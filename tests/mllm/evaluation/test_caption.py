"""Caption scores: the official numbers on the same captions, and what cannot be scored."""

import json
from pathlib import Path

import pytest

from mllm.evaluation.caption import (
    read_captions,
    read_references,
    score_captions,
    tokenize,
    write_captions,
)

FIXTURE = json.loads(
    (Path(__file__).parent / "fixtures" / "caption.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("image", FIXTURE["references"])
def test_tokens_are_those_of_the_java_tokenizer(image):
    texts, tokens = FIXTURE["references"][image], FIXTURE["tokens"][image]
    assert [tokenize(t, "peer") for t in texts] == tokens["references"]
    assert tokenize(FIXTURE["captions"][image], "peer") == tokens["caption"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("一只狗，在跑。", "一 只 狗 在 跑"),
        ("It’s a DOG!", "it 's a dog"),
        ("", ""),
        ("...", ""),
        ("a (red) [old] {dog}", "a red old dog"),
        ("'s", "s"),
    ],
)
def test_tokens_of_other_texts(text, tokens):
    assert tokenize(text) == tokens


def test_scores_are_those_of_the_official_pipeline():
    scores = score_captions(FIXTURE["references"], FIXTURE["captions"], "peer")
    assert scores.n == 4
    assert scores.cider_d == pytest.approx(FIXTURE["cider_d"])
    assert scores.bleu_4 == pytest.approx(FIXTURE["bleu_4"])
    assert scores.rouge_l == pytest.approx(FIXTURE["rouge_l"])
    for image, expected in FIXTURE["per_image"].items():
        assert scores.per_image[image] == pytest.approx(tuple(expected))


def test_brackets_are_no_words_but_for_the_peer():
    references = {"1": ["a red bus waits"], "2": ["two cats sleep well"]}
    captions = {"1": "a (red) bus waits", "2": "two cats sleep well"}
    assert score_captions(references, captions).rouge_l == pytest.approx(1)
    assert score_captions(references, captions, "peer").rouge_l < 1


def test_extremes_and_a_single_image():
    references = {"1": ["a red bus waits here"], "2": ["two black cats sleep well"]}
    best = score_captions(references, {k: v[0] for k, v in references.items()})
    assert best.cider_d == pytest.approx(10)
    assert best.bleu_4 == pytest.approx(1)
    assert best.rouge_l == pytest.approx(1)
    silent = score_captions(references, {"1": "", "2": "..."})
    assert (silent.cider_d, silent.rouge_l) == (0, 0)
    assert silent.bleu_4 == pytest.approx(0, abs=1e-6)
    alone = score_captions({"1": references["1"]}, {"1": "a red bus waits here"})
    assert alone.cider_d is None and alone.per_image["1"][0] is None
    assert alone.rouge_l == pytest.approx(1)


@pytest.mark.parametrize(
    ("references", "captions", "message"),
    [
        ({}, {}, "no caption"),
        ({"1": ["a"]}, {}, "1 has no caption"),
        ({}, {"1": "a"}, "no caption"),
        ({"1": ["a"]}, {"1": "a", "2": "b"}, "2 has no reference"),
        ({"1": ["!"]}, {"1": "a"}, "no reference with a word"),
        ({"1": []}, {"1": "a"}, "no reference with a word"),
    ],
)
def test_what_cannot_be_scored_is_said(references, captions, message):
    with pytest.raises(ValueError, match=message):
        score_captions(references, captions)


def test_coco_files_are_read_and_written(tmp_path):
    gold, said = tmp_path / "gold.json", tmp_path / "said.json"
    rows = [{"image_id": 7, "id": i, "caption": c} for i, c in enumerate(("A dog.", "Dog."))]
    gold.write_text(json.dumps({"images": [], "annotations": rows}), encoding="utf-8")
    assert read_references(gold) == {"7": ["A dog.", "Dog."]}
    write_captions(said, {"7": "狗", "img8": "b"})
    assert json.loads(said.read_text(encoding="utf-8"))[0] == {"image_id": 7, "caption": "狗"}
    assert read_captions(said) == {"7": "狗", "img8": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[\n{", "line 2: not JSON"),
        ("{}", "expected a"),
        ("3", "expected a"),
        ('[{"image_id": 1}]', "entry 1"),
        ('[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]', "more than one"),
    ],
)
def test_a_bad_results_file_is_refused(tmp_path, text, message):
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"r\.json.*{message}"):
        read_captions(path)


def test_a_bad_reference_file_is_refused(tmp_path):
    path = tmp_path / "g.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="annotations"):
        read_references(path)
    path.write_text('{"annotations": [{"caption": "a"}]}', encoding="utf-8")
    with pytest.raises(ValueError, match="entry 1"):
        read_references(path)
    with pytest.raises(ValueError, match="missing"):
        read_references(tmp_path / "none.json")
