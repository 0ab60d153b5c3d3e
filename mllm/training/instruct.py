"""Instruction tuning of the nano controller: plans, tool calls, answers, claims.

Every step packs the conversations of a few scenes and some short questions about views as in
pretraining, so that what the eyes have learned is not lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mllm.content import ToolSpec
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.training import recipes, runner
from mllm.training.deepen import deepen
from mllm.training.dense import DenseLoss
from mllm.training.lessons import Lessons, gather
from mllm.training.packing import pack
from mllm.training.pretrain import Questions, as_pixels, losses_of, picture_batch
from mllm.training.recorded import Recorded
from mllm.training.views import Views


def run(
    config: Path, tools: Sequence[ToolSpec], resume: bool, browser: Sequence[ToolSpec] = ()
) -> Path:
    """Train by the recipe in ``config`` on conversations with ``tools`` (partly renamed) and, on
    web pages, with those of the ``browser`` as well; return the folder of the model.

    Raises ``mllm.training.recipes.RecipeError`` for a recipe that cannot be used.
    """
    recipe = recipes.read(config, recipes.InstructRecipe)
    if not (recipe.start / "config.json").exists():
        raise recipes.RecipeError(
            f"no model to start from in {recipe.start}: run `corvid train pretrain` first"
        )
    torch.manual_seed(recipe.seed)
    model = NanoForConditionalGeneration.from_pretrained(recipe.start, dtype=torch.float32)
    if recipe.layers is not None:
        try:
            model = deepen(model, recipe.layers)
        except ValueError as error:
            raise recipes.RecipeError(f"{recipe.start}: {error}") from error
    processor = NanoProcessor.from_pretrained(recipe.start)
    lessons = Lessons(processor, tools, recipe.seed)
    recorded = _recorded(recipe, processor, [*tools, *browser])
    views = Views(recipe.seed + 1, recipe.views_pool, model.config.image_size, model.config.grid)
    questions = Questions(processor, recipe.seed + 1, recipe.turns)
    dense = DenseLoss(processor.tokenizer, recipe.seed)

    def batch(step: int) -> runner.Batch:
        numbers = list(range(step * recipe.views, (step + 1) * recipe.views))
        looked = [views[i] for i in numbers]
        out = picture_batch(looked)
        samples, shown = gather([lessons[step * recipe.lessons + i] for i in range(recipe.lessons)])
        own = [
            replace(s, pictures=[n + len(looked) for n in s.pictures]) for s in samples
        ]
        if recorded is not None:
            first = step * recipe.page_lessons
            own += [recorded[first + i] for i in range(recipe.page_lessons)]
        inputs, _ = pack([*own, *questions.samples(looked, numbers)], recipe.longest)
        if shown:
            out["pixel_values"] = torch.cat([out["pixel_values"], as_pixels(np.stack(shown))])
        return out | inputs

    def losses(model: NanoForConditionalGeneration, batch: runner.Batch) -> runner.Losses:
        return losses_of(model, batch, dense, recipe.dense_weight, recipe.evidence_weight)

    return runner.train(recipe, model, processor, batch, losses, resume=resume)


def _recorded(
    recipe: recipes.InstructRecipe, processor: NanoProcessor, tools: Sequence[ToolSpec]
) -> Recorded | None:
    if not recipe.page_lessons:
        return None
    try:
        return Recorded(processor, recipe.pages, tools, recipe.seed, recipe.longest)
    except (OSError, ValueError) as error:
        raise recipes.RecipeError(
            f"the episodes on pages cannot be used ({error}): make them with `corvid data pages`"
        ) from error
