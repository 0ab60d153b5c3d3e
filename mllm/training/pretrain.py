"""Pretraining of the nano controller: see, then say.

First every patch learns the word of what it shows (``dense``); then the decoder learns to read
those patches by short questions about the picture (``descriptions``), the dense loss staying on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mllm.model import (
    NanoForConditionalGeneration,
    NanoProcessor,
    build_processor,
    preset,
)
from mllm.model.mentions import LETTERS
from mllm.model.tokenizer import ASSISTANT, LOCATIONS, TOOL, USER, letters, train_tokenizer
from mllm.training import recipes, runner, vocabulary
from mllm.training.dense import DenseLoss
from mllm.training.descriptions import Turn, glances, searches, turns
from mllm.training.packing import Sample, pack
from mllm.training.samples import assistant_sample
from mllm.training.views import View, Views, stream


def run(config: Path, resume: bool) -> Path:
    """Train by the recipe in ``config`` and return the folder of the model.

    Raises ``mllm.training.recipes.RecipeError`` for a recipe that cannot be used.
    """
    recipe = recipes.read(config, recipes.PretrainRecipe)
    torch.manual_seed(recipe.seed)
    model, processor = build(recipe.preset)
    size, grid = model.config.image_size, model.config.grid
    views = Views(recipe.seed, recipe.pool, size, grid)
    questions = Questions(processor, recipe.seed, recipe.turns)
    dense = DenseLoss(processor.tokenizer, recipe.seed)

    def batch(step: int) -> runner.Batch:
        numbers = range(step * recipe.pictures, (step + 1) * recipe.pictures)
        shown = [views[i] for i in numbers]
        out = picture_batch(shown)
        if step >= recipe.dense_steps:
            out |= questions(shown, list(numbers))
        return out

    def losses(model: NanoForConditionalGeneration, batch: runner.Batch) -> runner.Losses:
        return losses_of(model, batch, dense, recipe.dense_weight)

    return runner.train(recipe, model, processor, batch, losses, resume=resume)


def build(name: str) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    """A new model of a preset, with its tokenizer trained on the nano world's words."""
    tokenizer = train_tokenizer(vocabulary.texts())
    config = preset(
        name,
        vocab_size=-(-len(tokenizer) // 64) * 64,
        image_token_id=tokenizer.image_token_id,
        user_token_id=tokenizer.convert_tokens_to_ids(USER),
        assistant_token_id=tokenizer.convert_tokens_to_ids(ASSISTANT),
        tool_token_id=tokenizer.convert_tokens_to_ids(TOOL),
        first_location_id=tokenizer.convert_tokens_to_ids(LOCATIONS[0]),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = NanoForConditionalGeneration(config)
    model.mentions.letters[: len(tokenizer)] = letters(tokenizer, LETTERS)
    return model, build_processor(tokenizer, config)


class Questions:
    """Short questions about views as packed model inputs. All those about a view share its
    picture, and each one is a conversation of its own: a second question in the same conversation
    would be answered by reading the answer to the first, not by looking. Only glances and searches
    come in a row, each about another place or thing."""

    def __init__(self, processor: NanoProcessor, seed: int, turns: int) -> None:
        self.processor, self.seed, self.number = processor, seed, turns

    def samples(self, views: list[View], numbers: list[int]) -> list[Sample]:
        return [  # of a view that shows hardly anything there may be nothing to ask
            assistant_sample(self.processor, chat, pictures=[i], every=True)
            for i, (view, number) in enumerate(zip(views, numbers, strict=True))
            for chat in self._chats(view, number)
        ]

    def __call__(self, views: list[View], numbers: list[int]) -> runner.Batch:
        samples = self.samples(views, numbers)
        inputs, _ = pack(samples, sum(len(s.ids) for s in samples))
        return inputs

    def _chats(self, view: View, number: int) -> list[list[dict[str, object]]]:
        rng = stream(self.seed, number, "questions")
        named = f"[img1 {rng.randint(100, 800)}x{rng.randint(100, 800)}]"
        drills = (glances(view, rng, self.number), searches(view, rng, self.number))
        asked = [[turn] for turn in dict.fromkeys(turns(view, rng, self.number))]
        return [_chat(named, talk) for talk in (*drills, *asked) if talk]


def _chat(named: str, talk: list[Turn]) -> list[dict[str, object]]:
    """Questions, one after the other, about one picture."""
    chat: list[dict[str, object]] = []
    for ask, answer in talk:
        text = {"type": "text", "text": "\n" + ask}
        opening = [] if chat else [{"type": "text", "text": named}, {"type": "image"}]
        chat += [
            {"role": "user", "content": [*opening, text]},
            {"role": "assistant", "content": [{"type": "text", "text": answer}]},
        ]
    return chat


def picture_batch(views: list[View]) -> runner.Batch:
    """Pixels in -1..1 and dense labels of views."""
    return {
        "pixel_values": as_pixels(np.stack([v.pixels for v in views])),
        "categories": torch.from_numpy(np.stack([v.categories for v in views])).flatten(1),
        "colors": torch.from_numpy(np.stack([v.colors for v in views])).flatten(1),
    }


def as_pixels(pictures: NDArray[np.uint8]) -> Tensor:
    """``(n, size, size, 3)`` bytes to ``(n, 3, size, size)`` in -1..1."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def losses_of(
    model: NanoForConditionalGeneration, batch: runner.Batch, dense: DenseLoss, weight: float,
    evidence: float = 0.0,
) -> runner.Losses:
    """The dense loss of the first pictures of a batch, those with labels, and the loss of its
    text, where it has any. ``evidence`` weighs how far pointers are from what tools said."""
    inputs = {k: v for k, v in batch.items() if k not in ("categories", "colors")}
    text: Tensor | None = None
    unfounded: Tensor | None = None
    if "input_ids" in inputs:
        out = model(**inputs)
        aligned, text, unfounded = out.aligned, out.loss, out.unfounded
    else:
        aligned = model.see(inputs["pixel_values"])[1]
    matrix = model.get_input_embeddings().weight
    labelled = batch["categories"].shape[0]
    seen, right = dense(aligned[:labelled], batch["categories"], batch["colors"], matrix)
    losses = {"loss": seen, "dense": seen, "patches": right}
    if text is not None and unfounded is not None:
        whole = text + weight * seen + evidence * unfounded
        losses |= {"loss": whole, "text": text, "unfounded": unfounded}
    return losses
