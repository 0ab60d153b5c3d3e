"""Where in a conversation stands what was said elsewhere in it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from mllm.backends import NANO
from mllm.model import NanoConfig, NanoForConditionalGeneration, NanoProcessor
from mllm.model.mentions import LETTERS, STEPS, WHOLE, Mentions
from mllm.model.tokenizer import letters
from mllm.training.packing import Sample, pack

WISHED, DONE, SHOWN = 0, 1, 2
"""What the feature says: found in what the person said, in what the model did, in a result."""
ROLES = NanoConfig().roles


@pytest.fixture(scope="module")
def mentions(processor: NanoProcessor) -> Mentions:
    """What the decoder reads are three numbers, one a role."""
    entries = len(processor.tokenizer)
    out = Mentions(NanoConfig(vocab_size=entries, hidden_size=len(ROLES)))
    out.letters[:] = letters(processor.tokenizer, LETTERS)
    out.said.data = torch.eye(len(ROLES)) / len(ROLES) ** 0.5
    return out


def pointed(
    mentions: Mentions, processor: NanoProcessor, text: str, turn: int = -1
) -> dict[str, set[tuple[int, int]]]:
    """For each token that a query in this turn of the model is told something of: in whose words
    it stands, and as far as which step."""
    ids = torch.tensor([processor.tokenizer(text)["input_ids"]])
    turns = (ids[0] == ROLES[1]).nonzero()[:, 0].tolist() + [ids.shape[1] - 1]
    query = turns[turn] if turn >= 0 else turns[-1]
    visible = (torch.arange(ids.shape[1]) <= query)[None, None]
    ((row, asking, found),) = mentions.pointed(ids, visible)
    assert row == 0 and asking == [0] and found.shape == (3 * STEPS, ids.shape[1])
    out: dict[str, set[tuple[int, int]]] = {}
    for place in found.any(0).nonzero()[:, 0].tolist():
        steps = found[:, place].nonzero()[:, 0].tolist()
        word = processor.tokenizer.decode(ids[0, place : place + 1])
        out.setdefault(word, set()).update((s // STEPS, s % STEPS + 1) for s in steps)
    return out


def closed(mentions: Mentions, processor: NanoProcessor, text: str) -> list[set[int]]:
    """For each token behind a text in quotes what the decoder is told of it."""
    ids = torch.tensor([processor.tokenizer(text)["input_ids"]])
    visible = torch.ones(1, ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
    told = mentions(ids, visible)[0]
    return [set(row.nonzero()[:, 0].tolist()) for row in told if row.any()]


PAGE = '<|user|>click 7 8 9 now<|assistant|>yes<|end|><|tool|>"7 8 9" "7 8" "5"<|assistant|>'
CLICKED = '"7 8 9"<|end|><|tool|>done<|assistant|>'


def test_a_label_of_the_page_that_the_wish_names_is_told_with_its_length(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    found = pointed(mentions, processor, PAGE)
    assert (WISHED, WHOLE) in found["7"] and {(WISHED, 3), (WISHED, 1)} <= found["8"]
    assert "5" not in found and "yes" not in found


def test_a_whole_label_is_told_from_a_part(mentions: Mentions, processor: NanoProcessor) -> None:
    def found(label: str) -> set[tuple[int, int]]:
        page = f'<|user|>press 5 6 now<|assistant|>yes<|end|><|tool|>"5 6 7" "{label}"<|assistant|>'
        return pointed(mentions, processor, page)[label[0]]

    assert (WISHED, WHOLE) not in found("5 8")
    assert (WISHED, WHOLE) in found("5 6")
    assert (WISHED, WHOLE) in found("6")


@pytest.mark.parametrize(
    ("wish", "label", "named"),
    [
        ("under the name Ada on Friday", "Name", True),
        ("PRESS SAVE", "Save", True),
        ("take the names", "Name", False),
        ("rename it", "Name", False),
        ("请点击保存按钮", "保存", True),
        ("请点击打开按钮", "保存", False),
        ("what costs $5?", "$5", True),
        ("what costs $55?", "$5", False),
    ],
)
def test_case_and_neighbours_of_a_whole_label(
    mentions: Mentions, processor: NanoProcessor, wish: str, label: str, named: bool
) -> None:
    page = f'<|user|>{wish}<|assistant|>yes<|end|><|tool|>button "{label}" e1<|assistant|>'
    assert closed(mentions, processor, page) == ([{WISHED}] if named else [])
    found = pointed(mentions, processor, page)
    assert any((WISHED, WHOLE) in kinds for kinds in found.values()) is named


def test_of_labels_that_differ_in_case_the_one_that_was_said_is_told(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    def whole(wish: str) -> int:
        rows = 'link "Rex" e1 link "rex" e2 link "REX" e3'
        page = f'<|user|>{wish}<|assistant|>yes<|end|><|tool|>{rows}<|assistant|>'
        ids = torch.tensor([processor.tokenizer(page)["input_ids"]])
        visible = torch.ones(1, 1, ids.shape[1], dtype=torch.bool)
        ((_, _, found),) = mentions.pointed(ids, visible)
        return int(found[WISHED * STEPS + WHOLE - 1].sum())

    assert whole('click "Rex" now') == whole('click "rex" now') == 1
    assert whole('click "rEx" now') == 3


def test_the_decoder_is_told_who_had_said_what_stands_in_quotes(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    page = '<|user|>type 7 8<|assistant|>yes<|end|><|tool|>box "9" value "7 8" "6<|assistant|>'
    typed = '{"a": "9", "b": "7 8"}<|end|><|tool|>new box "5" value "9"\nleft" "5"<|assistant|>'
    assert closed(mentions, processor, page) == [{WISHED}]
    assert closed(mentions, processor, page + typed) == [
        {WISHED},
        {SHOWN},
        {WISHED, SHOWN},
        {DONE, SHOWN},
    ]


def test_without_letters_nothing_is_in_quotes(processor: NanoProcessor) -> None:
    blind = Mentions(NanoConfig(vocab_size=len(processor.tokenizer), hidden_size=4))
    blind.said.data.fill_(1.0)
    assert closed(blind, processor, PAGE) == []
    assert not any((WISHED, WHOLE) in kinds for kinds in pointed(blind, processor, PAGE).values())


def test_the_shipped_weights_know_the_letters_of_their_tokens() -> None:
    processor = NanoProcessor.from_pretrained(NANO)
    model = NanoForConditionalGeneration.from_pretrained(NANO)
    expected = letters(processor.tokenizer, LETTERS)
    assert torch.equal(model.mentions.letters[: len(expected)], expected)


def test_a_quote_in_a_text_does_not_end_it(mentions: Mentions, processor: NanoProcessor) -> None:
    page = '<|user|>press Save<|assistant|>{"text": "a 5\\" pipe", "target": "Save"}<|assistant|>'
    assert closed(mentions, processor, page) == [{WISHED}]
    wish = 'type 5" here<|assistant|>yes<|end|><|tool|>box "5\\"" e1<|assistant|>'
    assert closed(mentions, processor, f"<|user|>{wish}") == [{WISHED}]


def test_what_was_done_is_told_from_the_next_turn_on(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    calls = PAGE + CLICKED
    assert not any(kind == DONE for kind, _ in pointed(mentions, processor, calls, turn=1)["7"])
    assert (DONE, WHOLE) in pointed(mentions, processor, calls)["7"]


def test_a_turn_is_told_nothing_of_what_it_says_itself(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    page = pointed(mentions, processor, PAGE)
    assert page == pointed(mentions, processor, PAGE + '"7 8 9" "5') != {}


def test_before_a_turn_nothing_is_told(mentions: Mentions, processor: NanoProcessor) -> None:
    ids = torch.tensor([processor.tokenizer("<|user|>7 8 9 7 8 9")["input_ids"]])
    visible = torch.ones(1, 2, ids.shape[1], dtype=torch.bool)
    assert not any(found.any() for _, _, found in mentions.pointed(ids, visible))


@torch.no_grad()
@pytest.mark.parametrize("told", ["head.mention", "mentions.said"])
def test_it_is_the_same_at_once_and_piece_by_piece(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor, told: str
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
    tiny.get_parameter(told).zero_()
    assert not torch.allclose(logits(ids)[0, trunk:], whole[0, trunk:], atol=1e-3)


def test_a_branch_of_a_packed_row_is_told_what_it_is_told_alone(
    mentions: Mentions, processor: NanoProcessor
) -> None:
    texts = [PAGE + said + '<|end|><|tool|>"7 8"<|assistant|>5' for said in ('"7 8"', '"7 8 9"')]
    both = [processor.tokenizer(text)["input_ids"] for text in texts]
    trunk = len(processor.tokenizer(PAGE)["input_ids"])
    samples = [Sample(b, [i > trunk for i in range(len(b))], trunk=trunk) for b in both]

    def last(chosen: list[Sample]) -> tuple[Tensor, Tensor]:
        """What the last sample is told: its last query of what it sees, and its decoder."""
        packed, _ = pack(chosen, 400)
        ids, branches = packed["input_ids"], packed["branches"][0]
        sees = (branches == 0) | (branches == branches[-1])
        ((_, _, found),) = mentions.pointed(ids, sees[None, None])
        visible = ((branches == branches[:, None]) | (branches == 0)).tril()
        return found[:, sees], mentions(ids, visible[None])[0, sees]

    for together, swapped, alone in zip(
        last(samples), last(samples[::-1]), last(samples[1:]), strict=True
    ):
        assert together.any() and not torch.equal(together, swapped)
        assert torch.equal(together, alone)
