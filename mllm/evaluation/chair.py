"""CHAIR: how many of the objects that captions name are not in the picture.

Rohrbach et al., "Object hallucination in image captioning", arXiv 1809.02156, section 3:
CHAIR_i = hallucinated mentions / all mentions; CHAIR_s = captions with a hallucination / captions.
Cover, the share of the true objects that are named, stands beside them because a model that says
nothing has a perfect CHAIR.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mllm.evaluation.intervals import wilson
from mllm.evaluation.vocabulary import Vocabulary

Variant = Literal["paper", "peer"]
Truth = Mapping[str, frozenset[str]]
"""The objects of each picture, by its id as text (ids are numbers in some files)."""


@dataclass(frozen=True)
class Caption:
    """What a model says of a picture; a picture may have several captions."""

    image_id: str
    caption: str


@dataclass(frozen=True)
class CaptionScore:
    """One caption's objects: categories, in the order in which they are named."""

    image_id: str
    mentioned: tuple[str, ...]
    hallucinated: tuple[str, ...]
    missed: tuple[str, ...]
    """True objects that it does not name, sorted."""


@dataclass(frozen=True)
class Chair:
    """Shares between 0 and 1. What to resample for an interval of CHAIR_i are the captions:
    mentions of one caption are not independent."""

    chair_i: float
    chair_s: float
    chair_s_interval: tuple[float, float]
    cover: float
    mentions: int
    captions: tuple[CaptionScore, ...]


def chair(
    captions: Sequence[Caption],
    truth: Truth,
    vocabulary: Vocabulary,
    variant: Variant = "paper",
) -> Chair:
    """Score captions against the objects of their pictures.

    An object that is named only to deny it (``there is no dog``) is no mention, and neither is
    a colour called orange; ``variant="peer"`` counts both and finds words as the published
    ``utils/chair.py`` does (``Vocabulary.peer_mentions``). Without any mention CHAIR_i is 0
    (the published script divides by zero); without any true object Cover is 1. Cover is ours: the
    objects named over the objects there are, both summed over captions. Raises ``ValueError``
    for no captions, a picture without ground truth, or an object the vocabulary does not know.
    """
    if not captions:
        raise ValueError("there is no caption to score; give at least one")
    present = {image: _known(image, names, vocabulary) for image, names in truth.items()}
    scores = [_score(c, present, _mentioned(c.caption, vocabulary, variant)) for c in captions]
    mentions = sum(len(s.mentioned) for s in scores)
    wrong = sum(len(s.hallucinated) for s in scores)
    bad = sum(bool(s.hallucinated) for s in scores)
    there = sum(len(present[s.image_id]) for s in scores)
    named = there - sum(len(s.missed) for s in scores)
    return Chair(
        chair_i=wrong / mentions if mentions else 0.0,
        chair_s=bad / len(scores),
        chair_s_interval=wilson(bad, len(scores)),
        cover=named / there if there else 1.0,
        mentions=mentions,
        captions=tuple(scores),
    )


def with_references(
    truth: Truth,
    references: Iterable[Caption],
    vocabulary: Vocabulary,
    variant: Variant = "paper",
) -> dict[str, frozenset[str]]:
    """The ground truth with what people's own captions name added, as the paper demands for
    COCO (segments and reference captions together). Pictures not in ``truth`` are passed over."""
    objects = {image: set(_known(image, names, vocabulary)) for image, names in truth.items()}
    for reference in references:
        if reference.image_id in objects:
            named = _mentioned(reference.caption, vocabulary, variant)
            objects[reference.image_id].update(named)
    return {image: frozenset(names) for image, names in objects.items()}


def read_captions(path: str | Path) -> list[Caption]:
    """Captions from ``[{"image_id", "caption"}, ...]``, from COCO's ``captions_*.json``
    (``{"annotations": [...]}``) or from the published evaluator's
    ``{"imgToEval": {id: {"image_id", "caption", ...}}}``. Raises ``ValueError``."""
    data = _json(path)
    if isinstance(data, dict) and isinstance(data.get("annotations"), list):
        data = data["annotations"]
    if isinstance(data, dict) and isinstance(data.get("imgToEval"), dict):
        data = list(data["imgToEval"].values())
    if not isinstance(data, list):
        raise ValueError(f'{path} must be a list of {{"image_id", "caption"}}')
    captions = []
    for number, row in enumerate(data, 1):
        if not isinstance(row, dict) or "image_id" not in row:
            raise ValueError(f'{path}, entry {number}: no "image_id"; add the picture\'s id')
        if not isinstance(row.get("caption"), str):
            raise ValueError(f'{path}, entry {number}: "caption" must be a text')
        captions.append(Caption(str(row["image_id"]), row["caption"]))
    return captions


def write_captions(path: str | Path, captions: Iterable[Caption]) -> None:
    """Write captions as ``read_captions`` and the COCO tools read them (numbers as numbers)."""
    rows = [{"image_id": _number(c.image_id), "caption": c.caption} for c in captions]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read_truth(path: str | Path) -> dict[str, frozenset[str]]:
    """Ground truth from ``{image_id: [objects]}``. Raises ``ValueError``."""
    data = _json(path)
    if not isinstance(data, dict):
        raise ValueError(f"{path} must map each image id to the list of its objects")
    for image, names in data.items():
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise ValueError(f"{path}, image {image}: the objects must be a list of words")
    return {image: frozenset(names) for image, names in data.items()}


def write_truth(path: str | Path, truth: Truth) -> None:
    """Write ground truth as ``read_truth`` reads it."""
    rows = {image: sorted(names) for image, names in truth.items()}
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _mentioned(text: str, vocabulary: Vocabulary, variant: Variant) -> list[str]:
    if variant == "peer":
        return vocabulary.peer_mentions(text)
    return [m.category for m in vocabulary.mentions(text) if not m.denied]


def _score(caption: Caption, present: Truth, mentioned: Sequence[str]) -> CaptionScore:
    if caption.image_id not in present:
        raise ValueError(f"no ground truth for image {caption.image_id}; add its objects")
    there = present[caption.image_id]
    return CaptionScore(
        image_id=caption.image_id,
        mentioned=tuple(mentioned),
        hallucinated=tuple(m for m in mentioned if m not in there),
        missed=tuple(sorted(there - set(mentioned))),
    )


def _known(image: str, names: Iterable[str], vocabulary: Vocabulary) -> frozenset[str]:
    found = set()
    for name in names:
        category = vocabulary.category(name)
        if category is None:
            raise ValueError(
                f"image {image}: the vocabulary has no word {name!r}; "
                "add it there or take it out of the ground truth"
            )
        found.add(category)
    return frozenset(found)


def _json(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; check the path") from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}); correct it there") from None


def _number(image_id: str) -> int | str:
    plain = image_id.isdecimal() and str(int(image_id)) == image_id
    return int(image_id) if plain else image_id
