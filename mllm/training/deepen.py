"""A deeper model from a trained one, which computes the same at first.

Every few blocks of the decoder are followed by a copy of the last of them whose two outputs are
zero: it adds nothing until it has learned (block expansion, arXiv 2401.02415, section 3.2).
"""

from __future__ import annotations

import copy

from torch import nn

from mllm.model import NanoForConditionalGeneration
from mllm.model.decoder import Block


def deepen(model: NanoForConditionalGeneration, layers: int) -> NanoForConditionalGeneration:
    """The model with ``layers`` blocks in its decoder, the new ones spread evenly.
    Raises ``ValueError`` for fewer than it has."""
    old: list[Block] = list(model.decoder.blocks)  # type: ignore[arg-type]
    if layers < len(old):
        raise ValueError(f"the model has {len(old)} layers: they cannot become {layers}")
    more = layers - len(old)
    config = copy.deepcopy(model.config)
    config.num_hidden_layers += more
    deeper = type(model)(config)  # type: ignore[arg-type]
    blocks: list[Block] = []
    for i, block in enumerate(old):
        blocks.append(block)
        for _ in range((i + 1) * more // len(old) - i * more // len(old)):
            added = copy.deepcopy(block)
            nn.init.zeros_(added.out.weight)
            nn.init.zeros_(added.down.weight)
            blocks.append(added)
    rest = {k: v for k, v in model.state_dict().items() if not k.startswith("decoder.blocks.")}
    deeper.load_state_dict(rest, strict=False)
    for new, block in zip(deeper.decoder.blocks, blocks, strict=True):
        new.load_state_dict(block.state_dict())
    deeper.to(model.dtype)  # type: ignore[arg-type]
    return deeper
