"""The shape of a nano model. Preset S is for CPUs, preset M for a GPU."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig


class NanoConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes and special ids of ``NanoForConditionalGeneration``.

    ``num_hidden_layers`` counts the layers of the KV cache: the decoder's blocks and, last, the
    pointer head, which keeps its keys and source ids there. So ``DynamicCache(config=config)``
    has a place for it.
    """

    model_type = "corvid_nano"

    vocab_size: int = 4096
    hidden_size: int = 256
    intermediate_size: int = 704
    num_hidden_layers: int = 7
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 64
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 8192
    pointer_heads: int = 3
    pointer_head_dim: int = 64
    place_heads: int = 0
    """Pointers to places in pictures; the shipped weights are older and have none."""
    image_size: int = 128
    patch_size: int = 8
    shuffle: int = 2
    vision_hidden_size: int = 192
    vision_layers: int = 6
    vision_heads: int = 3
    image_token_id: int = 5
    tool_token_id: int = 6
    user_token_id: int = 3
    assistant_token_id: int = 4
    first_location_id: int = 9
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    tie_word_embeddings: bool = True
    use_cache: bool = True
    reads_screens: bool = False
    """Whether it was trained on pictures of screens, which take more than 128 pixels to read."""

    @property
    def decoder_layers(self) -> int:
        return self.num_hidden_layers - 1

    @property
    def roles(self) -> tuple[int, int, int]:
        """The ids of the marks at which a person, the model and a tool begin to speak."""
        return self.user_token_id, self.assistant_token_id, self.tool_token_id

    @property
    def grid(self) -> int:
        """Patches along a side of the picture."""
        return self.image_size // self.patch_size

    @property
    def image_tokens(self) -> int:
        """Visual tokens of a picture, and so the number of ``<|loc_k|>`` tokens."""
        return (self.grid // self.shuffle) ** 2


PRESETS: dict[str, dict[str, Any]] = {
    "s": {"place_heads": 2},
    "m": {
        "place_heads": 2,
        "hidden_size": 384,
        "intermediate_size": 1024,
        "num_hidden_layers": 9,
        "num_attention_heads": 6,
        "num_key_value_heads": 3,
        "vision_hidden_size": 320,
        "vision_layers": 8,
        "vision_heads": 5,
    },
}


def preset(name: str, **changes: Any) -> NanoConfig:
    """The named preset, ``s`` or ``m``, with some fields changed. Raises ``KeyError``."""
    return NanoConfig(**{**PRESETS[name], **changes})
