"""AMBER's scores of free descriptions: CHAIR, Cover, Hal and Cog.

Wang et al., arXiv 2311.07397, on metrics. With R the objects that a response names, A those
annotated as there and H those annotated as likely to be imagined: CHAIR = 1 - |R and A| / |R|,
Cover = |R and A| / |A|, Hal = 1 where CHAIR is not 0, Cog = |R and H| / |R|; each is a mean over
responses, in 0..1.

The published script (``variant="peer"``) sums mentions and targets over all responses instead,
and divides Cog by the number of objects annotated as likely to be imagined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor

from mllm.evaluation.amber import Annotations, Described, Interval, Variant, annotation, tenth
from mllm.evaluation.intervals import wilson
from mllm.evaluation.vocabulary import Vocabulary


@dataclass(frozen=True)
class Words:
    """Which words name objects, and which stand for which.

    ``related`` lists the words that stand in for an annotated one (in that direction only),
    ``similar`` says whether two words mean about the same (the published script asks spacy's
    vectors for more than 0.8), ``safe`` words are never held against a response.
    """

    vocabulary: Vocabulary
    related: Mapping[str, Sequence[str]] = field(default_factory=dict)
    safe: frozenset[str] = frozenset()
    similar: Callable[[str, str], bool] | None = None

    @classmethod
    def official(
        cls,
        related: Mapping[str, Sequence[str]],
        safe: frozenset[str] = frozenset(),
        similar: Callable[[str, str], bool] | None = None,
    ) -> Words:
        """The words of ``relation.json``, each an object of its own."""
        words = {w.lower() for key, others in related.items() for w in (key, *others)}
        return cls(Vocabulary([w] for w in sorted(words)), related, safe, similar)

    @cached_property
    def passed_over(self) -> frozenset[str]:
        return frozenset(self.object(w) for w in self.safe)

    def object(self, word: str) -> str:
        return self.vocabulary.category(word) or word

    def stand_ins(self, word: str) -> list[str]:
        return [self.object(w) for w in self.related.get(word, ())]

    def alike(self, noun: str, word: str) -> bool:
        return noun == word or (self.similar is not None and self.similar(noun, word))

    def fits(self, noun: str, target: str) -> bool:
        """Whether ``noun`` names the annotated object ``target``."""
        return any(self.alike(noun, w) for w in (self.object(target), *self.stand_ins(target)))


@dataclass(frozen=True)
class Response:
    """One description's objects, each once. Objects named and annotated may be other words."""

    id: int
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    imagined: tuple[str, ...]
    """Of the wrong ones, those that people marked as likely to be imagined here."""
    covered: tuple[str, ...]
    missed: tuple[str, ...]
    """The annotated objects that are named, and that are not."""

    @property
    def chair(self) -> float | None:
        """None where no object is named."""
        named = len(self.right) + len(self.wrong)
        return len(self.wrong) / named if named else None

    @property
    def cog(self) -> float | None:
        """None where no object is named."""
        named = len(self.right) + len(self.wrong)
        return len(self.imagined) / named if named else None

    @property
    def cover(self) -> float:
        there = len(self.covered) + len(self.missed)
        return len(self.covered) / there if there else 1.0


@dataclass(frozen=True)
class DescriptionScore:
    """Of ``n`` responses ``silent`` name no object at all. The peer's figures, sums over all
    responses, come without intervals and without single responses."""

    chair: float
    cover: float
    hal: float
    cog: float
    n: int
    silent: int
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    responses: tuple[Response, ...] = ()


