"""Question folders: what is written is read back, and bad files are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mllm.data.question_files import FILE, read_questions, write_questions
from mllm.data.questions import FAMILIES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("questions")
    write_questions(out, 16, 5, style="twemoji", held_out=True)
    return out


def test_rows_have_the_documented_fields_and_their_pictures(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / FILE).read_text().splitlines()]
    assert len(rows) == 16
    for row in rows:
        assert {"id", "image", "question", "answer", "family", "lang"} <= set(row)
        width, height = Image.open(folder / row["image"]).size
        for _, x0, y0, x1, y1 in row.get("boxes", []):
            assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height


def test_families_take_turns(folder: Path) -> None:
    assert [r.family for r in read_questions(folder)] == list(FAMILIES) * 2


def test_the_same_seed_writes_the_same_file(folder: Path, tmp_path: Path) -> None:
    write_questions(tmp_path, 4, 5, style="twemoji", held_out=True)
    first = (folder / FILE).read_text().splitlines()[:4]
    assert (tmp_path / FILE).read_text().splitlines() == first


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="corvid data scenes"):
        read_questions(tmp_path / "none")


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    good = {"id": "1", "image": "a.png", "question": "?", "answer": "yes", "family": "existence"}
    (tmp_path / FILE).write_text(json.dumps(good) + "\n" + json.dumps({"id": "2"}) + "\n")
    with pytest.raises(ValueError, match="line 2: image"):
        read_questions(tmp_path)
