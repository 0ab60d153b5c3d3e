"""`corvid eval pope|chair|mme|amber`: answer files in the official formats, scored."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from mllm.evaluation.intervals import wilson

Corvid = Callable[..., tuple[int, str, str]]
Rows = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture
def corvid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Corvid:
    """Runs `corvid eval` in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["corvid", "eval", *words])
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def rows(corvid: Corvid) -> Callable[[str, str], Rows]:
    """The rows of `--json`, whose other fields are checked here."""

    def measured(suite: str, data: str) -> Rows:
        status, out, err = corvid(suite, "--data", data, "--json")
        assert status == 0, err
        whole = json.loads(out)
        assert set(whole) == {"suite", "model", "seed", "rows"}
        assert (whole["suite"], whole["model"]) == (suite, Path(data).stem)
        found: Rows = whole["rows"]
        for row in found.values():
            assert all(set(m) == {"value", "low", "high", "n"} for m in row.values())
        return found

    return measured


def lines(path: str, *records: object) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text("".join(json.dumps(r) + "\n" for r in records))


def pope(folder: str, setting: str, *answers: str) -> None:
    """Official questions about two objects, the second of them absent, and answers."""
    asked = [("a cat", "yes"), ("a dog", "no")]
    texts = [f"Is there {name} in the image?" for name, _ in asked]
    labelled = enumerate(zip(texts, asked, strict=True), 1)
    lines(
        f"{folder}/coco_pope_{setting}.json",
        *(
            {"question_id": i, "image": "1.jpg", "text": text, "label": label}
            for i, (text, (_, label)) in labelled
        ),
    )
    pairs = zip(texts, answers, strict=True)
    lines(f"{folder}/llava_{setting}.jsonl", *({"question": q, "answer": a} for q, a in pairs))


def test_pope_by_setting_and_together(rows: Callable[[str, str], Rows], corvid: Corvid) -> None:
    pope("coco", "random", "Yes, there is.", "No.")
    pope("coco", "adversarial", "Yes.", "Yes, a dog.")
    found = rows("pope", "coco")
    answers = found["answers"]
    low, high = wilson(3, 4)
    assert answers["accuracy"] == {"value": 3 / 4, "low": low, "high": high, "n": 4}
    assert answers["accuracy.random"]["value"] == 1
    assert answers["accuracy.adversarial"]["value"] == 1 / 2
    assert answers["precision.adversarial"] == {
        **dict(zip(("low", "high"), wilson(1, 2), strict=True)),
        "value": 1 / 2,
        "n": 2,
    }
    assert answers["yes_ratio"]["value"] == 3 / 4
    assert (answers["f1"]["low"], answers["f1"]["high"]) == (None, None)
    assert "accuracy.popular" not in answers
    for constant in ("always_yes", "always_no"):
        assert list(found[constant]) == list(answers)
        assert found[constant]["accuracy"]["value"] == 1 / 2
    assert found["always_yes"]["recall.random"]["value"] == 1

    one = rows("pope", "coco/llava_adversarial.jsonl")["answers"]
    assert one["accuracy"] == answers["accuracy.adversarial"]

    status, out, _ = corvid("pope", "--data", "coco")
    assert status == 0
    assert out.splitlines()[0].strip() == "pope, coco"
    assert "always_no" in out and "0.750" in out and "None" not in out


def test_pope_tells_what_does_not_fit(corvid: Corvid) -> None:
    def told(data: str) -> str:
        status, out, err = corvid("pope", "--data", data)
        assert (status, out) == (2, "")
        assert len(err.splitlines()) == 1
        return err

    pope("coco", "random", "Yes.", "No.")
    assert "holds questions" in told("coco/coco_pope_random.json")
    Path("coco/llava_random.jsonl").rename("coco/llava_popular.jsonl")
    assert "llava_popular.jsonl has no question files" in told("coco")
    Path("coco/llava_popular.jsonl").rename("coco/llava_random.jsonl")
    pope("coco", "popular", "Yes.", "No.")
    lines("coco/qwen_random.jsonl", {"question": "?", "answer": "No."})
    assert "two files of random answers" in told("coco")
    assert "qwen_random.jsonl, line 1: answers '?'" in told("coco/qwen_random.jsonl")
    lines("coco/other.jsonl", {"answer": "No."})
    assert "other.jsonl has 2 question files" in told("coco/other.jsonl")
    Path("empty").mkdir()
    assert "has no jsonl file" in told("empty")
    Path("coco/llava_random.jsonl").write_bytes(b"\xff\xfe")
    assert "UTF-8" in told("coco/llava_random.jsonl")


def test_chair_with_given_and_with_our_words(
    rows: Callable[[str, str], Rows], corvid: Corvid
) -> None:
    said = {7: "A dog and a puppy on a couch.", 8: "A cat."}
    lines("c/llava.json", [{"image_id": i, "caption": text} for i, text in said.items()])
    lines("c/objects.json", {"7": ["dog", "person"], "8": ["cat"]})
    Path("c/synonyms.txt").write_text("dog, puppy\nperson\ncat\ncouch\n")
    found = rows("chair", "c/llava.json")
    assert list(found) == ["answers"]
    chair = found["answers"]
    assert chair["chair_i"] == {"value": 1 / 4, "low": None, "high": None, "n": 4}
    low, high = wilson(1, 2)
    assert chair["chair_s"] == {"value": 1 / 2, "low": low, "high": high, "n": 2}
    assert (chair["cover"]["value"], chair["cover"]["n"]) == (2 / 3, 3)

    lines("c/references.json", [{"image_id": 7, "caption": "A couch."}])
    assert rows("chair", "c/llava.json")["answers"]["chair_i"]["value"] == 0

    Path("c/references.json").unlink()
    Path("c/synonyms.txt").unlink()
    status, _, err = corvid("chair", "--data", "c/llava.json")
    assert status == 2 and "'person'" in err and "synonyms.txt" in err
    lines("c/objects.json", {"7": ["dog"], "8": ["cat"]})
    lines("c/llava.json", [{"image_id": 7, "caption": "图中有一只狗和一只猫。"}])
    assert rows("chair", "c/llava.json")["answers"]["chair_i"]["value"] == 1 / 2