def describe_score(
    responses: Mapping[int, str],
    annotations: Annotations,
    words: Words,
    variant: Variant = "paper",
) -> DescriptionScore:
    """Score the responses to generative items; answers to questions are passed over.

    The figures are means over responses of the paper's ratios over distinct objects. An object
    that is named only to deny it is not named, and safe words that name no true object are passed
    over. A response without objects has no CHAIR and no Cog and is left out of those two means,
    while its Cover is 0.

    ``variant="peer"`` counts repeated mentions and denied objects, lets a mention cover only the
    first object that it fits, and counts safe words as right. It tags nouns with nltk; here they
    are what ``words.vocabulary`` finds. Raises ``ValueError`` for an id without annotation and
    when no response is generative.
    """
    items = [(annotation(i, annotations), text) for i, text in responses.items()]
    described = [(item, text) for item, text in items if isinstance(item, Described)]
    if not described:
        raise ValueError("no response describes a picture; check the ids of the response file")
    if variant == "peer":
        return _printed_description(described, words)
    scored = tuple(_response(item, text, words) for item, text in described)
    values = {
        "chair": [r.chair for r in scored if r.chair is not None],
        "cover": [r.cover for r in scored],
        "hal": [float(bool(r.wrong)) for r in scored],
        "cog": [r.cog for r in scored if r.cog is not None],
    }
    return DescriptionScore(
        **{name: sum(v) / len(v) if v else 0.0 for name, v in values.items()},
        n=len(scored),
        silent=sum(r.chair is None for r in scored),
        intervals={name: _mean_interval(v) for name, v in values.items()},
        responses=scored,
    )


def _response(item: Described, text: str, words: Words) -> Response:
    truth, hallu = dict.fromkeys(item.truth), dict.fromkeys(item.hallu)
    said = dict.fromkeys(m.category for m in words.vocabulary.mentions(text) if not m.denied)
    right = tuple(n for n in said if any(words.fits(n, t) for t in truth))
    wrong = tuple(n for n in said if n not in right and n not in words.passed_over)
    covered = tuple(t for t in truth if any(words.fits(n, t) for n in right))
    return Response(
        id=item.id,
        right=right,
        wrong=wrong,
        imagined=tuple(n for n in wrong if any(words.fits(n, h) for h in hallu)),
        covered=covered,
        missed=tuple(t for t in truth if t not in covered),
    )


def _mean_interval(values: Sequence[float]) -> Interval:
    """Ratios in 0..1 scatter no more than yes/no trials of the same mean, so that Wilson's
    interval of the whole numbers around their sum is wide enough."""
    total = round(sum(values), 9)
    return wilson(floor(total), len(values))[0], wilson(ceil(total), len(values))[1]


def _printed_description(
    described: Sequence[tuple[Described, str]], words: Words
) -> DescriptionScore:
    """As ``inference.py`` sums up, with 0.001 added to divisors."""
    nouns = wrong = covered = truths = imagined = targets = clean = silent = 0
    for item, text in described:
        said = [m.category for m in words.vocabulary.mentions(text)]
        hit_truth: set[int | None] = set()
        hit_hallu: set[int | None] = set()
        bad = 0
        for noun in (n for n in said if n not in words.passed_over):
            same = _first(noun, item.truth, words, str.__eq__)
            near = _first(noun, item.truth, words, words.alike) if same is None else same
            hit_truth.add(near)
            bad += near is None
            if same is None:
                hit_hallu.add(_first(noun, item.hallu, words, str.__eq__))
                hit_hallu.add(_first(noun, item.hallu, words, words.alike))
        nouns, wrong, clean = nouns + len(said), wrong + bad, clean + (bad == 0)
        covered, truths = covered + len(hit_truth - {None}), truths + len(item.truth)
        imagined, targets = imagined + len(hit_hallu - {None}), targets + len(item.hallu)
        silent += not said
    return DescriptionScore(
        chair=tenth(wrong / (nouns + 0.001)),
        cover=tenth(covered / (truths + 0.001)),
        hal=tenth(1 - clean / (len(described) + 0.001)),
        cog=tenth(imagined / (targets + 0.001)),
        n=len(described),
        silent=silent,
    )


def _first(
    noun: str, targets: Sequence[str], words: Words, same: Callable[[str, str], bool]
) -> int | None:
    """The first target that ``noun`` stands for: all stand-ins are tried before the targets."""
    places = [(n, w) for n, target in enumerate(targets) for w in words.stand_ins(target)]
    places += [(n, words.object(target)) for n, target in enumerate(targets)]
    return next((n for n, word in places if same(noun, word)), None)
