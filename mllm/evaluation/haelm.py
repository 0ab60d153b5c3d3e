"""HaELM: a text-only judge says whether a caption hallucinates (arXiv 2308.15126).

The judge reads the caption and reference captions, never the picture, and answers yes (accurate)
or no (hallucinated). Any function from prompt to reply is a judge. The peer's is a fine-tuned
LLaMA that is given the first line of the caption only and one token to reply, and whose script
prints replies without adding them up, so there is no number of it to reproduce.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mllm.evaluation.intervals import wilson
from prompts import language, render

Judge = Callable[[str], str]
"""From a prompt to a reply."""

_INSTRUCTION = re.compile(
    r"reference captions:\n(?P<references>.*?)\nour caption:\n(?P<caption>.*?)"
    r"\s*Is our caption accurate\?\s*",
    re.DOTALL,
)
_ENGLISH = re.compile(r"\W*(yes|no)\b(?!\s*(?:/|or\b|and\b)\s*(?:yes|no)\b)", re.IGNORECASE)
_CHINESE = re.compile(r"\W*(是的|是|不是|否)(?!否|不是|\s*[/、或和]\s*[是否])")


@dataclass(frozen=True)
class Captioned:
    """A caption to judge. ``hallucinated`` is a person's label, where there is one."""

    caption: str
    references: tuple[str, ...]
    hallucinated: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """What the judge said of one caption; ``None`` when its reply is neither yes nor no."""

    hallucinated: bool | None
    reply: str


@dataclass(frozen=True)
class Rate:
    """Share of hallucinated captions (0..1) among the ``n`` clear verdicts, with Wilson's 95 %
    interval; ``unclear`` verdicts are counted apart. ``share`` is ``None`` when n is 0."""

    hallucinated: int
    n: int
    unclear: int
    share: float | None
    interval: tuple[float, float]


@dataclass(frozen=True)
class Agreement:
    """Agreement with people over the ``n`` labelled captions; an unclear verdict is a mistake.

    ``accuracy`` has Wilson's 95 % interval. ``kappa`` is Cohen's, and ``None`` when people and
    judge both say one and the same thing always. ``always_accurate`` and ``always_hallucinated``
    are the accuracies of judges that do not read.
    """

    n: int
    unclear: int
    accuracy: float
    interval: tuple[float, float]
    kappa: float | None
    always_accurate: float
    always_hallucinated: float


def prompt(item: Captioned, lang: str | None = None) -> str:
    """The judge's prompt, in ``lang`` (en, zh) or else in the caption's language. Raises
    ``ValueError`` without a reference."""
    if not item.references:
        raise ValueError(f"the caption {item.caption[:60]!r} has no reference to be judged by")
    return render(
        "haelm",
        lang or language(item.caption),
        caption=item.caption.strip(),
        references=item.references,
    )


def parse(reply: str) -> bool | None:
    """Whether ``reply`` says that the caption hallucinates: its first word is no or 否, against
    yes or 是. ``None`` for anything else, such as both at once."""
    found = _ENGLISH.match(reply) or _CHINESE.match(reply)
    return None if found is None else found[1].lower() in ("no", "不是", "否")


def judge_captions(
    items: Iterable[Captioned], judge: Judge, lang: str | None = None
) -> list[Verdict]:
    """A verdict a caption, in order."""
    replies = [judge(prompt(item, lang)) for item in items]
    return [Verdict(parse(reply), reply) for reply in replies]


def rate(verdicts: Iterable[Verdict]) -> Rate:
    """The hallucination rate, the number the paper compares models by."""
    said = [v.hallucinated for v in verdicts]
    bad, n = said.count(True), len(said) - said.count(None)
    return Rate(bad, n, said.count(None), bad / n if n else None, wilson(bad, n))


def agreement(items: Sequence[Captioned], verdicts: Sequence[Verdict]) -> Agreement:
    """How often the judge says what people said. Captions without a label are passed over; raises
    ``ValueError`` when none has one, or when there is not one verdict a caption."""
    if len(items) != len(verdicts):
        raise ValueError(f"{len(items)} captions have {len(verdicts)} verdicts")
    pairs = [
        (item.hallucinated, verdict.hallucinated)
        for item, verdict in zip(items, verdicts, strict=True)
        if item.hallucinated is not None
    ]
    if not pairs:
        raise ValueError("no caption has a human label to agree with")
    n = len(pairs)
    right = sum(gold == said for gold, said in pairs)
    gold_bad = sum(gold is True for gold, _ in pairs) / n
    said_bad = sum(said is True for _, said in pairs) / n
    said_good = sum(said is False for _, said in pairs) / n
    chance = gold_bad * said_bad + (1 - gold_bad) * said_good
    return Agreement(
        n=n,
        unclear=sum(said is None for _, said in pairs),
        accuracy=right / n,
        interval=wilson(right, n),
        kappa=(right / n - chance) / (1 - chance) if chance < 1 else None,
        always_accurate=1 - gold_bad,
        always_hallucinated=gold_bad,
    )


def read_labelled(path: Path) -> list[Captioned]:
    """The published human labels, ``eval_data.jsonl``: ``instruction`` holds the references and
    the caption, ``output`` is yes (accurate) or no. Several references stand on one line without
    a mark between them, so they are one reference here. Raises ``ValueError`` naming the line."""
    items = []
    for number, row in _rows(path):
        found = _INSTRUCTION.fullmatch(str(row.get("instruction")))
        label = str(row.get("output")).strip().lower()
        if found is None or label not in ("yes", "no"):
            raise ValueError(
                f"{path}, line {number}: expected an instruction with 'reference captions:' and "
                "'our caption:', and output yes or no; correct or remove the line"
            )
        items.append(Captioned(found["caption"], (found["references"],), label == "no"))
    return items


def read_captions(path: Path) -> list[Captioned]:
    """Captions to judge in the peer's format: JSON lines with ``output`` (a caption) and
    ``reference caption`` (a list). Raises ``ValueError`` naming the line that does not fit."""
    items = []
    for number, row in _rows(path):
        caption, references = row.get("output"), row.get("reference caption")
        if not isinstance(caption, str) or not isinstance(references, list) or not references:
            raise ValueError(
                f"{path}, line {number}: expected 'output' (a text) and 'reference caption' (a "
                "list of texts); correct or remove the line"
            )
        items.append(Captioned(caption, tuple(map(str, references))))
    return items


def _rows(path: Path) -> Iterable[tuple[int, dict[str, object]]]:
    if not path.is_file():
        raise ValueError(f"{path} is missing; give a JSON lines file of junyangwang0410/HaELM")
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: not JSON ({error}); correct or remove the line"
                ) from error
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {number}: expected an object, not {row!r:.40}")
            yield number, row
