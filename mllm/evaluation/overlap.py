"""How much a caption shares with references: CIDEr-D, BLEU-4, ROUGE-L over lists of tokens.

The figures are those of the COCO evaluation code, so that they compare with published ones. That
code is not used itself: a part of it forbids commercial use.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

Tokens = Sequence[str]
Grams = Counter[tuple[str, ...]]

ORDERS = (1, 2, 3, 4)
SIGMA = 6.0
"""Of CIDEr-D's penalty on a difference in length, in bigrams."""
BETA = 1.2
"""How much more recall counts than precision in ROUGE-L."""
_TINY, _SMALL = 1e-15, 1e-9  # of COCO's BLEU, which keep its logarithms finite


def cider_d(references: Sequence[Sequence[Tokens]], captions: Sequence[Tokens]) -> list[float]:
    """CIDEr-D of each caption, 0..10 (arXiv 1411.5726, section 5): the mean over n = 1..4 and over
    references of the cosine of clipped tf-idf n-grams. Document frequencies count images."""
    frequency: Grams = Counter()
    for some in references:
        frequency.update({g for tokens in some for n in ORDERS for g in _grams(tokens, n)})
    log_images = math.log(len(references))

    def weighed(tokens: Tokens, n: int) -> dict[tuple[str, ...], float]:
        return {
            gram: count * (log_images - math.log(max(frequency[gram], 1)))
            for gram, count in _grams(tokens, n).items()
        }

    def similarity(said: Tokens, gold: Tokens) -> float:
        difference = max(len(said) - 1, 0) - max(len(gold) - 1, 0)
        penalty = math.exp(-(difference**2) / (2 * SIGMA**2))
        total = 0.0
        for n in ORDERS:
            mine, theirs = weighed(said, n), weighed(gold, n)
            length = math.hypot(*mine.values()) * math.hypot(*theirs.values())
            shared = sum(min(v, theirs.get(g, 0.0)) * theirs.get(g, 0.0) for g, v in mine.items())
            total += shared / length if length else 0.0
        return penalty * total / len(ORDERS)

    return [
        10 * sum(similarity(said, gold) for gold in some) / len(some)
        for some, said in zip(references, captions, strict=True)
    ]


def bleu_4(references: Sequence[Sequence[Tokens]], captions: Sequence[Tokens]) -> float:
    """BLEU-4 of the corpus, 0..1 (Papineni et al., ACL 2002): the geometric mean of clipped n-gram
    precisions, times the brevity penalty against the references closest in length."""
    right, said, gold = Counter[int](), Counter[int](), 0
    for some, caption in zip(references, captions, strict=True):
        gold += min((abs(len(r) - len(caption)), len(r)) for r in some)[1]
        for n in ORDERS:
            most: Grams = Counter()
            for reference in some:
                most |= _grams(reference, n)
            mine = _grams(caption, n)
            right[n] += (mine & most).total()
            said[n] += mine.total()
    product = math.prod((right[n] + _TINY) / (said[n] + _SMALL) for n in ORDERS)
    ratio = (said[1] + _TINY) / (gold + _SMALL)
    brevity = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    return float(brevity * product ** (1 / len(ORDERS)))


def rouge_l(references: Sequence[Tokens], caption: Tokens) -> float:
    """ROUGE-L of a caption, 0..1 (Lin, 2004): F of the longest common subsequence; precision and
    recall are each the best over the references, as COCO has it."""
    common = [_common(r, caption) for r in references]
    if not caption or not any(common):
        return 0.0
    precision = max(common) / len(caption)
    recall = max(c / len(r) for c, r in zip(common, references, strict=True) if r)
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def _grams(tokens: Tokens, n: int) -> Grams:
    return Counter(_runs(tokens, n))


def _runs(tokens: Tokens, n: int) -> Iterator[tuple[str, ...]]:
    return (tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def _common(a: Tokens, b: Tokens) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]
