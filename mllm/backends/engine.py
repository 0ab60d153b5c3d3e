"""A transformers image-text-to-text model as a function from new tokens to logits.

Everything that differs between architectures is here: how a picture is processed and encoded,
which positions tokens have, which cache the model wants.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import torch
import transformers
from huggingface_hub import HfApi, try_to_load_from_cache
from PIL import Image as PILImage
from torch import Tensor
from transformers import DynamicCache

import mllm.model  # noqa: F401  (registers nano with transformers)
from mllm.backends.growing_cache import GrowingLayer, growing
from mllm.backends.protocol import ModelError, WrongModel

# Untyped: transformers annotates its public face only in part.
hf: Any = transformers

SMALL = 1_000_000_000
"""Parameters below which a model runs in float32 on a CPU."""
HUB_SECONDS = 10.0
"""How long the hub may take to say whether it has a model."""

_TYPES = ("mm_token_type_ids", "token_type_ids")
_TOKENS = ("input_ids", "attention_mask", *_TYPES)


@dataclass
class Picture:
    """A picture as the model takes it. ``ids``: what its image token grows to, ``types``: 1 where
    they stand for pixels. ``inputs``: what the processor made of the pixels. ``encoded``: the
    vision tower's output, once it ran."""

    sha256: str
    ids: list[int]
    types: list[int]
    inputs: dict[str, Tensor]
    encoded: Any = None


@dataclass(frozen=True)
class Block:
    """The tokens ``start`` to ``end`` of a prompt, which are a picture."""

    start: int
    end: int
    picture: Picture


@dataclass
class Prompt:
    """Token ids of a whole conversation, and where in them its pictures are."""

    ids: list[int]
    blocks: list[Block] = field(default_factory=list)

    def keys(self) -> list[int | tuple[str, int]]:
        """One value a token, equal in two prompts exactly where their tokens mean the same: the
        id, and inside a picture which picture and place it is."""
        keys: list[int | tuple[str, int]] = list(self.ids)
        for block in self.blocks:
            for i in range(block.start, block.end):
                keys[i] = (block.picture.sha256, i - block.start)
        return keys


