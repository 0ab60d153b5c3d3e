"""Conversations as token samples in which only what the assistant rightly says is learned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mllm.model import NanoProcessor
from mllm.model.tokenizer import ASSISTANT, CALL, END, IMAGE, LOCATIONS
from mllm.training.packing import Sample


def assistant_sample(
    processor: NanoProcessor,
    chat: list[dict[str, Any]],
    *,
    tools: Sequence[dict[str, Any]] = (),
    pictures: list[int],
    forgotten: Collection[int] = (),
    every: bool = False,
) -> Sample:
    """A conversation in transformers' format as tokens. ``pictures`` numbers its pictures.

    Learned are the assistant's turns, from after its mark up to and with the end of the turn. A
    turn without a call that is neither the first (a plan) nor the last (the answer) was an answer
    that the verifier refused, and is not learned; nor are the ``forgotten`` turns, by number: slips
    that are only there to recover from. With ``every``, where each turn answers a question of its
    own, all are learned. The trunk reaches to the end of the first picture.
    """
    text = processor.apply_chat_template(chat, tools=list(tools) or None, tokenize=False)
    tokenizer = processor.tokenizer
    ids: list[int] = tokenizer(text.replace(IMAGE, IMAGE * len(LOCATIONS)))["input_ids"]
    start, end, call, image = tokenizer.convert_tokens_to_ids([ASSISTANT, END, CALL, IMAGE])
    turns = _turns(ids, start, end)
    learned = [False] * len(ids)
    for number, (first, last) in enumerate(turns):
        if number in forgotten:
            continue
        if every or call in ids[first:last] or number in (0, len(turns) - 1):
            learned[first:last] = [True] * (last - first)
    trunk = ids.index(image) + len(LOCATIONS) if image in ids else 0
    if turns and turns[0][0] < trunk:
        trunk = 0
    return Sample(ids, learned, pictures, trunk)


def _turns(ids: list[int], start: int, end: int) -> list[tuple[int, int]]:
    """Where the assistant's turns lie: after each mark, up to and with the next end."""
    turns = []
    for i, token in enumerate(ids):
        if token == start:
            turns.append((i + 1, ids.index(end, i) + 1 if end in ids[i:] else len(ids)))
    return turns
