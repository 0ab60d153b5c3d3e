"""MME, arXiv 2306.13394: fourteen yes/no tasks, two questions a picture, one yes and one no.

Accuracy is the share of right answers, accuracy+ the share of pictures with both right (section
2.2), each in 0..1; a task's score is their sum in percent, 0..200; perception sums ten tasks
(0..2000), cognition four (0..800). Guessing gives 50 + 25, always yes 50 + 0.

``variant="peer"`` computes as calculation.py does: it reads only an answer's first four letters
and takes every two lines for one picture, whichever pictures they name. Ours reads the answer with
``yes_no`` and pairs by picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from mllm.evaluation.intervals import wilson
from mllm.evaluation.yes_no import Parser, YesNo, parse_yes_no

Variant: TypeAlias = Literal["correct", "peer"]
PERCEPTION = (
    *("existence", "count", "position", "color", "posters"),
    *("celebrity", "scene", "landmark", "artwork", "OCR"),
)
COGNITION = (
    *("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"),
)
HALLUCINATION = ("existence", "count", "position", "color")
"""The tasks that ask for objects and their attributes, often reported as a hallucination score."""


@dataclass(frozen=True)
class Record:
    """A line of an official task file."""

    image: str
    question: str
    gold: YesNo
    answer: str


@dataclass(frozen=True)
class TaskScore:
    """Counts of one task."""

    questions: int
    right: int
    images: int
    both_right: int
    unclear: int

    @property
    def accuracy(self) -> float:
        return self.right / self.questions

    @property
    def accuracy_plus(self) -> float:
        return self.both_right / self.images

    @property
    def score(self) -> float:
        """0..200."""
        return 100 * (self.accuracy + self.accuracy_plus)

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % Wilson intervals of the two shares."""
        return {
            "accuracy": wilson(self.right, self.questions),
            "accuracy_plus": wilson(self.both_right, self.images),
        }


@dataclass(frozen=True)
class Scores:
    """All tasks that were given; a sum over tasks is None unless every one of them is there."""

    tasks: Mapping[str, TaskScore]

    @property
    def perception(self) -> float | None:
        """0..2000."""
        return self.total(PERCEPTION)

    @property
    def cognition(self) -> float | None:
        """0..800."""
        return self.total(COGNITION)

    @property
    def hallucination(self) -> float | None:
        """0..800, over existence, count, position and color."""
        return self.total(HALLUCINATION)

    def total(self, names: Sequence[str]) -> float | None:
        """The sum of these tasks' scores."""
        if any(name not in self.tasks for name in names):
            return None
        return sum(self.tasks[name].score for name in names)


@dataclass(frozen=True)
class Report:
    """A model's scores beside what one word, always repeated, would get on the same questions."""

    model: Scores
    always_yes: Scores
    always_no: Scores


def score(
    tasks: Mapping[str, Sequence[Record]],
    variant: Variant = "correct",
    parser: Parser | None = None,
) -> Report:
    """Score the answers of each task. ``parser`` overrides the reading of ``variant``.

    Raises ``ValueError`` when a task is empty or a picture has not exactly two questions.
    """
    reading = parser or ("mme" if variant == "peer" else "strict")
    by_position = variant == "peer"

    def scores(said: str | None) -> Scores:
        return Scores(
            {
                name: score_task(name, _answering(said, records), reading, by_position)
                for name, records in tasks.items()
            }
        )

    if not tasks:
        raise ValueError("There is no task to score; give at least one.")
    return Report(model=scores(None), always_yes=scores("yes"), always_no=scores("no"))


def score_task(
    name: str, records: Sequence[Record], parser: Parser = "strict", by_position: bool = False
) -> TaskScore:
    """One task. ``by_position`` pairs every two lines, as the peer does, instead of pictures."""
    images: dict[object, list[bool]] = {}
    unclear = 0
    for i, record in enumerate(records):
        said = parse_yes_no(record.answer, parser, record.gold)
        unclear += said is None
        images.setdefault(i // 2 if by_position else record.image, []).append(said == record.gold)
    if not records:
        raise ValueError(f"The task {name} has no questions; leave it out or fill its file.")
    for image, right in images.items():
        if len(right) != 2:
            raise ValueError(
                f"Task {name}: picture {image} has {len(right)} questions where accuracy+ needs "
                "two; complete the pair."
            )
    return TaskScore(
        questions=len(records),
        right=sum(sum(right) for right in images.values()),
        images=len(images),
        both_right=sum(all(right) for right in images.values()),
        unclear=unclear,
    )


def read_folder(folder: Path) -> dict[str, list[Record]]:
    """The official tasks that a results folder holds, one ``TASK.txt`` each, in official order.

    Other files are left alone. Raises ``ValueError`` when the folder is missing or has none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give the one that holds MME's task files.")
    files = {name: folder / f"{name}.txt" for name in (*PERCEPTION, *COGNITION)}
    found = {name: read_task(file) for name, file in files.items() if file.is_file()}
    if not found:
        raise ValueError(f"{folder} holds no MME task file such as existence.txt; check the path.")
    return found


def read_task(path: Path) -> list[Record]:
    """Lines of ``image TAB question TAB gold TAB answer``; the gold answer in any case."""
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give a task file of an MME results folder.")
    lines = path.read_text(encoding="utf-8").split("\n")
    return [_record(line, f"{path}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def write_folder(folder: Path, tasks: Mapping[str, Iterable[Record]]) -> None:
    """The official results folder. A tab or line break in an answer becomes a space, since the
    format has one line a question."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in tasks.items():
        lines = (
            "\t".join((r.image, r.question, r.gold.capitalize(), " ".join(r.answer.split())))
            for r in records
        )
        text = "".join(f"{line}\n" for line in lines)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def _answering(said: str | None, records: Sequence[Record]) -> Sequence[Record]:
    """The records with every answer replaced, or as they are for None."""
    return records if said is None else [replace(r, answer=said) for r in records]


def _record(line: str, where: str) -> Record:
    fields = line.rstrip("\r").split("\t")
    if len(fields) != 4:
        raise ValueError(
            f"{where}: has {len(fields)} fields where image, question, gold and answer are needed, "
            "separated by tabs."
        )
    image, question, gold, answer = fields
    if gold.lower() not in ("yes", "no"):
        raise ValueError(f"{where}: the gold answer must be Yes or No, not {gold!r}.")
    return Record(image, question, "yes" if gold.lower() == "yes" else "no", answer)
