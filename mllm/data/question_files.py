"""Questions and their pictures in a folder: what ``corvid data scenes`` writes and ``corvid eval``
reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from mllm.content import Value
from mllm.data.questions import FAMILIES, Question, questions
from mllm.data.scenes import Scene, render, sample_scene

FILE = "questions.jsonl"
_SCENES_A_QUESTION = 60
"""Scenes tried before a family is given up for one question."""


class QuestionRow(Value):
    """One line of ``questions.jsonl``. ``image`` is relative to the folder."""

    id: str
    image: str
    question: str
    answer: str
    family: str
    lang: str = "en"
    choices: tuple[str, ...] | None = None
    boxes: tuple[tuple[str, float, float, float, float], ...] = Field(
        (), description="label, x0, y0, x1, y1 in pixels"
    )


def write_questions(
    out: str | Path,
    n: int,
    seed: int,
    style: str | Path = "twemoji",
    held_out: bool = False,
) -> Path:
    """Write ``n`` questions, a scene each, families in turn, and return the question file.

    Row *i* is a pure function of (seed, i, style, held_out). ``held_out``: only phrasings that
    training never shows. Raises ``OSError`` when the folder cannot be written.
    """
    root = Path(out)
    (root / "images").mkdir(parents=True, exist_ok=True)
    with (root / FILE).open("w", encoding="utf-8") as file:
        for number, (question, scene) in enumerate(generate(n, seed, style, held_out)):
            name = f"images/{number:06d}.png"
            render(scene).save(root / name)
            row = to_row(question, f"{seed}-{number}", name)
            text = json.dumps(row.model_dump(exclude_none=True), ensure_ascii=False)
            file.write(text + "\n")
    return root / FILE


def generate(
    n: int, seed: int, style: str | Path = "twemoji", held_out: bool = False
) -> Iterator[tuple[Question, Scene]]:
    """``n`` questions with their scenes. Where a scene does not allow the family whose turn it
    is, the next scenes are tried."""
    for number in range(n):
        family = FAMILIES[number % len(FAMILIES)]
        for attempt in range(_SCENES_A_QUESTION):
            scene = sample_scene(seed, number * _SCENES_A_QUESTION + attempt, style=style)
            asked = questions(scene, seed, held_out=held_out, n=1, family=family)
            if asked and _rich(asked[0], attempt):
                yield asked[0], scene
                break
        else:
            raise ValueError(f"no scene of style {style} allows a question of family {family}")


def read_questions(folder: str | Path) -> list[QuestionRow]:
    """The rows of a folder. Raises ``FileNotFoundError``, and ``ValueError`` that names the
    first line that is no question."""
    path = Path(folder) / FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there; write it with: corvid data scenes --n 300 --seed 1 "
            f"--out {folder}"
        )
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(QuestionRow.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(p) for p in first["loc"]) or "line"
            raise ValueError(f"{path}, line {number}: {where}: {first['msg']}") from error
    return rows


def to_row(question: Question, id: str, image: str) -> QuestionRow:
    """A question as a line of the file."""
    return QuestionRow(
        id=id,
        image=image,
        question=question.text,
        answer=question.answer,
        family=question.family,
        lang=question.lang,
        choices=question.choices,
        boxes=tuple(
            (b.label or "text", round(b.x0, 1), round(b.y0, 1), round(b.x1, 1), round(b.y1, 1))
            for b in question.boxes
        ),
    )


def _rich(question: Question, attempt: int) -> bool:
    """Text questions without text ("is there any?") only when no sign turns up."""
    return question.form != "any_text" or attempt % 4 == 3