class Engine:
    """A loaded model and its processor. Sessions in several threads may share one."""

    def __init__(self, model: str, device: str | None, dtype: str | None) -> None:
        """Load ``model``, a folder or hub name. Raises ``ModelError``."""
        self.model, self.processor = _load(model, device, dtype)
        self.tokenizer = self.processor.tokenizer
        self.device = self.model.device
        config = self.model.config.get_text_config(decoder=True)
        self.vocabulary: int = config.vocab_size
        self.window: int | None = getattr(config, "max_position_embeddings", None)
        # One forward at a time: they would only slow each other down, and some architectures
        # keep state in the model.
        self._lock = Lock()
        self._text_config = config
        inner = getattr(self.model, "model", self.model)
        self._rope = getattr(inner, "get_rope_index", None)
        self._features = getattr(self.model, "get_image_features", None)
        accepts = inspect.signature(self.model.forward).parameters
        self._keeps_logits = "logits_to_keep" in accepts
        if "mm_encoder_outputs" not in accepts:
            self._features = None
        # Gemma lets the tokens of a picture see each other in both directions.
        self._types = next((k for k in _TYPES if k in accepts and self._rope is None), None)
        self.takes_rows = "position_ids" in accepts and all(
            type(layer) is GrowingLayer for layer in self.cache().layers
        )
        """Whether padding on the left leaves what follows as it is. Sliding windows and recurrent
        states would count it."""

    def picture(self, sha256: str, image: PILImage.Image) -> Picture:
        """Run the processor on one picture."""
        with self._lock:
            made = self.processor(
                text=[self.processor.image_token],
                images=[image],
                add_special_tokens=False,
                return_tensors="pt",
            )
        inputs = {k: v for k, v in made.items() if k not in _TOKENS}
        ids = made["input_ids"][0].tolist()
        types = next((made[k][0].tolist() for k in _TYPES if k in made), [0] * len(ids))
        return Picture(sha256, ids, types, self._placed(inputs))

    def prompt(self, text: str, pictures: Sequence[Picture]) -> Prompt:
        """Tokenise a rendered conversation and let its image tokens grow. Raises ``ModelError``
        when the template did not place every picture."""
        # Templates that do not write the token for the beginning of text leave it to the
        # tokenizer (as transformers' own apply_chat_template does).
        begun = self.tokenizer.bos_token and text.startswith(self.tokenizer.bos_token)
        with self._lock:
            ids = self.tokenizer(text, add_special_tokens=not begun)["input_ids"]
        marker = self.tokenizer.convert_tokens_to_ids(self.processor.image_token)
        if ids.count(marker) != len(pictures):
            raise ModelError(
                f"the model's chat template placed {ids.count(marker)} of {len(pictures)} "
                f"pictures: use a model whose template takes several pictures"
            )
        prompt, rest = Prompt([]), iter(pictures)
        for token in ids:
            if token != marker:
                prompt.ids.append(token)
                continue
            picture = next(rest)
            start = len(prompt.ids)
            prompt.ids += picture.ids
            prompt.blocks.append(Block(start, len(prompt.ids), picture))
        return prompt

    def cache(self) -> DynamicCache:
        """An empty cache with the kinds of layers that the architecture has."""
        return growing(DynamicCache(config=self._text_config))

    def positions(self, prompt: Prompt) -> Tensor | None:
        """Positions ``(3, 1, n)`` for models that give pictures two-dimensional ones (M-RoPE,
        Qwen2-VL, arXiv 2409.12191), over the whole prompt; None where the cache length is the
        position."""
        if self._rope is None:
            return None
        types = torch.zeros(1, len(prompt.ids), dtype=torch.int)
        for block in prompt.blocks:
            types[0, block.start : block.end] = torch.tensor(block.picture.types)
        grids = [b.picture.inputs["image_grid_thw"].cpu() for b in prompt.blocks]
        positions, _ = self._rope(
            torch.tensor([prompt.ids]),
            mm_token_type_ids=types,
            image_grid_thw=torch.cat(grids) if grids else None,
        )
        placed: Tensor = positions.to(self.device)
        return placed

    def following(self, start: Tensor, count: int) -> Tensor:
        """Positions of ``count`` words in each row from ``start`` ``(b,)`` on: ``(b, count)``, or
        ``(3, b, count)`` for a model with ``positions`` of its own."""
        rows = start[:, None] + torch.arange(count, device=start.device)
        return rows if self._rope is None else rows.expand(3, -1, -1)

    @torch.inference_mode()
    def forward(
        self,
        ids: Sequence[Sequence[int]],
        cache: DynamicCache,
        positions: Tensor | None = None,
        picture: Picture | None = None,
        mask: Tensor | None = None,
        keep: int = 1,
    ) -> Tensor:
        """Append ``ids``, ``b`` rows of ``t``, to the cache and return the logits
        ``(b, keep, vocabulary)`` after the last ``keep`` of them. ``picture``: the one whose block
        ends the only row. ``mask`` ``(b, past + t)``: zero where padding stands. Raises
        ``ModelError`` when memory runs out."""
        inputs: dict[str, Any] = {}
        if self._keeps_logits:
            inputs["logits_to_keep"] = keep
        if positions is not None:
            inputs["position_ids"] = positions
        with self._lock:
            if picture is not None and self._features is None:
                inputs |= picture.inputs
            elif picture is not None:
                if picture.encoded is None:
                    picture.encoded = self._encode(picture)
                inputs["mm_encoder_outputs"] = {"image": picture.encoded}
            past = cache.get_seq_length()
            if picture is not None and self._types is not None:
                text = past + len(ids[0]) - len(picture.types)
                inputs[self._types] = torch.tensor([[0] * text + picture.types], device=self.device)
            total = past + len(ids[0])
            if mask is None:
                mask = torch.ones(len(ids), total, dtype=torch.long, device=self.device)
            try:
                out = self.model(
                    input_ids=torch.tensor(ids, device=self.device),
                    attention_mask=mask,
                    past_key_values=cache,
                    use_cache=True,
                    **inputs,
                )
            except torch.OutOfMemoryError as error:
                raise ModelError(
                    f"the model ran out of memory at {mask.numel()} tokens: use fewer or smaller "
                    f"pictures, a smaller model, or another device"
                ) from error
        logits: Tensor = out.logits[:, -keep:]
        return logits

    def _encode(self, picture: Picture) -> Any:
        assert self._features is not None
        accepts = inspect.signature(self._features).parameters
        inputs = {k: v for k, v in picture.inputs.items() if k in accepts}
        encoded = self._features(**inputs, return_dict=True)
        picture.inputs.pop("pixel_values", None)  # of no more use, and large
        return encoded

    def _placed(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        return {
            k: v.to(self.device, self.model.dtype) if v.is_floating_point() else v.to(self.device)
            for k, v in inputs.items()
            if isinstance(v, Tensor)
        }


def _ask_for(model: str) -> None:
    """Raises whatever the hub answers, at once, for a model that is not on this machine: without
    a network ``from_pretrained`` asks again for minutes."""
    if Path(model).is_dir() or isinstance(try_to_load_from_cache(model, "config.json"), str):
        return
    HfApi().model_info(model, timeout=HUB_SECONDS)


def _load(model: str, device: str | None, dtype: str | None) -> tuple[Any, Any]:
    gpu = torch.cuda.is_available()
    place = device or ("cuda" if gpu else "cpu")
    bars = hf.utils.logging.is_progress_bar_enabled()
    hf.utils.logging.disable_progress_bar()
    try:
        _ask_for(model)
        processor = hf.AutoProcessor.from_pretrained(model)
        loaded = hf.AutoModelForImageTextToText.from_pretrained(model, dtype=dtype or "auto")
    except Exception as error:  # whatever a damaged or foreign folder makes the libraries raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if Path(model).is_dir():
            raise WrongModel(
                f"{model!r} does not load as an image-text-to-text model ({reason}): give the "
                f"folder of one, with its processor"
            ) from error
        raise WrongModel(
            f"no folder {model!r}, and it is not in the local hub cache nor to be had from the "
            f"hub: download it with `hf download {model}`, or give a folder"
        ) from error
    finally:
        if bars:
            hf.utils.logging.enable_progress_bar()
    if getattr(processor, "tokenizer", None) is None or not getattr(processor, "image_token", None):
        raise WrongModel(
            f"the processor of {model!r} has no image token: use a model that takes pictures in "
            f"its chat template"
        )
    if loaded.config.is_encoder_decoder:
        raise WrongModel(f"{model!r} is an encoder-decoder model: use a decoder-only one")
    if dtype is None:
        if place.startswith("cuda"):
            loaded = loaded.to(torch.bfloat16)
        elif loaded.num_parameters() < SMALL:
            loaded = loaded.float()
    try:
        loaded = loaded.to(place)
    except RuntimeError as error:
        raise ModelError(
            f"{model!r} does not fit on {place} ({str(error).splitlines()[0]}): use another "
            f"device or a smaller model"
        ) from error
    return loaded.eval(), processor