def test_mme_of_a_folder_and_of_a_task(rows: Callable[[str, str], Rows]) -> None:
    Path("mme").mkdir()
    for task, said in {"existence": "Yes No", "count": "No No", "position": "Yes Hm"}.items():
        golds = zip(("Yes", "No"), said.split(), strict=True)
        Path(f"mme/{task}.txt").write_text("".join(f"1.jpg\tQ?\t{g}\t{a}\n" for g, a in golds))
    found = rows("mme", "mme")
    row = found["answers"]
    assert (row["accuracy"]["value"], row["accuracy"]["n"]) == (4 / 6, 6)
    assert (row["accuracy_plus"]["value"], row["accuracy_plus"]["n"]) == (1 / 3, 3)
    assert row["score.existence"] == {"value": 200, "low": None, "high": None, "n": 2}
    assert row["score.count"]["value"] == 50
    assert row["unclear"]["value"] == 1 / 6
    assert "hallucination" not in row
    assert found["always_no"]["accuracy"]["value"] == 1 / 2

    Path("mme/color.txt").write_text(Path("mme/existence.txt").read_text())
    assert rows("mme", "mme")["answers"]["hallucination"]["value"] == 200 + 50 + 50 + 200
    assert rows("mme", "mme/count.txt")["answers"]["score.count"]["value"] == 50


AMBER = [
    {"id": 1, "type": "generative", "truth": ["dog", "lake"], "hallu": ["bird"]},
    {"id": 2, "type": "discriminative-hallucination", "truth": "no"},
    {"id": 3, "type": "discriminative-relation", "truth": "yes"},
]


def amber(*answers: str) -> None:
    lines("amber/annotations.json", AMBER)
    rows = [{"id": i, "response": text} for i, text in enumerate(answers, 1) if text]
    lines("amber/llava.json", rows)
    lines("amber/relation.json", {"dog": ["puppy"], "lake": [], "bird": [], "sign": []})


def test_amber_of_descriptions_and_questions(rows: Callable[[str, str], Rows]) -> None:
    amber("A puppy, a bird and a sign.", "No.", "No.")
    found = rows("amber", "amber/llava.json")
    row = found["answers"]
    assert row["accuracy"]["value"] == 1 / 2
    assert (row["precision"]["value"], row["recall"]["value"]) == (1 / 2, 1)
    assert row["accuracy.existence"]["value"] == 1
    assert row["f1.relation"]["value"] == 0
    assert row["chair"]["value"] == pytest.approx(2 / 3)
    assert row["cover"]["value"] == 1 / 2
    assert row["cog"]["value"] == pytest.approx(1 / 3)
    assert row["hal"]["low"] == wilson(1, 1)[0]
    assert row["amber"]["value"] == pytest.approx((1 - 2 / 3 + 2 / 3) / 2)
    assert found["always_no"]["accuracy.existence"]["value"] == 1
    assert found["always_yes"]["accuracy.relation"]["value"] == 1
    Path("amber/safe_words.txt").write_text("sign\n")
    assert rows("amber", "amber/llava.json")["answers"]["chair"]["value"] == 1 / 2


def test_amber_of_one_kind_alone(rows: Callable[[str, str], Rows], corvid: Corvid) -> None:
    amber("", "No.", "Yes.")
    Path("amber/relation.json").unlink()
    row = rows("amber", "amber/llava.json")["answers"]
    assert row["accuracy"]["value"] == 1
    assert not {"chair", "amber"} & set(row)
    amber("A dog.")
    found = rows("amber", "amber/llava.json")
    assert list(found) == ["answers"]
    assert set(found["answers"]) == {"chair", "cover", "hal", "cog", "silent"}
    Path("amber/relation.json").unlink()
    status, _, err = corvid("amber", "--data", "amber/llava.json")
    assert status == 2 and "relation.json" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pope", "give them with --data"),
        ("mme", "give them with --data"),
        ("pope --data none.json", "none.json does not exist"),
        ("amber --data none.json", "none.json does not exist"),
        ("pope --data . --n 300", "leave --n away"),
        ("chair --data . --seed 1", "leave --seed away"),
        ("mme --data . --model nano", "leave --model away"),
        ("mme --data .", "holds no MME task file"),
        ("chair --data .", "is a folder"),
        ("amber --data .", "is a folder"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(corvid: Corvid, words: str, said: str) -> None:
    status, out, err = corvid(*words.split())
    assert (status, out) == (2, "")
    assert said in err and len(err.splitlines()) == 1


def test_scoring_loads_no_model_library() -> None:
    show = "print({'torch', 'transformers', 'langgraph'} & set(sys.modules))"
    code = f"import sys, agent.cli.measure, agent.evaluation.answer_files; {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
