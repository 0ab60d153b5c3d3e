"""Judging turns: the grammar decides among what a session could say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mllm.content import ToolSpec
from mllm.model import NanoConfig, NanoForConditionalGeneration, build_processor
from mllm.model.tokenizer import LOCATIONS, train_tokenizer
from mllm.training.holdout import Judge, judge
from mllm.training.runner import save
from mllm.training.vocabulary import texts


def spec(name: str, *arguments: str) -> ToolSpec:
    properties = {a: {"type": "string"} for a in arguments}
    return ToolSpec(
        name=name, description=f"Does {name}.",
        parameters={"type": "object", "properties": properties, "required": [arguments[0]]},
    )


TOOLS = [
    spec("detect", "image", "labels"),
    spec("read_text", "image", "region", "find"),
    spec("select", "boxes", "label", "color", "relation", "of", "pick"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = train_tokenizer(texts())
    config = NanoConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        vision_hidden_size=48, vision_layers=1, image_token_id=tokenizer.image_token_id,
        first_location_id=tokenizer.convert_tokens_to_ids(LOCATIONS[0]),
    )
    out = tmp_path_factory.mktemp("nano")
    save(NanoForConditionalGeneration(config), build_processor(tokenizer, config), out)
    return out


def test_the_grammar_rules_out_what_a_session_could_not_say(folder: Path) -> None:
    jury = Judge(folder)
    tokenizer = jury.processor.tokenizer
    text = '<tool_call>{"name": "detect", "arguments": {"image": "img1"}}</tool_call><|end|>'
    said = tokenizer(text)["input_ids"]
    scores = torch.zeros(len(said), jury.model.config.vocab_size)
    scores[range(len(said)), said] = 1.0
    # A wrong name of the tool is the model's first choice, but no such tool exists.
    wrong = tokenizer("calculate")["input_ids"][0]
    scores[said.index(tokenizer("detect")["input_ids"][0]), wrong] = 2.0
    assert jury._exact(scores, said, jury.grammars.matcher(TOOLS, "auto", None))
    # Another picture is allowed by the grammar, and so a mistake.
    scores[said.index(tokenizer("img")["input_ids"][0]), wrong] = 2.0
    assert not jury._exact(scores, said, jury.grammars.matcher(TOOLS, "auto", None))


def test_an_untrained_model_is_judged_on_every_kind_of_turn(folder: Path) -> None:
    rows = judge(folder, TOOLS, n=1)
    assert set(rows) == {"tools", "strange", "direct"}
    assert rows["tools"]["turns"] > rows["direct"]["turns"] > 0
    assert rows["tools"]["answer"] == 0.0
