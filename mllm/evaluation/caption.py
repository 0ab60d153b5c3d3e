"""CIDEr-D, BLEU-4 and ROUGE-L of captions, as the COCO evaluation code scores them.

CIDEr: arXiv 1411.5726; the published code, and so every published "CIDEr", is CIDEr-D
(``mllm.evaluation.overlap``). Its tokenizer needs Java; ``tokenize`` stands in for it.

``variant="peer"`` reproduces a slip of the peer's: it lower-cases before it drops ``-LRB-`` and
the like, so brackets stay as words ``-lrb-`` and count in every score.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from mllm.evaluation.overlap import bleu_4, cider_d, rouge_l

Variant = Literal["correct", "peer"]

_BRACKETS = dict(zip("()[]{}", ("-lrb-", "-rrb-", "-lsb-", "-rsb-", "-lcb-", "-rcb-"), strict=True))
_TOKEN = re.compile(
    r"[(){}\[\]]|"
    r"[\u3400-\u9fff]"  # Chinese: a character is a token
    r"|\d+(?:[.,:/]\d+)+"
    r"|(?:[^\W\d_]\.){2,}"  # u.s.
    r"|[^\W_]+(?:['’-][^\W_]+)*"
)
_CLITIC = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m))$")


@dataclass(frozen=True)
class CaptionScores:
    """Scores of ``n`` captions; higher is better. BLEU-4 and ROUGE-L lie in 0..1, CIDEr-D in
    0..10. BLEU-4 is of the corpus, the others are means of the ``per_image`` values, which stand
    in the order of the references. CIDEr-D of a single image is ``None``: with one document
    every n-gram's idf is log 1 = 0 (the peer's code says 0.0)."""

    n: int
    cider_d: float | None
    bleu_4: float
    rouge_l: float
    per_image: Mapping[str, tuple[float | None, float]]
    """Image to (CIDEr-D, ROUGE-L)."""


def tokenize(caption: str, variant: Variant = "correct") -> str:
    """Lower-case tokens with a space between, punctuation dropped.

    Like the Penn Treebank: ``dog's`` is ``dog 's`` and ``isn't`` is ``is n't``; words with a
    hyphen and numbers such as 3.5 or 10:30 stay whole. Chinese characters stand alone. Symbols
    such as % and $, which Stanford's tokenizer keeps, are dropped.
    """
    text = unicodedata.normalize("NFKC", caption).lower().replace("’", "'")
    tokens: list[str] = []
    for word in _TOKEN.findall(text):
        if word in _BRACKETS:
            tokens += [_BRACKETS[word]] if variant == "peer" else []
            continue
        clitic = _CLITIC.search(word)
        if clitic and clitic.start() > 0:
            tokens += [word[: clitic.start()], clitic[0]]
        elif word == "cannot":
            tokens += ["can", "not"]
        else:
            tokens.append(word)
    return " ".join(tokens)


def score_captions(
    references: Mapping[str, Sequence[str]],
    captions: Mapping[str, str],
    variant: Variant = "correct",
) -> CaptionScores:
    """Score one caption an image against its references, all plain text.

    Raises ``ValueError`` when images differ between the two, there is none, an image has no
    reference, or no reference of an image has a word. An empty caption scores 0.
    """
    _check(references, captions)
    ids = list(references)
    gold = [[t for r in references[i] if (t := tokenize(r, variant).split())] for i in ids]
    said = [tokenize(captions[i], variant).split() for i in ids]
    for i, some in zip(ids, gold, strict=True):
        if not some:
            raise ValueError(f"image {i} has no reference with a word in it; remove it")
    known = len(ids) > 1
    ciders = cider_d(gold, said) if known else [None]
    rouges = [rouge_l(r, c) for r, c in zip(gold, said, strict=True)]
    return CaptionScores(
        n=len(ids),
        cider_d=fmean(c for c in ciders if c is not None) if known else None,
        bleu_4=bleu_4(gold, said),
        rouge_l=fmean(rouges),
        per_image=dict(zip(ids, zip(ciders, rouges, strict=True), strict=True)),
    )


def read_references(path: Path) -> dict[str, list[str]]:
    """COCO ``captions_*.json``: under ``annotations`` a list of objects with ``image_id`` and
    ``caption``, several an image. Raises ``ValueError`` that says what does not fit."""
    data = _load(path)
    rows = data.get("annotations") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f"{path}: expected a COCO caption file with a list 'annotations'")
    references: dict[str, list[str]] = {}
    for image, caption in _rows(path, rows):
        references.setdefault(image, []).append(caption)
    return references


def read_captions(path: Path) -> dict[str, str]:
    """COCO results: a list of objects with ``image_id`` and ``caption``, one an image. Raises
    ``ValueError`` that says what does not fit."""
    rows = _load(path)
    if not isinstance(rows, list):
        raise ValueError(f"{path}: expected a list of objects with image_id and caption")
    captions: dict[str, str] = {}
    for image, caption in _rows(path, rows):
        if image in captions:
            raise ValueError(f"{path}: image {image} has more than one caption; keep one")
        captions[image] = caption
    return captions


def write_captions(path: Path, captions: Mapping[str, str]) -> None:
    """Write COCO results; ids that are numbers are written as numbers, as COCO has them."""
    rows = [{"image_id": int(i) if i.isdecimal() else i, "caption": c} for i, c in captions.items()]
    path.write_text(json.dumps(rows, ensure_ascii=False) + "\n", encoding="utf-8")


def _check(references: Mapping[str, Sequence[str]], captions: Mapping[str, str]) -> None:
    if not references:
        raise ValueError("there is no caption to score")
    odd = sorted(references.keys() ^ captions.keys())
    if odd:
        where = "caption" if odd[0] in references else "reference"
        raise ValueError(f"{len(odd)} images lack one side: {odd[0]} has no {where}")


def _load(path: Path) -> Any:
    if not path.is_file():
        raise ValueError(f"{path} is missing; give a COCO caption file")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: not JSON ({error.msg}); write it anew"
        ) from error


def _rows(path: Path, rows: Sequence[Any]) -> list[tuple[str, str]]:
    for number, row in enumerate(rows, 1):
        if not (
            isinstance(row, dict) and "image_id" in row and isinstance(row.get("caption"), str)
        ):
            raise ValueError(f"{path}, entry {number}: expected image_id and caption (a text)")
    return [(str(row["image_id"]), row["caption"]) for row in rows]
