"""MME: pairs of questions, sums in percent, and the published script's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mllm.evaluation.mme import (
    COGNITION,
    PERCEPTION,
    Record,
    read_folder,
    read_task,
    score,
    score_task,
    write_folder,
)

COUNT = [
    Record("a.jpg", "Two cups?", "yes", "Yes, there are two cups."),
    Record("a.jpg", "Three cups?", "no", "No."),
    Record("b.jpg", "One dog?", "yes", "yes"),
    Record("b.jpg", "Five dogs?", "no", "Yes."),
    Record("c.jpg", "One cat?", "yes", "I am not sure."),
    Record("c.jpg", "No cat?", "no", "no"),
]


@pytest.fixture(scope="module")
def peer() -> dict[str, Any]:
    path = Path(__file__).parent / "fixtures" / "mme_peer.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def test_scores_equal_the_published_script(peer: dict[str, Any], tmp_path: Path) -> None:
    for task, lines in peer["files"].items():
        text = "".join("\t".join(line) + "\n" for line in lines)
        (tmp_path / f"{task}.txt").write_text(text, encoding="utf-8")
    model = score(read_folder(tmp_path), "peer").model
    assert {name: task.score for name, task in model.tasks.items()} == pytest.approx(peer["tasks"])
    assert model.perception == pytest.approx(peer["perception"])
    assert model.cognition == pytest.approx(peer["cognition"])


def test_a_task_by_hand() -> None:
    task = score({"count": COUNT}).model.tasks["count"]
    assert (task.questions, task.right, task.images, task.both_right) == (6, 4, 3, 1)
    assert task.unclear == 1
    assert task.score == pytest.approx(100 * (4 / 6 + 1 / 3))
    low, high = task.intervals["accuracy_plus"]
    assert low < 1 / 3 < high


def test_constant_answers_get_fifty() -> None:
    report = score({"count": COUNT, "color": COUNT})
    for constant in (report.always_yes, report.always_no):
        assert [t.score for t in constant.tasks.values()] == [50, 50]


def test_lines_in_another_order_do_not_change_our_score() -> None:
    shuffled = [COUNT[i] for i in (0, 2, 1, 5, 3, 4)]
    assert score_task("count", shuffled) == score_task("count", COUNT)
    peer = score({"count": shuffled}, "peer").model.tasks["count"]
    assert peer.both_right != score({"count": COUNT}, "peer").model.tasks["count"].both_right


def test_four_letters_are_enough_for_the_peer_only() -> None:
    records = [
        Record("a", "?", "yes", "yesterday it was"),
        Record("a", "?", "no", "Nobody can say."),
    ]
    assert score({"OCR": records}, "peer").model.tasks["OCR"].score == 200
    assert score({"OCR": records}).model.tasks["OCR"].score == 0
    assert score({"OCR": records}, parser="mme").model.tasks["OCR"].score == 200


def test_sums_need_every_task() -> None:
    right = COUNT[:2]
    perception = score(dict.fromkeys(PERCEPTION, right)).model
    assert (perception.perception, perception.cognition) == (2000, None)
    assert perception.hallucination == 800
    assert score(dict.fromkeys(COGNITION, right)).model.cognition == 800
    assert score({"count": right}).model.hallucination is None


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(ValueError, match=r"Task count: picture c\.jpg has 1 questions"):
        score({"count": COUNT[:5]})
    with pytest.raises(ValueError, match="task count has no questions"):
        score({"count": []})
    with pytest.raises(ValueError, match="no task"):
        score({})


def test_folders_go_round(tmp_path: Path) -> None:
    write_folder(tmp_path / "results", {"count": COUNT})
    assert read_folder(tmp_path / "results") == {"count": COUNT}
    text = (tmp_path / "results" / "count.txt").read_text(encoding="utf-8")
    assert text.startswith("a.jpg\tTwo cups?\tYes\tYes, there are two cups.\n")
    write_folder(tmp_path, {"OCR": [Record("a", "?", "no", "No\nit\tis blue")]})
    assert read_task(tmp_path / "OCR.txt") == [Record("a", "?", "no", "No it is blue")]


def test_wrong_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no MME task file"):
        read_folder(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        read_folder(tmp_path / "none")
    path = tmp_path / "count.txt"
    with pytest.raises(ValueError, match="does not exist"):
        read_task(path)
    path.write_text("a.jpg\tTwo cups?\tYes\tYes\na.jpg\tThree cups?\tNo\n")
    with pytest.raises(ValueError, match=r"count\.txt, line 2: has 3 fields"):
        read_folder(tmp_path)
    path.write_text("a.jpg\tTwo cups?\tMaybe\tYes\n")
    with pytest.raises(ValueError, match="line 1: the gold answer must be Yes or No"):
        read_task(path)
