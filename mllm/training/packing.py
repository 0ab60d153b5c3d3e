"""Samples of tokens packed into rows.

Several samples share a row, but none sees another. Samples that begin alike, with the same tools
and the same picture, share that beginning too: they are branches of one trunk, and a row holds the
trunk once. Half of a tool conversation is such a beginning.
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


def pack(samples: Sequence[Sample], row: int, pad: int) -> tuple[dict[str, Any], list[Sample]]:
    """Model inputs with rows of at most ``row`` tokens, and the samples too long for one.

    The inputs are ``input_ids, labels, position_ids, aims, spots`` of shape ``(rows, longest)``,
    ``attention_mask`` ``(rows, 1, longest, longest)`` and ``image_index``. Raises ``ValueError``
    when no sample fits.
    """
    fitting = [s for s in samples if len(s.ids) <= row]
    if not fitting:
        raise ValueError(f"none of {len(samples)} samples fits into a row of {row} tokens")
    rows: list[list[Tree]] = []
    for tree in sorted(grow(fitting, row), key=lambda t: -t.length):
        room = [r for r in rows if _length(r) + tree.length <= row]
        if room:
            max(room, key=_length).append(tree)
        else:
            rows.append([tree])
    return _tensors(rows, pad), [s for s in samples if len(s.ids) > row]


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


def _length(row: Sequence[Tree]) -> int:
    return sum(tree.length for tree in row)


def _tensors(rows: Sequence[Sequence[Tree]], pad: int) -> dict[str, Any]:
    width = max(_length(row) for row in rows)
    shape = (len(rows), width)
    ids = torch.full(shape, pad)
    labels = torch.full(shape, IGNORED)
    positions = torch.zeros(shape, dtype=torch.long)
    mask = torch.eye(width, dtype=torch.bool).repeat(len(rows), 1, 1, 1)
    aims, spots = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    order: list[int] = []
    for i, row in enumerate(rows):
        at = known = 0
        for tree in row:
            root = at
            for number, sample in enumerate(tree.branches):
                skipped = tree.trunk if number else 0
                start, end = at, at + len(sample.ids) - skipped
                ids[i, start:end] = torch.tensor(sample.ids[skipped:])
                learned = torch.tensor(sample.learned[skipped:])
                # The first token of a sample would be predicted from the sample before it.
                learned[0] = False
                labels[i, start:end] = ids[i, start:end].where(learned, IGNORED)
                positions[i, start:end] = torch.arange(skipped, len(sample.ids))
                mask[i, 0, start:end, root : root + skipped] = True
                own = torch.ones(end - start, end - start, dtype=torch.bool).tril()
                mask[i, 0, start:end, start:end] = own
                if sample.aims:
                    own_aims = torch.tensor(sample.aims[skipped:])
                    own_spots = torch.tensor(sample.spots[skipped:])
                    aims[i, start:end] = own_aims + known * (own_aims > 0)
                    spots[i, start:end] = own_spots + known * (own_spots > 0)
                    known += max(sample.spots)
                order += sample.pictures[1 if skipped else 0 :]
                at = end
    return {
        "input_ids": ids,
        "labels": labels,
        "position_ids": positions,
        "attention_mask": mask,
        "aims": aims,
        "spots": spots,
        "image_index": torch.tensor(order, dtype=torch.long),
    }
