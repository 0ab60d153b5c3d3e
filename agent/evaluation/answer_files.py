"""`corvid eval pope|chair|mme|amber`: answers that any model gave, scored from official files.

``--data`` is the file with the answers; what they are measured against lies in the same folder:

- ``pope``: answers and questions as jsonl, found by what is in them. Where there are several, the
  words random, popular and adversarial in their names pair them. A folder: all its answer files.
- ``chair``: captions beside ``objects.json`` (``{image_id: [objects]}``), the published
  ``synonyms.txt`` (without it, the words of the scenes world), and, where wanted, people's
  captions in ``references.json``
- ``mme``: a folder of ``TASK.txt``, or one of them
- ``amber``: responses beside the published ``annotations.json``, ``relation.json`` and
  ``safe_words.txt``; the last two matter to descriptions alone

Rows: ``answers``, and for yes/no questions ``always_yes`` and ``always_no`` on the same questions.
A metric ``NAME.PART`` is that of one setting, task or kind. Shares lie in 0..1; a score of MME is
0..200, its sums 0..2000 and 0..800.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from agent.errors import InputError
from mllm.evaluation import amber, amber_files, chair, mme, pope, pope_files
from mllm.evaluation.amber_descriptions import DescriptionScore, Words, describe_score
from mllm.evaluation.intervals import wilson
from mllm.evaluation.vocabulary import Vocabulary

Metric = dict[str, float | int | None]
Metrics = dict[str, Metric]
SETTINGS = ("random", "popular", "adversarial")
"""Of POPE, as they stand in the names of its files."""


def evaluate(suite: str, data: Path) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`; ``model`` is the name of ``data``,
    and without ``seed``: nothing is drawn.

    Raises ``InputError`` for files that are missing or not as they should be.
    """
    measure = {"pope": _pope, "chair": _chair, "mme": _mme, "amber": _amber}[suite]
    if not data.exists():
        raise InputError(f"{data} does not exist; give the answers to score with --data")
    if data.is_dir() and measure in (_chair, _amber):
        raise InputError(f"{data} is a folder; give the file with the answers in it")
    try:
        rows = measure(data)
    except UnicodeDecodeError as error:
        raise InputError(f"{data} or a file with it is not text in UTF-8; save it so") from error
    except ValueError as error:
        raise InputError(str(error)) from error
    name = data.resolve().name if data.is_dir() else data.stem
    return {"suite": suite, "model": name, "seed": None, "rows": rows}


def _pope(data: Path) -> dict[str, Metrics]:
    folder = data if data.is_dir() else data.parent
    files = {f: _first_row(f) for f in sorted(folder.iterdir()) if f.suffix in (".json", ".jsonl")}
    questions = [f for f, row in files.items() if "label" in row]
    answers = [
        f for f, row in files.items() if "label" not in row and {"answer", "text"} & set(row)
    ]
    records: dict[str, list[pope.Record]] = {}
    for path in answers if data.is_dir() else [data]:
        if path in questions:
            raise ValueError(f"{path} holds questions; give the file with the answers to them")
        setting = _setting(path)
        if setting in records:
            raise ValueError(f"{folder} has two files of {setting} answers; give one of them")
        asked = pope_files.read_questions(_asked(questions, path))
        records[setting] = pope_files.read_records(asked, path)
    if not records:
        raise ValueError(
            f'{folder} has no jsonl file with an "answer" a line; put the answers there'
        )
    parts = {"": [r for some in records.values() for r in some]}
    parts |= {setting: records[setting] for setting in SETTINGS if setting in records}
    reports = {part: pope.score(some) for part, some in parts.items()}
    return {
        "answers": _pope_row({part: r.model for part, r in reports.items()}),
        "always_yes": _pope_row({part: r.always_yes for part, r in reports.items()}),
        "always_no": _pope_row({part: r.always_no for part, r in reports.items()}),
    }


def _first_row(path: Path) -> dict[str, Any]:
    """The first line of a jsonl file; nothing where it is none."""
    with path.open(encoding="utf-8") as lines:
        try:
            row = json.loads(lines.readline())
        except json.JSONDecodeError:
            return {}
    return row if isinstance(row, dict) else {}


def _setting(path: Path) -> str:
    return next((word for word in SETTINGS if word in path.name.lower()), "")


def _asked(questions: Sequence[Path], answers: Path) -> Path:
    """The one file with the questions that were answered."""
    setting = _setting(answers)
    fit = [q for q in questions if not setting or _setting(q) in (setting, "")]
    if len(fit) == 1:
        return fit[0]
    raise ValueError(
        f"{answers} has {len(fit) or 'no'} question files beside it that fit; put one there, with "
        "the same word random, popular or adversarial in both names"
    )


def _pope_row(scores: Mapping[str, pope.Score]) -> Metrics:
    row = _row({part: _pope_metrics(score) for part, score in scores.items()})
    return row | {"unclear": _share(scores[""].unclear, scores[""].n)}


def _pope_metrics(score: pope.Score) -> Metrics:
    ends = score.intervals
    return {
        "accuracy": _metric(score.accuracy, score.n, ends["accuracy"]),
        "precision": _metric(score.precision, score.tp + score.fp, ends["precision"]),
        "recall": _metric(score.recall, score.positives, ends["recall"]),
        "f1": _metric(score.f1, score.n),
        "yes_ratio": _metric(score.yes_ratio, score.n, ends["yes_ratio"]),
    }


