"""Samples as rows of their own, padded on the left: all of them end in the last column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mllm.training.packing import Sample


def rows(samples: Sequence[Sample], pad: int) -> dict[str, Any]:
    """Model inputs ``input_ids, attention_mask`` of shape ``(samples, longest)``, and
    ``image_index`` where the samples have pictures."""
    shape = (len(samples), max(len(s.ids) for s in samples))
    ids, mask = torch.full(shape, pad), torch.zeros(shape, dtype=torch.long)
    for row, sample in enumerate(samples):
        ids[row, -len(sample.ids) :] = torch.tensor(sample.ids)
        mask[row, -len(sample.ids) :] = 1
    out: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    order = [n for s in samples for n in s.pictures]
    return out | ({"image_index": torch.tensor(order)} if order else {})
