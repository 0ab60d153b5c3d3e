"""The official file formats of POPE: objects, questions and answers, one JSON object a line.

Every reader raises ``ValueError`` with the file, the line and what is wrong there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

from mllm.evaluation.pope import Picture, Question, Record

T = TypeVar("T")


def read_annotations(path: Path) -> list[Picture]:
    """Official objects file, jsonl of ``{"image", "objects"}``."""
    return [_picture(row, where) for where, row in _rows(path)]


def read_questions(path: Path) -> list[Question]:
    """Official question file, jsonl of ``{"question_id", "image", "text", "label"}``."""
    return [_question(row, where) for where, row in _rows(path)]


def read_records(questions: Sequence[Question], path: Path) -> list[Record]:
    """Pair questions with an answer file: the official ``{"question", "answer"}`` (in the order of
    the questions) or VCD's and LLaVA's ``{"question_id", "text"}``.

    Raises ``ValueError`` where a line answers another question or the numbers differ; the peer
    pairs by position and never looks.
    """
    records = []
    for q, line in zip_longest(questions, _rows(path)):
        if q is None or line is None:
            more = "more" if q is None else "fewer"
            raise ValueError(f"{path} has {more} answers than the {len(questions)} questions.")
        where, row = line
        by_id = "question_id" in row
        if by_id and row["question_id"] != q.question_id:
            other = row["question_id"]
            raise ValueError(f"{where}: answers question {other}, not {q.question_id}.")
        asked = str(row.get("question", q.text))
        if asked.strip().lower() != q.text.strip().lower():
            raise ValueError(f"{where}: answers {asked!r}, but the question there is {q.text!r}.")
        key = "answer" if "answer" in row else "text"
        records.append(Record(q.label, _field(row, key, str, where)))
    return records


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """The official question file."""
    _write(path, (asdict(q) for q in questions))


def write_answers(path: Path, questions: Sequence[Question], answers: Sequence[str]) -> None:
    """The official answer file; ``ValueError`` unless there is one answer to each question."""
    if len(questions) != len(answers):
        raise ValueError(f"{len(answers)} answers do not fit {len(questions)} questions.")
    pairs = zip(questions, answers, strict=True)
    _write(path, ({"question": q.text, "answer": a} for q, a in pairs))


def _picture(row: dict[str, Any], where: str) -> Picture:
    objects = _field(row, "objects", list, where)
    return Picture(str(_field(row, "image", str, where)), tuple(str(o) for o in objects))


def _question(row: dict[str, Any], where: str) -> Question:
    label = _field(row, "label", str, where)
    if label not in ("yes", "no"):
        raise ValueError(f'{where}: the label must be "yes" or "no", not {label!r}.')
    return Question(
        _field(row, "question_id", int, where),
        _field(row, "image", str, where),
        _field(row, "text", str, where),
        "yes" if label == "yes" else "no",
    )


def _field(row: dict[str, Any], name: str, kind: type[T], where: str) -> T:
    value = row.get(name)
    if not isinstance(value, kind):
        raise ValueError(f'{where}: needs a field "{name}" of type {kind.__name__}.')
    return value


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place, for errors, and its object."""
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give the path of a jsonl file.")
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{where}: not JSON ({error.msg}); put one object a line.") from None
        if not isinstance(row, dict):
            raise ValueError(f"{where}: not a JSON object; put one object a line.")
        yield where, row


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
