"""Copying and pointing."""

from __future__ import annotations

import torch
from torch import Tensor

from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.heads import runs


def strings(generator: torch.Generator, rows: int) -> tuple[Tensor, Tensor]:
    """Rows ``[8 random tokens, separator, the same 8 tokens]`` and their labels."""
    start = torch.randint(300, 1300, (rows, 8), generator=generator)
    ids = torch.cat([start, torch.full((rows, 1), 3), start], 1)
    labels = ids.clone()
    labels[:, :9] = -100
    return ids, labels


def test_copying_of_random_strings_is_learned_in_a_moment(
    tiny: NanoForConditionalGeneration,
) -> None:
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(tiny.parameters(), lr=3e-3)
    tiny.train()
    for _ in range(100):
        ids, labels = strings(generator, 16)
        tiny(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    tiny.eval()
    ids, labels = strings(generator, 64)
    with torch.no_grad():
        guessed = tiny(input_ids=ids).logits[:, 8:-1].argmax(-1)
    # One in a thousand each by chance: the tokens were never seen together before.
    assert (guessed == labels[:, 9:]).float().mean() > 0.95


def test_copying_a_visual_token_says_its_place(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    assert processor.tokenizer.decode(pointed_at_13(tiny)) == "<|loc_13|>"


def test_a_copy_ends_before_a_token_that_is_not_trusted(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    head, token = tiny.head, tiny.config.first_location_id + 13
    with torch.no_grad():
        head.trust.weight.zero_()
        head.trust.bias.zero_()
        head.trust.bias[0] = 1.0  # the first feature counts, for the first pointer
        word = tiny.embedding.weight[token]
        head.taken[0] = -200 * word / word.square().sum()
    assert processor.tokenizer.decode(pointed_at_13(tiny)) != "<|loc_13|>"


def pointed_at_13(tiny: NanoForConditionalGeneration) -> int:
    """The token that follows for a head that trusts its first pointer, which looks at place 13."""
    head = tiny.head
    places, d = tiny.config.image_tokens, tiny.config.hidden_size
    sources = torch.arange(places)[None] + tiny.config.first_location_id
    with torch.no_grad():
        head.gate.weight.zero_()
        head.gate.bias.zero_()
        head.gate.bias[1] = 50.0
        hidden = torch.randn(1, 1, d)
        states = torch.cat([hidden, hidden, hidden], -1)
        query = head.query(states).view(1, 1, head.count, head.head_dim)
        keys = torch.zeros(1, head.count, places, head.head_dim)
        keys[:, :, 13] = 100 * query[:, 0]
        mask = torch.ones(1, 1, 1, places, dtype=torch.bool)
        logits = head.log_probabilities(
            hidden, states, tiny.embedding.weight, keys, sources, torch.tensor([[places - 1]]),
            mask, told=(),
        )  # fmt: skip
    return int(logits[0, 0].argmax())


def test_a_run_is_as_long_as_what_agrees_before_both() -> None:
    #                  0  1  2  3  4  5  6  7  8
    row = torch.tensor([[7, 8, 9, 1, 8, 9, 7, 8, 9]])
    found = runs(row, torch.tensor([[8, 5]]))
    assert found[0, 0, :8].tolist() == [0, 0, 3, 0, 0, 2, 0, 0]
    assert found[0, 1, :5].tolist() == [0, 0, 2, 0, 0]


def test_pointers_are_drawn_to_what_the_last_tool_said(tiny: NanoForConditionalGeneration) -> None:
    mark, noun, other, word = tiny.config.tool_token_id, 700, 800, 900
    ids = torch.tensor([[noun, other, mark, word, noun, 4, noun]])
    labels = torch.full_like(ids, -100)
    labels[0, -1] = noun

    def unfounded(ids: Tensor) -> Tensor:
        out: Tensor = tiny(input_ids=ids, labels=labels).unfounded
        return out

    assert unfounded(ids.where(ids != mark, other)) == 0  # no tool said anything
    assert unfounded(torch.tensor([[noun, other, mark, word, other, 4, noun]])) == 0  # not that
    first = unfounded(ids)
    assert first > 0.1
    optimizer = torch.optim.AdamW(tiny.parameters(), lr=1e-3)
    for _ in range(30):
        unfounded(ids).backward()
        optimizer.step()
        optimizer.zero_grad()
    # The noun before the result earns nothing: all that is lost has to come from the result.
    assert unfounded(ids) < first / 5
