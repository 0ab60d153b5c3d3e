"""Judging turns: the grammar decides among what a session could say."""

from __future__ import annotations

from pathlib import Path

import torch

from mllm.content import ToolSpec
from mllm.training.holdout import Judge, judge


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


def test_the_grammar_rules_out_what_a_session_could_not_say(tiny_folder: Path) -> None:
    jury = Judge(tiny_folder)
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


def test_an_untrained_model_is_judged_on_every_kind_of_turn(tiny_folder: Path) -> None:
    rows = judge(tiny_folder, TOOLS, n=1)
    assert set(rows) == {"tools", "strange", "direct"}
    assert rows["tools"]["turns"] > rows["direct"]["turns"] > 0
    assert rows["tools"]["answer"] == 0.0
