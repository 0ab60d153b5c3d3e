"""AMBER: hallucination in free descriptions and in yes/no answers, scored without a judge model.

Wang et al., arXiv 2311.07397, section 3.3. Descriptions: CHAIR, Cover, Hal, Cog. Yes/no questions:
accuracy, and precision, recall and F1 with "no" as the positive class. AMBER = (100 - CHAIR + F1)/2.
All figures lie between 0 and 100. Every published existence question has the answer "no", so that
a constant "no" is right on all of them: read each row beside ``baselines``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mllm.evaluation.answers import matches
from mllm.evaluation.vocabulary import Vocabulary

Variant = Literal["paper", "peer"]
Similar = Callable[[str, str], bool]
Related = Mapping[str, Sequence[str]]
"""``relation.json``: the words that stand in for each object word, in one direction only."""

GENERATIVE = "generative"
PARTS: Mapping[str, tuple[str, ...]] = {
    "existence": ("discriminative-hallucination",),
    "attribute": tuple(f"discriminative-attribute-{k}" for k in ("state", "number", "action")),
    "state": ("discriminative-attribute-state",),
    "number": ("discriminative-attribute-number",),
    "action": ("discriminative-attribute-action",),
    "relation": ("discriminative-relation", "relation"),
}
"""The rows of the table and the annotation types that each takes in."""
_TYPES = frozenset({GENERATIVE, *(kind for kinds in PARTS.values() for kind in kinds)})


@dataclass(frozen=True)
class Described:
    """A picture to describe: what it shows, and what models tend to imagine in it."""

    id: int
    truth: tuple[str, ...]
    hallu: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A yes/no question. ``kind`` is an annotation type out of ``PARTS``."""

    id: int
    kind: str
    truth: Literal["yes", "no"]


Annotations = Mapping[int, Described | Asked]


@dataclass(frozen=True)
class Query:
    """One line of a query file; ``image`` is a file name."""

    id: int
    image: str
    query: str


@dataclass(frozen=True)
class DescriptionScore:
    """Per cent. ``silent`` of the ``n`` responses name no object at all."""

    chair: float
    cover: float
    hal: float
    cog: float
    n: int
    silent: int


