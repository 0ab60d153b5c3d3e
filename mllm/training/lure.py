"""LURE's training (arXiv 2310.00754, algorithm 1): nano as the revisor of ``mllm.decoding.lure``.

It is shown a picture and a description with imagined objects in it, some of its objects masked,
and learns to give the true description.

The paper masks the objects of which the describing model was unsure. Here chance stands in for
the doubts, about true and imagined objects alike: so the revisor serves any model, and cannot
learn that whatever is masked is wrong, or that whatever is not is right.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from math import inf
from pathlib import Path

from PIL import Image
from pydantic import Field

from mllm.data.scenes import render, sample_scene
from mllm.decoding.lure import revision
from mllm.decoding.masking import Limits, Piece, masked, score
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.training import recipes, runner
from mllm.training.imagined import described
from mllm.training.packing import Sample, pack
from mllm.training.preference import direct, squashed, start

MOST = 3
"""Imagined objects of a description; none in one of four."""


class LURERecipe(recipes.Recipe):
    """A revisor, from a model that has learned to talk of pictures."""

    start: Path = Field(description="model folder to start from")
    scenes: int = Field(description="a step, each with a description to put right")
    doubt: float = Field(0.5, ge=0, le=1, description="share of the objects that are masked")
    eta: float = Field(0.8, gt=0, description="position from which on all are; above 1 none")
    longest: int = Field(512, description="tokens of the longest sample")


def run(config: Path, resume: bool) -> Path:
    """Train by the recipe in ``config`` and return the folder of the revisor.

    Raises ``mllm.training.recipes.RecipeError`` for a recipe that cannot be used.
    """
    recipe = recipes.read(config, LURERecipe)
    model, processor = start(recipe.start, recipe.seed)

    def batch(step: int) -> runner.Batch:
        numbers = range(step * recipe.scenes, (step + 1) * recipe.scenes)
        return revisions_batch(processor, recipe, numbers)

    return runner.train(recipe, model, processor, batch, losses_of, resume=resume)


def losses_of(model: NanoForConditionalGeneration, batch: runner.Batch) -> runner.Losses:
    """The loss of the true descriptions."""
    return {"loss": model(**batch).loss}


def revisions_batch(
    processor: NanoProcessor, recipe: LURERecipe, numbers: Iterable[int]
) -> runner.Batch:
    """Model inputs: of each scene a description to put right, and the right one to be learned."""
    samples: list[Sample] = []
    shown: list[Image.Image] = []
    for number in numbers:
        rng = random.Random(f"lure/{recipe.seed}/{number}")
        one = described(sample_scene(recipe.seed, number), rng, rng.randint(0, MOST))
        task = revision(doubted(one.imagined, recipe, rng))
        samples.append(direct(processor, one.scene, task, one.true, one.lang, len(shown)))
        shown.append(render(one.scene))
    inputs, _ = pack(samples, recipe.longest)
    return inputs | {"pixel_values": squashed(processor, shown)}


def doubted(text: str, recipe: LURERecipe, rng: random.Random) -> str:
    """``text`` with the objects masked that stand late, and of the others the recipe's share."""
    doubts = [
        Piece(one.mention.start, one.mention.end, inf)
        for one in score(text)
        if rng.random() < recipe.doubt
    ]
    return masked(text, score(text, doubts), Limits(position=recipe.eta))
