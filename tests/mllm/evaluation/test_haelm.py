import json

import pytest

from mllm.evaluation.haelm import (
    Captioned,
    Verdict,
    agreement,
    judge_captions,
    parse,
    prompt,
    rate,
    read_captions,
    read_labelled,
)


@pytest.mark.parametrize(
    ("reply", "hallucinated"),
    [
        ("yes", False),
        (" Yes, it is accurate.", False),
        ("**No**. There is no dog.", True),
        ("是", False),
        ("是的，描述准确。", False),
        ("否。图中没有狗。", True),
        ("不是", True),
        ("yes or no", None),
        ("是/否", None),
        ("是否准确难说", None),
        ("Nothing is wrong.", None),
        ("The caption is accurate: yes", None),
        ("", None),
    ],
)
def test_only_a_first_word_is_a_verdict(reply, hallucinated):
    assert parse(reply) is hallucinated


def test_the_prompt_holds_caption_and_references_in_its_language():
    english = prompt(Captioned("A <dog> & a cat.", ("A dog runs.", "Dog and cat.")))
    assert "A <dog> & a cat." in english
    assert "- A dog runs.\n- Dog and cat." in english
    assert "yes" in english
    chinese = prompt(Captioned("一只狗。", ("狗在跑。",)))
    assert "一只狗。" in chinese and "狗在跑。" in chinese and "否" in chinese
    assert "yes" in prompt(Captioned("一只狗。", ("狗",)), lang="en")
    with pytest.raises(ValueError, match="no reference"):
        prompt(Captioned("A dog.", ()))


def test_any_function_judges_and_the_rate_has_an_interval():
    items = [Captioned(f"A {w}.", ("A dog.",)) for w in ("dog", "cat", "cat", "bird")]

    def judge(text):
        caption = text.split("Caption:\n")[1].splitlines()[0]
        return {"A dog.": "yes", "A cat.": "No.", "A bird.": "I cannot tell."}[caption]

    verdicts = judge_captions(items, judge)
    assert [v.hallucinated for v in verdicts] == [False, True, True, None]
    assert verdicts[3].reply == "I cannot tell."
    found = rate(verdicts)
    assert (found.hallucinated, found.n, found.unclear) == (2, 3, 1)
    assert found.share == pytest.approx(2 / 3)
    assert found.interval == pytest.approx((0.2077, 0.9385), abs=1e-4)


def test_no_clear_verdict_gives_no_rate():
    found = rate([Verdict(None, "?")])
    assert found.share is None and found.interval == (0, 1) and found.unclear == 1


def labelled(*labels):
    return [Captioned("c", ("r",), label) for label in labels]


def test_agreement_with_people_counts_unclear_as_wrong():
    items = labelled(True, True, False, False, None)
    verdicts = [Verdict(v, "") for v in (True, False, False, None, True)]
    found = agreement(items, verdicts)
    assert (found.n, found.unclear, found.accuracy) == (4, 1, 0.5)
    # chance: 1/2 * 1/4 said hallucinated + 1/2 * 2/4 said accurate
    assert found.kappa == pytest.approx((0.5 - 0.375) / (1 - 0.375))
    assert found.always_accurate == found.always_hallucinated == 0.5


def test_a_constant_judge_has_no_kappa_beyond_chance():
    items = labelled(True, False, False, False)
    found = agreement(items, [Verdict(False, "yes")] * 4)
    assert found.accuracy == found.always_accurate == 0.75
    assert found.kappa == 0
    assert agreement(labelled(True), [Verdict(True, "no")]).kappa is None


def test_agreement_needs_labels_and_a_verdict_each():
    with pytest.raises(ValueError, match="no caption has a human label"):
        agreement(labelled(None), [Verdict(True, "no")])
    with pytest.raises(ValueError, match="1 captions have 0 verdicts"):
        agreement(labelled(True), [])


def test_the_published_labels_are_read(tmp_path):
    path = tmp_path / "eval.jsonl"
    body = "reference captions:\nA cat.\nour caption:\n{}Is our caption accurate?\n"
    rows = [
        {"instruction": body.format("A cat.\nIt sleeps. "), "output": "yes"},
        {"instruction": body.format("A dog.\n"), "output": "no"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read_labelled(path) == [
        Captioned("A cat.\nIt sleeps.", ("A cat.",), False),
        Captioned("A dog.", ("A cat.",), True),
    ]


@pytest.mark.parametrize("line", ["{", "[]", '{"instruction": "x", "output": "yes"}', "{}"])
@pytest.mark.parametrize("read", [read_labelled, read_captions])
def test_a_bad_line_is_named(tmp_path, read, line):
    path = tmp_path / "x.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.jsonl, line 2"):
        read(path)
    with pytest.raises(ValueError, match="missing"):
        read(tmp_path / "none.jsonl")


def test_captions_to_judge_are_read(tmp_path):
    path = tmp_path / "c.jsonl"
    row = {"image": "1.jpg", "output": "A dog.", "reference caption": ["A cat.", "Cats."]}
    path.write_text(json.dumps(row), encoding="utf-8")
    assert read_captions(path) == [Captioned("A dog.", ("A cat.", "Cats."))]
