"""Tiny models of published architectures with random weights, for tests and benchmarks.

Each builder writes a complete folder (weights, tokenizer, processor, chat template), so that
``load(folder)`` treats it as any downloaded model. They know nothing; their plumbing is real.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

# Untyped: transformers annotates these constructors only in part.
hf: Any = transformers

_TEXT = (
    "How many cups stand left of the laptop? There are two red cups on img1. "
    '{"name": "detect", "arguments": {"image": "img1", "labels": ["cup"]}} '
    "图中有几个杯子？桌子左边有两个红色的杯子。"
)


def qwen3_vl(folder: Path, seed: int = 0, vocabulary: int = 512) -> Path:
    """Qwen3-VL: M-RoPE, deepstack, pictures of any size; a template that knows tools."""
    names = ["<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = _tokenizer(vocabulary, "<|im_end|>", names, ["<tool_call>", "</tool_call>"])
    ids = tokenizer.convert_tokens_to_ids
    config = hf.Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )
    pixels: dict[str, Any] = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2}
    size = {"shortest_edge": 32 * 32, "longest_edge": 128 * 128}
    processor = hf.Qwen3VLProcessor(
        hf.Qwen2VLImageProcessor(size=size, **pixels),
        tokenizer,
        hf.Qwen3VLVideoProcessor(**pixels),
        chat_template=_TOOL_TEMPLATE.replace(
            "IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"
        ),
    )
    return _save(folder, seed, hf.Qwen3VLForConditionalGeneration, config, processor)


def llava(folder: Path, seed: int = 0, vocabulary: int = 512) -> Path:
    """LLaVA: CLIP and Llama, pictures of one size; a template that knows no tools, refuses
    system messages and wants roles to alternate."""
    tokenizer = _tokenizer(vocabulary, "</s>", ["<s>", "<image>"], [])
    config = hf.LlavaConfig(
        text_config=hf.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=8192,
        ),
        vision_config=hf.CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    processor = hf.LlavaProcessor(
        hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_PLAIN_TEMPLATE,
    )
    return _save(folder, seed, hf.LlavaForConditionalGeneration, config, processor)


def internvl(folder: Path, seed: int = 0, vocabulary: int = 512) -> Path:
    """InternVL: its own ViT and Qwen2, pictures cut into tiles; a template that knows tools."""
    marks = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _tokenizer(
        vocabulary, "<|im_end|>", ["<|im_start|>", *marks.values()], [], extra_special_tokens=marks
    )
    config = hf.InternVLConfig(
        text_config=hf.Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=8192,
        ),
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    size = {"height": 32, "width": 32}
    processor = hf.InternVLProcessor(
        hf.GotOcr2ImageProcessor(size=size, crop_to_patches=True, min_patches=1, max_patches=4),
        tokenizer,
        hf.InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=_TOOL_TEMPLATE.replace("IMAGE", "<IMG_CONTEXT>\n"),
    )
    return _save(folder, seed, hf.InternVLForConditionalGeneration, config, processor)


def gemma3(folder: Path, seed: int = 0, vocabulary: int = 512) -> Path:
    """Gemma 3: a sliding window, pictures that see themselves in both directions."""
    marks = {"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<soft>"}
    control = ["<bos>", "<start_of_turn>", *marks.values()]
    tokenizer = _tokenizer(
        vocabulary, "<end_of_turn>", control, [], extra_special_tokens=marks, bos_token="<bos>"
    )
    ids = tokenizer.convert_tokens_to_ids
    config = hf.Gemma3Config(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
            "vision_use_head": False,
        },
        mm_tokens_per_image=4,
        image_token_id=ids("<soft>"),
        boi_token_index=ids("<boi>"),
        eoi_token_index=ids("<eoi>"),
    )
    processor = hf.Gemma3Processor(
        hf.Gemma3ImageProcessor(size={"height": 32, "width": 32}),
        tokenizer,
        image_seq_length=4,
        chat_template="{{ bos_token }}" + _PLAIN_TEMPLATE.replace("<image>", "<boi>"),
    )
    return _save(folder, seed, hf.Gemma3ForConditionalGeneration, config, processor)


TINY: dict[str, Callable[[Path], Path]] = {
    "qwen3_vl": qwen3_vl,
    "llava": llava,
    "internvl": internvl,
    "gemma3": gemma3,
}
"""Builders by architecture."""


def _tokenizer(
    size: int, end: str, control: Sequence[str], visible: Sequence[str], **options: Any
) -> Any:
    """A small byte-level BPE tokenizer. Every byte has a token, so any text survives."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(t, special=True) for t in ("<pad>", end, *control)],
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT] * 3, trainer)
    tokenizer.add_tokens([AddedToken(t, special=False) for t in visible])
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=end, pad_token="<pad>", **options
    )


def _save(folder: Path, seed: int, architecture: Any, config: Any, processor: Any) -> Path:
    config.pad_token_id = config.text_config.pad_token_id = processor.tokenizer.pad_token_id
    config.eos_token_id = config.text_config.eos_token_id = processor.tokenizer.eos_token_id
    config.text_config.bos_token_id = None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = architecture(config)
        # The usual initialisation is so small that all tokens would look alike.
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=parameter[0].numel() ** -0.5)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


_TOOL_TEMPLATE = """\
{%- macro body(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}
{%- for item in content -%}
{{ 'IMAGE' if item.type == 'image' else item.text }}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- if tools -%}
{{ '<|im_start|>system\\n' }}
{%- for tool in tools -%}{{ tool | tojson + '\\n' }}{%- endfor -%}
{{ '<|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + body(message.content) }}
{%- for call in message.tool_calls or [] -%}
{{ '\\n<tool_call>\\n' + call.function | tojson + '\\n</tool_call>' }}
{%- endfor -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{{ '<|im_start|>assistant\\n' if add_generation_prompt }}"""

_PLAIN_TEMPLATE = """\
{%- for message in messages -%}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
{{ raise_exception('Roles must alternate user/assistant') }}
{%- endif -%}
{{ 'USER: ' if message.role == 'user' else 'ASSISTANT: ' }}
{%- for item in message.content -%}
{{ '<image>\\n' if item.type == 'image' else item.text }}
{%- endfor -%}
{{ '\\n' if message.role == 'user' else eos_token }}
{%- endfor -%}
{{ 'ASSISTANT: ' if add_generation_prompt }}"""
