"""A tiny nano model and its processor, with the real tokenizer recipe."""

from __future__ import annotations

import pytest
import torch

from mllm.model import NanoConfig, NanoForConditionalGeneration, NanoProcessor, build_processor
from mllm.model.mentions import LETTERS
from mllm.model.tokenizer import LOCATIONS, letters, train_tokenizer
from mllm.training.vocabulary import texts

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def processor() -> NanoProcessor:
    return build_processor(train_tokenizer(texts()), NanoConfig())


@pytest.fixture
def tiny(processor: NanoProcessor) -> NanoForConditionalGeneration:
    tokenizer = processor.tokenizer
    torch.manual_seed(0)
    config = NanoConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        pointer_heads=1,
        pointer_head_dim=32,
        place_heads=1,
        vision_hidden_size=48,
        vision_layers=1,
        vision_heads=2,
        image_token_id=tokenizer.image_token_id,
        first_location_id=tokenizer.convert_tokens_to_ids(LOCATIONS[0]),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = NanoForConditionalGeneration(config).eval()
    model.mentions.letters[:] = letters(tokenizer, LETTERS)
    for told in (model.head.mention, model.mentions.said):  # which start at zero
        torch.nn.init.normal_(told)
    return model
