"""Pieces that make copying one to one."""

from __future__ import annotations

import pytest
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer

from mllm.model import NanoProcessor


@pytest.mark.parametrize(
    "text",
    [
        "How many teddy bears are left of the laptop?",
        '{"name": "detect", "arguments": {"labels": ["cup", "杯子"]}}',
        "naïve 😀 Ünïcödé ﷽ \x00\t\n  трава",
        "<|loc_0|><|loc_63|> 12 <tool_call>x</tool_call>",
    ],
)
def test_any_text_survives(processor: NanoProcessor, text: str) -> None:
    tokenizer = processor.tokenizer
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("word", ["cup", "zyxwvut", "QTR", "теплоход", "boxes12", "https"])
def test_a_word_is_the_same_tokens_wherever_it_stands(
    processor: NanoProcessor, word: str
) -> None:
    tokenizer = processor.tokenizer
    alone = tokenizer(word)["input_ids"]
    for text in (f"the {word} is", f'"{word}"', f"\n{word}, a", f"({word})", f"x: {word}."):
        ids = tokenizer(text)["input_ids"]
        windows = [ids[i : i + len(alone)] for i in range(len(ids))]
        assert alone in windows, text


def test_digits_and_chinese_characters_stand_alone(processor: NanoProcessor) -> None:
    tokenizer = processor.tokenizer
    pieces = [tokenizer.decode(t) for t in tokenizer("127 张图")["input_ids"]]
    assert pieces == ["1", "2", "7", " ", "张", "图"]


def test_names_of_the_world_are_short(processor: NanoProcessor) -> None:
    tokenizer = processor.tokenizer
    assert len(tokenizer('<tool_call>{"name": "detect"')["input_ids"]) == 6
    assert len(tokenizer("How many cups are in the picture?")["input_ids"]) == 5


def test_llguidance_accepts_the_tokenizer(processor: NanoProcessor) -> None:
    tokenizer = processor.tokenizer
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
    matcher = LLMatcher(from_tokenizer(tokenizer), LLMatcher.grammar_from_json_schema(schema))
    for token in tokenizer('{"n": 42}')["input_ids"]:
        assert matcher.consume_token(token), matcher.get_error()
    assert matcher.is_accepting()
