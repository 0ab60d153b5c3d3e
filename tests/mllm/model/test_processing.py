"""Conversations as text: tools, calls, results, and the prefix rule that sessions rely on."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from mllm.content import Artifact, Box, Boxes, Media, Message, Text, ToolCall, ToolSpec
from mllm.model import NanoProcessor
from mllm.model.chat import pictures, to_chat, to_tools

DETECT = ToolSpec(
    name="detect",
    description="Find objects.\n\nLong explanation.",
    parameters={
        "type": "object",
        "properties": {
            "image": {"type": "string", "description": "id of an image"},
            "labels": {
                "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                "default": None,
            },
            "pick": {"anyOf": [{"enum": ["largest", "smallest"]}, {"type": "null"}]},
        },
        "required": ["image"],
    },
)
IMAGE = Artifact(id="img1", kind="image", sha256="0", mime="image/png", width=64, height=48)
CROP = Artifact(id="img1.crop1", kind="image", sha256="1", mime="image/png", width=9, height=9)


def conversation() -> list[Message]:
    box = Box(artifact="img1", width=64, height=48, x0=1, y0=2, x1=3, y1=4, label="cup")
    call = ToolCall(id="c1", name="detect", arguments={"image": "img1", "labels": ["杯子"]})
    return [
        Message(role="system", content=(Text(text="You are Corvid."),)),
        Message(role="user", content=(Media(artifact=IMAGE), Text(text="有几个杯子？"))),
        Message(role="assistant", content=(Text(text="Looking."),), calls=(call, call)),
        Message(
            role="tool",
            call_id="c1",
            name="detect",
            content=(Boxes(id="boxes1", artifact="img1", boxes=(box,)), Media(artifact=CROP)),
        ),
        Message(role="assistant", content=(Text(text="1"),)),
    ]


def render(processor: NanoProcessor, messages: list[Message], **options: Any) -> str:
    text: str = processor.apply_chat_template(
        to_chat(messages), tools=to_tools([DETECT]), tokenize=False, **options
    )
    return text


def test_the_whole_conversation_reads_like_this(processor: NanoProcessor) -> None:
    call = (
        '<tool_call>{"name": "detect", "arguments": {"image": "img1", "labels": ["杯子"]}}'
        "</tool_call>"
    )
    assert render(processor, conversation()) == (
        "<|system|>detect(image, labels?: list, pick?: largest|smallest) Find objects."
        "<|user|>[img1 64x48]<|image|>\n有几个杯子？"
        f"<|assistant|>Looking.{call}{call}<|end|>"
        "<|tool|>boxes1 on img1: cup: 1\n1 cup [1,2,3,4]\n[img1.crop1 9x9]<|image|>"
        "<|assistant|>1<|end|>"
    )


def test_a_conversation_only_ever_grows(processor: NanoProcessor) -> None:
    messages = conversation()
    whole = render(processor, messages)
    for k in range(2, len(messages)):
        assert whole.startswith(render(processor, messages[:k]))
    # What a model was asked with and what it said are the beginning of the next prompt.
    prompt = render(processor, messages[:2], add_generation_prompt=True)
    rest = whole.removeprefix(prompt)
    assert rest != whole and rest.startswith("Looking.<tool_call>")


def test_pictures_come_in_the_order_of_their_tokens(processor: NanoProcessor) -> None:
    messages = conversation()
    assert pictures(messages) == [IMAGE, CROP]
    text = render(processor, messages)
    images = [Image.new("RGB", (64, 48), c) for c in ("red", "blue")]
    inputs = processor(text=text, images=images, return_tensors="pt")
    places = inputs["input_ids"] == processor.image_token_id
    assert places.sum() == 2 * 64
    assert inputs["pixel_values"].shape == (2, 3, 128, 128)
    red, blue = inputs["pixel_values"].mean((2, 3))
    assert torch.allclose(red, torch.tensor([1.0, -1.0, -1.0]))
    assert torch.allclose(blue, torch.tensor([-1.0, -1.0, 1.0]))