def _chair(data: Path) -> dict[str, Metrics]:
    captions = chair.read_captions(data)
    truth: chair.Truth = chair.read_truth(data.with_name("objects.json"))
    synonyms, references = data.with_name("synonyms.txt"), data.with_name("references.json")
    words = Vocabulary.read(synonyms) if synonyms.exists() else Vocabulary.ours()
    try:
        if references.exists():
            truth = chair.with_references(truth, chair.read_captions(references), words)
        score = chair.chair(captions, truth, words)
    except ValueError as error:
        if synonyms.exists():
            raise
        raise ValueError(f"{error} (COCO's words need its {synonyms})") from error
    named = sum(len(set(c.mentioned) - set(c.hallucinated)) for c in score.captions)
    missed = sum(len(c.missed) for c in score.captions)
    return {
        "answers": {
            "chair_i": _metric(score.chair_i, score.mentions),
            "chair_s": _metric(score.chair_s, len(score.captions), score.chair_s_interval),
            "cover": _metric(score.cover, named + missed),
        }
    }


def _mme(data: Path) -> dict[str, Metrics]:
    tasks = mme.read_folder(data) if data.is_dir() else {data.stem: mme.read_task(data)}
    report = mme.score(tasks)
    return {
        "answers": _mme_row(report.model),
        "always_yes": _mme_row(report.always_yes),
        "always_no": _mme_row(report.always_no),
    }


def _mme_row(scores: mme.Scores) -> Metrics:
    counts = zip(*(astuple(task) for task in scores.tasks.values()), strict=True)
    whole = mme.TaskScore(*(sum(column) for column in counts))
    row = _row({"": _mme_shares(whole), **{n: _mme_shares(t) for n, t in scores.tasks.items()}})
    row["unclear"] = _share(whole.unclear, whole.questions)
    for name, task in scores.tasks.items():
        row[f"score.{name}"] = _metric(task.score, task.questions)
    for name, names in _MME_SUMS.items():
        total = scores.total(names)
        if total is not None:
            row[name] = _metric(total, sum(scores.tasks[task].questions for task in names))
    return row


_MME_SUMS = {
    "perception": mme.PERCEPTION,
    "cognition": mme.COGNITION,
    "hallucination": mme.HALLUCINATION,
}


def _mme_shares(task: mme.TaskScore) -> Metrics:
    ends = task.intervals
    return {
        "accuracy": _metric(task.accuracy, task.questions, ends["accuracy"]),
        "accuracy_plus": _metric(task.accuracy_plus, task.images, ends["accuracy_plus"]),
    }


def _amber(data: Path) -> dict[str, Metrics]:
    annotations = amber_files.read_annotations(data.with_name("annotations.json"))
    responses = amber_files.read_responses(data)
    kinds = {type(amber.annotation(number, annotations)) for number in responses}
    if not kinds:
        raise ValueError(f"{data} holds no response; add some")
    rows: dict[str, Metrics] = {"answers": {}}
    f1 = None
    if amber.Asked in kinds:
        report = amber.ask_score(responses, annotations)
        f1 = report.model["all"].f1
        rows = {
            "answers": _amber_row(report.model),
            "always_yes": _amber_row(report.always_yes),
            "always_no": _amber_row(report.always_no),
        }
    if amber.Described in kinds:
        described = describe_score(responses, annotations, _amber_words(data))
        rows["answers"] |= _amber_metrics(described)
        if f1 is not None:
            joint = amber.amber(described.chair, f1)
            rows["answers"]["amber"] = _metric(joint, len(responses))
    return rows


def _amber_words(data: Path) -> Words:
    safe = data.with_name("safe_words.txt")
    related = amber_files.read_related(data.with_name("relation.json"))
    return Words.official(
        related, amber_files.read_safe_words(safe) if safe.exists() else frozenset()
    )


def _amber_row(scores: amber.YesNoScores) -> Metrics:
    parts = {}
    for part, score in scores.items():
        ends = score.intervals
        parts["" if part == "all" else part] = {
            "accuracy": _metric(score.accuracy, score.n, ends["accuracy"]),
            "precision": _metric(score.precision, score.said_no, ends["precision"]),
            "recall": _metric(score.recall, score.are_no, ends["recall"]),
            "f1": _metric(score.f1, score.n),
        }
    whole = scores["all"]
    return _row(parts) | {"unclear": _share(whole.unclear, whole.n)}


def _amber_metrics(score: DescriptionScore) -> Metrics:
    ends, spoken = score.intervals, score.n - score.silent
    return {
        "chair": _metric(score.chair, spoken, ends["chair"]),
        "cover": _metric(score.cover, score.n, ends["cover"]),
        "hal": _metric(score.hal, score.n, ends["hal"]),
        "cog": _metric(score.cog, spoken, ends["cog"]),
        "silent": _share(score.silent, score.n),
    }


def _row(parts: Mapping[str, Metrics]) -> Metrics:
    """One row: each metric of the whole (the part without a name), then that of its parts."""
    return {
        f"{name}.{part}" if part else name: metrics[name]
        for name in parts[""]
        for part, metrics in parts.items()
    }


def _share(successes: int, n: int) -> Metric:
    return _metric(successes / n, n, wilson(successes, n))


def _metric(value: float, n: int, interval: tuple[float, float] | None = None) -> Metric:
    low, high = interval or (None, None)
    return {"value": value, "low": low, "high": high, "n": n}
