"""Hallucination-augmented contrastive learning (HACL, arXiv 2312.06968) for the nano controller.

A picture and a caption are each read alone and pooled where they end: the decoder's last hidden
state at the end token. Pictures are drawn to their own captions and away from those of others and,
the point of it, away from captions in which one fact was changed. The captions are learned as
descriptions beside it.

The paper's code has projections and a learned temperature, and can use the changed captions only
without its queue; here hidden states are compared as they are, at a fixed temperature, within the
batch.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from mllm.data.captions import Change, caption_of
from mllm.data.phrasing import phrasings, vary
from mllm.data.scenes import Scene, render, sample_scene
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import END, IMAGE, LOCATIONS
from mllm.training import recipes, runner
from mllm.training.packing import Sample, pack
from mllm.training.preference import direct, squashed, start
from mllm.training.rows import rows

_AGAIN = 2**40  # between the numbers of scenes that are tried where no fact can be changed


def run(config: Path, resume: bool) -> Path:
    """Train by the recipe in ``config`` and return the folder of the model.

    Raises ``mllm.training.recipes.RecipeError`` for a recipe that cannot be used.
    """
    recipe = recipes.read(config, recipes.ContrastRecipe)
    model, processor = start(recipe.start, recipe.seed)

    def batch(step: int) -> runner.Batch:
        numbers = range(step * recipe.pictures, (step + 1) * recipe.pictures)
        return captions_batch(processor, recipe, numbers)

    def losses(model: NanoForConditionalGeneration, batch: runner.Batch) -> runner.Losses:
        return losses_of(model, batch, recipe)

    return runner.train(recipe, model, processor, batch, losses, resume=resume)


def contrastive_losses(
    images: Tensor, texts: Tensor, wrong: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Text-to-image and image-to-text InfoNCE over cosines, in the paper's order of equations.

    ``images`` and ``texts`` are ``(n, d)``, row i of the one belongs to row i of the other.
    ``wrong`` ``(m, d)`` are hallucinated captions, negatives to every picture; m may be 0.
    """
    images, texts, wrong = (F.normalize(x.float(), dim=-1) for x in (images, texts, wrong))
    own = torch.arange(len(images), device=images.device)
    to_image = F.cross_entropy(texts @ images.T / temperature, own)
    to_text = F.cross_entropy(images @ torch.cat([texts, wrong]).T / temperature, own)
    return to_image, to_text


def losses_of(
    model: NanoForConditionalGeneration, batch: runner.Batch, recipe: recipes.ContrastRecipe
) -> runner.Losses:
    """The loss of a batch. ``apart`` is the share of pictures that are nearer to their caption
    than to the changed one."""
    with torch.autocast(batch["texts"]["input_ids"].device.type, torch.bfloat16):
        images = model.represent(**batch["images"])[:, -1]
        texts, wrong = model.represent(**batch["texts"])[:, -1].chunk(2)
    to_image, to_text = contrastive_losses(images, texts, wrong, recipe.temperature)
    spoken = model(**batch["descriptions"]).loss
    near, far = (F.cosine_similarity(images, x, dim=-1) for x in (texts, wrong))
    return {
        "loss": spoken + recipe.contrast_weight * (to_image + to_text), "text": spoken,
        "to_image": to_image, "to_text": to_text, "apart": (near > far).float().mean(),
    }


def captions_batch(
    processor: NanoProcessor, recipe: recipes.ContrastRecipe, numbers: Iterable[int]
) -> runner.Batch:
    """Pictures alone, captions alone (the true ones, then the changed), and descriptions."""
    captioned = [_captioned(recipe.seed, number) for number in numbers]
    tokenizer = processor.tokenizer
    end, image = tokenizer.convert_tokens_to_ids([END, IMAGE])
    alone = [image] * len(LOCATIONS) + [end]
    texts = [
        tokenizer(text)["input_ids"] + [end]
        for text in (*(c.true for c in captioned), *(c.change.text for c in captioned))
    ]
    pictures = squashed(processor, [render(c.scene) for c in captioned])
    samples = [
        direct(processor, c.scene, c.task, c.true, c.change.caption.lang, number)
        for number, c in enumerate(captioned)
    ]
    pad = tokenizer.pad_token_id
    seen = rows([Sample(alone, [False] * len(alone), [i]) for i in range(len(captioned))], pad)
    inputs, _ = pack(samples, recipe.longest)
    return {
        "images": seen | {"pixel_values": pictures},
        "texts": rows([Sample(ids, [False] * len(ids)) for ids in texts], pad),
        "descriptions": inputs | {"pixel_values": pictures},
    }


@dataclass(frozen=True)
class _Captioned:
    scene: Scene
    change: Change
    task: str

    @property
    def true(self) -> str:
        return self.change.caption.text


def _captioned(seed: int, number: int) -> _Captioned:
    """The scene of that number with a caption, and with the same in which one fact is changed; or
    the next scene of which that can be said."""
    while True:
        rng = random.Random(f"contrast/{seed}/{number}")
        scene = sample_scene(seed, number)
        change = caption_of(scene, seed).changed(rng)
        if change is not None:
            tasks = phrasings(change.caption.lang)["extras"]["describe"]
            return _Captioned(scene, change, vary(rng.choice(tasks), rng))
        number += _AGAIN