@dataclass(frozen=True)
class YesNoScore:
    """Per cent; "no" is the positive class. 0 where nothing is divided."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    n: int


def describe_score(
    responses: Mapping[int, str],
    annotations: Annotations,
    vocabulary: Vocabulary,
    related: Related | None = None,
    safe: Iterable[str] = (),
    similar: Similar | None = None,
    variant: Variant = "paper",
) -> DescriptionScore:
    """Score the responses to generative items; answers to questions are passed over.

    Objects are what ``vocabulary`` finds (``Vocabulary.ours()``, or ``words_of(related)`` for the
    published data). One stands for an annotated object when they are the same word, when
    ``related`` lists it there, or when ``similar`` says so. Words in ``safe`` that match no true
    object are passed over. All four figures are means over responses of the paper's ratios over
    distinct objects; a response without objects has no CHAIR and no Cog and is left out of those
    two means, while its Cover is 0.

    ``variant="peer"`` is ``inference.py``: mentions and targets summed over all responses,
    repeated mentions and denied objects counted, Cog divided by the annotated targets, a mention
    covering only the first object it fits, 0.001 added to divisors, one decimal. It takes nouns
    by nltk and ``similar`` by spacy's vectors (> 0.8); here they come from the arguments.
    Raises ``ValueError`` for an unknown id or when no response is generative.
    """
    items = [(_item(i, annotations), text) for i, text in responses.items()]
    described = [(item, text) for item, text in items if isinstance(item, Described)]
    if not described:
        raise ValueError("no response belongs to a generative item; check the ids")
    matcher = _Matcher(vocabulary, related or {}, frozenset(safe), similar)
    if variant == "peer":
        return _peer_describe(described, matcher)
    rows = [matcher.ratios(item, text) for item, text in described]
    spoken = [row for row in rows if row[0] is not None]
    return DescriptionScore(
        chair=_mean([row[0] or 0.0 for row in spoken]),
        cover=_mean([row[1] for row in rows]),
        hal=_mean([float(bool(row[0])) for row in rows]),
        cog=_mean([row[2] for row in spoken]),
        n=len(rows),
        silent=len(rows) - len(spoken),
    )


def ask_score(
    responses: Mapping[int, str], annotations: Annotations, variant: Variant = "paper"
) -> dict[str, YesNoScore]:
    """Score the responses to yes/no items: ``all`` and each of ``PARTS`` that has a response.

    An answer is read by ``answers.matches``; one that says neither or both is wrong and counts as
    neither. ``variant="peer"`` takes only the exact words ``Yes`` and ``No``, adds 0.001 to
    divisors and rounds to one decimal before and after F1. Raises ``ValueError``.
    """
    asked = [(_item(i, annotations), text) for i, text in responses.items()]
    read = _exact if variant == "peer" else _polarity
    pairs = [(a.kind, a.truth, read(text)) for a, text in asked if isinstance(a, Asked)]
    scores = {}
    for part, kinds in {"all": tuple(_TYPES), **PARTS}.items():
        rows = [(truth, said) for kind, truth, said in pairs if kind in kinds]
        if rows:
            scores[part] = _yes_no(rows, variant, part)
    return scores


def amber(chair: float, f1: float) -> float:
    """The joint score of section 3.3: half of (100 - CHAIR) plus the F1 of all questions."""
    return (100 - chair + f1) / 2


def baselines(annotations: Annotations) -> dict[str, dict[str, YesNoScore]]:
    """What answering every question ``Yes``, or every one ``No``, scores."""
    asked = [i for i, item in annotations.items() if isinstance(item, Asked)]
    return {
        f"always_{word.lower()}": ask_score(dict.fromkeys(asked, word), annotations)
        for word in ("Yes", "No")
    }


def words_of(related: Related) -> Vocabulary:
    """A vocabulary in which each word of ``relation.json`` is a category of its own."""
    words = {w.lower() for key, others in related.items() for w in (key, *others)}
    return Vocabulary([w] for w in sorted(words))


def read_annotations(path: str | Path) -> dict[int, Described | Asked]:
    """``annotations.json``, by id. Raises ``ValueError`` for a row of the wrong form."""
    items: dict[int, Described | Asked] = {}
    for number, row in _rows(path, "id", "type", "truth"):
        if row["type"] not in _TYPES:
            raise ValueError(f"{path}, entry {number}: unknown type {row['type']!r}")
        if row["type"] != GENERATIVE:
            if row["truth"] not in ("yes", "no"):
                raise ValueError(f'{path}, entry {number}: "truth" must be yes or no')
            items[row["id"]] = Asked(row["id"], row["type"], row["truth"])
        elif isinstance(row["truth"], list) and isinstance(row.get("hallu"), list):
            items[row["id"]] = Described(row["id"], tuple(row["truth"]), tuple(row["hallu"]))
        else:
            raise ValueError(f'{path}, entry {number}: "truth" and "hallu" must be lists')
    return items


def read_queries(path: str | Path) -> list[Query]:
    """A query file: ``[{"id", "image", "query"}, ...]``. Raises ``ValueError``."""
    rows = _rows(path, "id", "image", "query")
    return [Query(row["id"], row["image"], row["query"]) for _, row in rows]


def read_responses(path: str | Path) -> dict[int, str]:
    """A response file: ``[{"id", "response"}, ...]``. Raises ``ValueError``, also for an id that
    is answered twice."""
    responses: dict[int, str] = {}
    for number, row in _rows(path, "id", "response"):
        if row["id"] in responses:
            raise ValueError(f"{path}, entry {number}: id {row['id']} is answered twice; keep one")
        responses[row["id"]] = str(row["response"])
    return responses


def write_responses(path: str | Path, responses: Mapping[int, str]) -> None:
    """Write responses as ``read_responses`` and ``inference.py`` read them."""
    rows = [{"id": i, "response": text} for i, text in responses.items()]
    Path(path).write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_related(path: str | Path) -> dict[str, list[str]]:
    """``relation.json``. Raises ``ValueError``."""
    data = _json(path)
    if not isinstance(data, dict) or not all(isinstance(v, list) for v in data.values()):
        raise ValueError(f"{path} must map each object word to a list of words")
    return data


@dataclass(frozen=True)
class _Matcher:
    vocabulary: Vocabulary
    related: Related
    safe: frozenset[str]
    similar: Similar | None

    def category(self, word: str) -> str:
        return self.vocabulary.category(word) or word

    def stand_ins(self, word: str) -> list[str]:
        return [self.category(w) for w in self.related.get(word, ())]

    def fits(self, noun: str, target: str) -> bool:
        words = [self.category(target), *self.stand_ins(target)]
        return noun in words or any(self.alike(noun, w) for w in words)

    def alike(self, noun: str, word: str) -> bool:
        return self.similar is not None and self.similar(noun, word)

    def ratios(self, item: Described, text: str) -> tuple[float | None, float, float]:
        """CHAIR (None without objects), Cover and Cog of one response, in per cent."""
        truth, hallu = dict.fromkeys(item.truth), dict.fromkeys(item.hallu)
        said = {m.category for m in self.vocabulary.mentions(text) if not m.denied}
        right = {n for n in said if any(self.fits(n, t) for t in truth)}
        wrong = {n for n in said - right if n not in self.safe}
        imagined = [n for n in wrong if any(self.fits(n, h) for h in hallu)]
        covered = sum(any(self.fits(n, t) for n in right) for t in truth)
        cover = 100 * covered / len(truth) if truth else 100.0
        named = len(right) + len(wrong)
        if not named:
            return None, cover, 0.0
        return 100 * len(wrong) / named, cover, 100 * len(imagined) / named


def _peer_describe(
    described: Sequence[tuple[Described, str]], matcher: _Matcher
) -> DescriptionScore:
    nouns = wrong = covered = truths = imagined = targets = clean = silent = 0
    for item, text in described:
        said = [m.category for m in matcher.vocabulary.mentions(text)]
        hit_truth: set[int] = set()
        hit_hallu: set[int] = set()
        bad = 0
        for noun in said:
            if noun in matcher.safe:
                continue
            same = _first(noun, item.truth, matcher, str.__eq__)
            if same is not None:
                hit_truth.add(same)
                continue
            near = _first(noun, item.truth, matcher, matcher.alike)
            for compare in (str.__eq__, matcher.alike):
                found = _first(noun, item.hallu, matcher, compare)
                hit_hallu |= set() if found is None else {found}
            hit_truth |= set() if near is None else {near}
            bad += near is None
        nouns, wrong, clean = nouns + len(said), wrong + bad, clean + (bad == 0)
        covered, truths = covered + len(hit_truth), truths + len(item.truth)
        imagined, targets = imagined + len(hit_hallu), targets + len(item.hallu)
        silent += not said
    return DescriptionScore(
        chair=_rounded(wrong, nouns),
        cover=_rounded(covered, truths),
        hal=round(100 - clean / (len(described) + 0.001) * 100, 1),
        cog=_rounded(imagined, targets),
        n=len(described),
        silent=silent,
    )


def _first(noun: str, targets: Sequence[str], matcher: _Matcher, compare: Similar) -> int | None:
    """The first target that ``noun`` stands for: all stand-ins are tried before the targets."""
    words = [(n, w) for n, target in enumerate(targets) for w in matcher.stand_ins(target)]
    words += [(n, matcher.category(target)) for n, target in enumerate(targets)]
    return next((n for n, word in words if compare(noun, word)), None)


def _yes_no(rows: Sequence[tuple[str, str | None]], variant: Variant, part: str) -> YesNoScore:
    right = sum(truth == said for truth, said in rows)
    hits = sum(truth == said == "no" for truth, said in rows)
    said_no = sum(said == "no" for _, said in rows)
    are_no = sum(truth == "no" for truth, _ in rows)
    if variant == "peer":
        # each of the attribute's three counters starts at 0.001, relation and existence have one
        start = 0.003 if part == "attribute" else 0.001
        precision = _rounded(hits, said_no, start)
        recall = _rounded(hits, are_no, start)
        p, r = precision / 100, recall / 100
        f1 = round(2 * p * r / (p + r + (0.001 if part == "existence" else 0.0001)) * 100, 1)
        return YesNoScore(_rounded(right, len(rows), start), precision, recall, f1, len(rows))
    precision = 100 * hits / said_no if said_no else 0.0
    recall = 100 * hits / are_no if are_no else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return YesNoScore(100 * right / len(rows), precision, recall, f1, len(rows))


def _polarity(text: str) -> str | None:
    return next((word for word in ("yes", "no") if matches(text, word, "existence")), None)


def _exact(text: str) -> str | None:
    return {"Yes": "yes", "No": "no"}.get(text)


def _rounded(part: int, whole: int, start: float = 0.001) -> float:
    return round(part / (whole + start) * 100, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _item(number: int, annotations: Annotations) -> Described | Asked:
    if number not in annotations:
        raise ValueError(f"no annotation has the id {number}; check the response file")
    return annotations[number]


def _rows(path: str | Path, *fields: str) -> list[tuple[int, dict[str, Any]]]:
    data = _json(path)
    if not isinstance(data, list):
        raise ValueError(f"{path} must be a list of objects with {', '.join(fields)}")
    for number, row in enumerate(data, 1):
        missing = [f for f in fields if not isinstance(row, dict) or f not in row]
        if missing:
            raise ValueError(f"{path}, entry {number}: no {missing[0]!r}; add it")
        if not isinstance(row["id"], int):
            raise ValueError(f'{path}, entry {number}: "id" must be a whole number')
    return list(enumerate(data, 1))


def _json(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; check the path") from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}); correct it there") from None
