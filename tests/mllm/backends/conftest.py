"""Pictures, conversations and tiny models that the tests of this folder share."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mllm.content import Artifact, Media, Message, Part, Text, ToolCall, ToolSpec

DETECT = ToolSpec(
    name="detect",
    description="Find objects.",
    parameters={
        "type": "object",
        "properties": {
            "image": {"type": "string", "maxLength": 8},
            "labels": {
                "anyOf": [
                    {"type": "array", "items": {"type": "string", "maxLength": 6}, "maxItems": 2},
                    {"type": "null"},
                ],
                "default": None,
            },
        },
        "required": ["image"],
    },
)


class Pictures:
    """A media reader over made pictures. ``reads`` counts how often each was opened."""

    def __init__(self) -> None:
        self._images: dict[str, Image.Image] = {}
        self.reads: list[str] = []

    def add(self, id: str, seed: int, size: tuple[int, int] = (64, 48)) -> Artifact:
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        return self.show(id, Image.fromarray(pixels))

    def show(self, id: str, image: Image.Image) -> Artifact:
        sha256 = hashlib.sha256(image.tobytes()).hexdigest()
        self._images[sha256] = image
        return Artifact(
            id=id,
            kind="image",
            sha256=sha256,
            mime="image/png",
            width=image.width,
            height=image.height,
        )

    def image(self, artifact: Artifact) -> Image.Image:
        self.reads.append(artifact.id)
        return self._images[artifact.sha256]


def say(role: Any, *parts: str | Artifact, **fields: Any) -> Message:
    """A message of text and pictures."""
    content: tuple[Part, ...] = tuple(
        Text(text=p) if isinstance(p, str) else Media(artifact=p) for p in parts
    )
    return Message(role=role, content=content, **fields)


def trajectory(pictures: Pictures, steps: int) -> list[list[Message]]:
    """The growing conversation of a run that gets a new picture at every step."""
    grown = [
        say("system", "You look at pictures."),
        say("user", pictures.add("img1", 100), "How many cups? 几个杯子？"),
    ]
    out = [list(grown)]
    for i in range(1, steps):
        call = ToolCall(id=f"call{i}", name="detect", arguments={"image": f"img{i}"})
        new = pictures.add(f"img{i + 1}", 100 + i, (64 + 16 * (i % 3), 48))
        grown += [
            say("assistant", f"looking at img{i}", calls=(call,)),
            say("tool", "here it is", new, call_id=call.id, name="detect"),
            say("user", f"{steps - i} steps left"),
        ]
        out.append(list(grown))
    return out


@pytest.fixture
def pictures() -> Pictures:
    return Pictures()


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each tiny architecture."""
    import torch

    from mllm.backends.tiny import TINY

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("tiny")
    return {name: build(root / name) for name, build in {**TINY, "nano": tiny_nano}.items()}


def tiny_nano(folder: Path) -> Path:
    """Our own architecture, small, with random weights."""
    import torch

    from mllm.model import NanoForConditionalGeneration, build_processor, preset
    from mllm.model.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(
        ["How many cups? There are two red cups on img1. 几个杯子？"] * 3, 400
    )
    config = preset(
        "s",
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        vision_hidden_size=32,
        vision_layers=1,
        vision_heads=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image|>"),
        first_location_id=tokenizer.convert_tokens_to_ids("<|loc_0|>"),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        NanoForConditionalGeneration(config).save_pretrained(folder)
    build_processor(tokenizer, config).save_pretrained(folder)
    return folder
