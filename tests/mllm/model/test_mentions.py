"""Where in a conversation stands what was said elsewhere in it."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import DynamicCache

from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.mentions import STEPS, WHOLE, mentions
from mllm.model.tokenizer import with_quotes
from mllm.training.packing import Sample, pack

ROLES = (3, 4, 6)
WISHED, DONE = 0, 1
"""What the feature says: found in what the person said, in what the model said."""


def told(processor: NanoProcessor, text: str, turn: int = -1) -> dict[str, set[tuple[int, int]]]:
    """For each token that a query in this turn of the model is told something of: in whose words
    it stands, and as far as which step."""
    ids = torch.tensor([processor.tokenizer(text)["input_ids"]])
    turns = (ids[0] == ROLES[1]).nonzero()[:, 0].tolist() + [ids.shape[1] - 1]
    query = turns[turn] if turn >= 0 else turns[-1]
    visible = (torch.arange(ids.shape[1]) <= query)[None, None]
    ((row, asking, found),) = mentions(ids, visible, ROLES, with_quotes(processor.tokenizer))
    assert row == 0 and asking.tolist() == [0] and found.shape == (3 * STEPS, ids.shape[1])
    out: dict[str, set[tuple[int, int]]] = {}
    for place in found.any(0).nonzero()[:, 0].tolist():
        steps = found[:, place].nonzero()[:, 0].tolist()
        word = processor.tokenizer.decode(ids[0, place : place + 1])
        out.setdefault(word, set()).update((s // STEPS, s % STEPS + 1) for s in steps)
    return out


PAGE = '<|user|>click 7 8 9 now<|assistant|>yes<|end|><|tool|>"7 8 9" "7 8" "5"<|assistant|>'
CLICKED = '"7 8 9"<|end|><|tool|>done<|assistant|>'


def test_a_label_of_the_page_that_the_wish_names_is_told_with_its_length(
    processor: NanoProcessor,
) -> None:
    found = told(processor, PAGE)
    assert (WISHED, WHOLE) in found["7"] and {(WISHED, 3), (WISHED, 1)} <= found["8"]
    assert "5" not in found and "yes" not in found


def test_a_whole_label_is_told_from_a_part(processor: NanoProcessor) -> None:
    page = '<|user|>press 5 6 now<|assistant|>yes<|end|><|tool|>"5 6 7" "{}"<|assistant|>'
    assert (WISHED, WHOLE) not in told(processor, page.format("8"))["5"]
    assert (WISHED, WHOLE) in told(processor, page.format("5 6"))["5"]
    assert (WISHED, WHOLE) in told(processor, page.format("6"))["6"]


def test_what_was_done_is_told_from_the_next_turn_on(processor: NanoProcessor) -> None:
    calls = PAGE + CLICKED
    assert not any(kind == DONE for kind, _ in told(processor, calls, turn=1)["7"])
    assert (DONE, 4) in told(processor, calls)["7"]


def test_a_turn_is_told_nothing_of_what_it_says_itself(processor: NanoProcessor) -> None:
    assert told(processor, PAGE) == told(processor, PAGE + '"7 8 9" "5') != {}


def test_before_a_turn_nothing_is_told(processor: NanoProcessor) -> None:
    ids = torch.tensor([processor.tokenizer("<|user|>7 8 9 7 8 9")["input_ids"]])
    visible = torch.ones(1, 2, ids.shape[1], dtype=torch.bool)
    told = mentions(ids, visible, ROLES, with_quotes(processor.tokenizer))
    assert not any(found.any() for _, _, found in told)


@torch.no_grad()
def test_it_is_the_same_at_once_and_piece_by_piece(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    def logits(ids: Tensor) -> Tensor:
        out: Tensor = tiny(input_ids=ids, use_cache=False).logits
        return out

    ids = torch.tensor(processor.tokenizer(PAGE + CLICKED)["input_ids"])[None]
    trunk = len(processor.tokenizer(PAGE)["input_ids"])
    cache, parts = DynamicCache(config=tiny.config), []
    for start, end in ((0, trunk), *((i, i + 1) for i in range(trunk, ids.shape[1]))):
        parts.append(tiny(input_ids=ids[:, start:end], past_key_values=cache).logits)
    whole = logits(ids)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-4, rtol=1e-4)
    tiny.head.mention.zero_()
    assert not torch.allclose(logits(ids)[0, trunk:], whole[0, trunk:], atol=1e-3)


def test_a_branch_of_a_packed_row_is_told_what_it_is_told_alone(processor: NanoProcessor) -> None:
    texts = [PAGE + said + "<|end|><|tool|>7 8 9<|assistant|>5" for said in ('"7 8"', '"7 8 9"')]
    both = [processor.tokenizer(text)["input_ids"] for text in texts]
    trunk = len(processor.tokenizer(PAGE)["input_ids"])
    quotes = with_quotes(processor.tokenizer)
    samples = [Sample(b, [i > trunk for i in range(len(b))], trunk=trunk) for b in both]

    def last(chosen: list[Sample]) -> Tensor:
        """What the last query of the last sample is told of what it sees."""
        packed, _ = pack(chosen, 400)
        branches = packed["branches"][0]
        sees = (branches == 0) | (branches == branches[-1])
        ((_, _, found),) = mentions(packed["input_ids"], sees[None, None], ROLES, quotes)
        return found[:, sees]

    together = last(samples)
    assert together.any() and not torch.equal(together, last(samples[::-1]))
    assert torch.equal(together, last(samples[1:]))
