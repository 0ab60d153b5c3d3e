"""Samples of tokens packed into one row, without padding.

None sees another. Samples that begin alike, with the same tools and the same picture, share that
beginning: they are branches of one trunk, and the row holds the trunk once. Half of a tool
conversation is such a beginning. A trunk with its branches is a segment of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

IGNORED = -100


@dataclass
class Sample:
    """Tokens, which of them are learned, and which pictures (numbers into the batch's) stand in
    them, in order. The first ``trunk`` tokens can be shared with samples that have the same; they
    hold at most the first picture and nothing learned."""

    ids: list[int]
    learned: list[bool]
    pictures: list[int] = field(default_factory=list)
    trunk: int = 0
    aims: list[int] = field(default_factory=list)
    """For each token the number of the ``spots`` that a pointer should look at to copy it; 0 where
    these are the newest tool result, -1 where nothing is to be copied. None means all 0."""
    spots: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    """Of samples that share no trunk; none means that they are counted."""


@dataclass
class Tree:
    """Samples with one trunk."""

    branches: list[Sample]

    @property
    def trunk(self) -> int:
        return self.branches[0].trunk if len(self.branches) > 1 else 0

    @property
    def length(self) -> int:
        return self.trunk + sum(len(s.ids) - self.trunk for s in self.branches)


def pack(samples: Sequence[Sample], limit: int) -> tuple[dict[str, Any], list[Sample]]:
    """Model inputs with segments of at most ``limit`` tokens, and the samples longer than that.

    The inputs are ``input_ids, labels, position_ids, segments, branches, aims, spots``, each of
    shape ``(1, tokens)``, and ``image_index``. Raises ``ValueError`` when no sample fits.
    """
    fitting = [s for s in samples if len(s.ids) <= limit]
    if not fitting:
        raise ValueError(f"none of {len(samples)} samples has at most {limit} tokens")
    return _tensors(grow(fitting, limit)), [s for s in samples if len(s.ids) > limit]


def grow(samples: Sequence[Sample], limit: int) -> list[Tree]:
    """Trees of at most ``limit`` tokens out of samples that share a trunk."""
    open_trees: dict[tuple[tuple[int, ...], tuple[int, ...]], Tree] = {}
    trees: list[Tree] = []
    for sample in samples:
        key = (tuple(sample.ids[: sample.trunk]), tuple(sample.pictures[:1]))
        tree = open_trees.get(key) if sample.trunk else None
        if tree is not None and Tree([*tree.branches, sample]).length <= limit:
            tree.branches.append(sample)
            continue
        tree = Tree([sample])
        trees.append(tree)
        open_trees[key] = tree
    return trees


def _tensors(trees: Sequence[Tree]) -> dict[str, Any]:
    columns = "input_ids", "labels", "position_ids", "segments", "branches", "aims", "spots"
    row: dict[str, list[int]] = {column: [] for column in columns}
    order: list[int] = []
    known = 0
    for segment, tree in enumerate(trees):
        for number, sample in enumerate(tree.branches):
            first = tree.trunk if number else 0
            ids, length = sample.ids[first:], len(sample.ids) - first
            # The first token of a branch would be predicted from the branch before it.
            learned = [False, *sample.learned[first + 1 :]]
            row["input_ids"] += ids
            row["labels"] += [
                token if on else IGNORED for token, on in zip(ids, learned, strict=True)
            ]
            row["position_ids"] += sample.positions[first:] or range(first, len(sample.ids))
            row["segments"] += [segment] * length
            trunk = 0 if number else tree.trunk
            row["branches"] += [0] * trunk + [number + 1] * (length - trunk)
            row["aims"] += _numbered(sample.aims[first:] or [0] * length, known)
            row["spots"] += _numbered(sample.spots[first:] or [0] * length, known)
            known += max(sample.spots, default=0)
            order += sample.pictures[1 if number and tree.trunk else 0 :]
    tensors = {column: torch.tensor([numbers]) for column, numbers in row.items()}
    return tensors | {"image_index": torch.tensor(order, dtype=torch.long)}


def _numbered(aims: Sequence[int], known: int) -> list[int]:
    """Those of one sample among those of all: numbers above 0 go on where the last ones ended."""
    return [aim + known if aim > 0 else aim for aim in aims]
