"""A tiny nano model with the shipped tokenizer, in a folder, to start further stages from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mllm.model import NanoConfig, NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import LOCATIONS
from mllm.training.runner import save

SHIPPED = Path(__file__).parents[3] / "mllm" / "weights" / "nano"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    processor = NanoProcessor.from_pretrained(SHIPPED)
    tokenizer = processor.tokenizer
    config = NanoConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=2, num_key_value_heads=1, head_dim=32, pointer_heads=1,
        pointer_head_dim=32, vision_hidden_size=48, vision_layers=1, vision_heads=2,
        image_token_id=tokenizer.image_token_id,
        first_location_id=tokenizer.convert_tokens_to_ids(LOCATIONS[0]),
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )
    out = tmp_path_factory.mktemp("tiny")
    save(NanoForConditionalGeneration(config), processor, out)
    return out
