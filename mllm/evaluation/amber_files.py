"""The official files of AMBER: annotations, queries, responses and words.

Every reader raises ``ValueError`` with the file, the entry and what is wrong there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mllm.evaluation.amber import KINDS, Asked, Described

_GENERATIVE = "generative"


@dataclass(frozen=True)
class Query:
    """What a model is asked of a picture; ``image`` is a file name."""

    id: int
    image: str
    query: str


def read_annotations(path: Path) -> dict[int, Described | Asked]:
    """``annotations.json`` by id: ``[{"id", "type", "truth", "hallu"}, ...]``, where the truth
    is a list of objects for the type ``generative``, else yes or no."""
    return {row["id"]: _annotation(row, where) for where, row in _rows(path, "type", "truth")}


def read_queries(path: Path) -> list[Query]:
    """A query file: ``[{"id", "image", "query"}, ...]``."""
    rows = _rows(path, "image", "query")
    return [Query(row["id"], row["image"], row["query"]) for _, row in rows]


def read_responses(path: Path) -> dict[int, str]:
    """A response file by id: ``[{"id", "response"}, ...]``."""
    responses = {}
    for where, row in _rows(path, "response"):
        if not isinstance(row["response"], str):
            raise ValueError(f'{where}: "response" must be a text.')
        responses[row["id"]] = row["response"]
    return responses


def write_responses(path: Path, responses: Mapping[int, str]) -> None:
    """Write responses as ``read_responses`` and ``inference.py`` read them."""
    rows = [{"id": i, "response": text} for i, text in responses.items()]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_related(path: Path) -> dict[str, list[str]]:
    """``relation.json``: for each object word those that may stand in for it."""
    data = _json(path)
    if not isinstance(data, dict) or not all(_is_words(v) for v in data.values()):
        raise ValueError(f"{path} must map each object word to a list of words.")
    return data


def read_safe_words(path: Path) -> frozenset[str]:
    """``safe_words.txt``: one word a line."""
    return frozenset(line.strip() for line in _text(path).splitlines() if line.strip())


def _annotation(row: dict[str, Any], where: str) -> Described | Asked:
    kind, truth = row["type"], row["truth"]
    if kind == _GENERATIVE:
        hallu = row.get("hallu")
        if not (_is_words(truth) and _is_words(hallu)):
            raise ValueError(f'{where}: "truth" and "hallu" must be lists of words.')
        return Described(row["id"], tuple(truth), tuple(hallu or ()))
    if kind not in KINDS:
        raise ValueError(f"{where}: there is no type {kind!r}; use an official one.")
    if truth not in ("yes", "no"):
        raise ValueError(f'{where}: "truth" must be "yes" or "no", not {truth!r}.')
    return Asked(row["id"], kind, "yes" if truth == "yes" else "no")


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(w, str) for w in value)


def _rows(path: Path, *fields: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each entry's place, for errors, and its object with a whole number of its own as id."""
    data = _json(path)
    needed = ("id", *fields)
    if not isinstance(data, list):
        raise ValueError(f"{path} must be a list of objects with {', '.join(needed)}.")
    seen = set()
    for number, row in enumerate(data, 1):
        where = f"{path}, entry {number}"
        if not isinstance(row, dict):
            raise ValueError(f"{where}: must be an object with {', '.join(needed)}.")
        if missing := [name for name in needed if name not in row]:
            raise ValueError(f'{where}: needs a field "{missing[0]}".')
        if not isinstance(row["id"], int):
            raise ValueError(f'{where}: "id" must be a whole number, not {row["id"]!r}.')
        if row["id"] in seen:
            raise ValueError(f"{where}: the id {row['id']} is there twice; keep one of them.")
        seen.add(row["id"])
        yield where, row


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}); correct it there.") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"Cannot read {path}: {error.strerror}; check the path.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8; save it so.") from None
