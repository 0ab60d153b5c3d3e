"""Preference tuning of the nano controller on counterfactual twins (``mllm.data.twins``).

Each picture is shown with two answers: its own, which is preferred, and that of its twin. The same
two answers come with the other picture, the other way round, so that no answer is liked for its
words. Where the recipe has negative instructions, they are learned beside it, as many as ordinary
questions, after LRV-Instruction (arXiv 2306.14565).

Texts on signs are left out: at the size that nano sees they cannot be read without a tool.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mllm.content import Artifact
from mllm.data.negatives import negatives
from mllm.data.programs import ReadText
from mllm.data.questions import questions
from mllm.data.scenes import Scene, render, sample_scene
from mllm.data.twin_pairs import Pair, pairs
from mllm.data.twins import Kind, Twins, twins
from mllm.episode import Episode, messages
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.chat import to_chat
from mllm.training import recipes, runner
from mllm.training.dpo import dpo_loss, log_likelihood, segment_weights
from mllm.training.lessons import pixels
from mllm.training.packing import Sample, pack
from mllm.training.pretrain import as_pixels
from mllm.training.rows import rows
from mllm.training.samples import assistant_sample

KINDS: tuple[Kind, ...] = ("count", "existence", "object", "color")
"""The twins that can be told apart by looking alone."""
UNREAD = "text"
"""The form of negative instructions that is left out."""
_AGAIN = 2**40  # between the numbers of twins that are tried where nothing can be asked


def run(config: Path, resume: bool) -> Path:
    """Train by the recipe in ``config`` and return the folder of the model.

    Raises ``mllm.training.recipes.RecipeError`` for a recipe that cannot be used.
    """
    recipe = recipes.read(config, recipes.PreferenceRecipe)
    model, processor = start(recipe.start, recipe.seed)
    reference = copy.deepcopy(model).requires_grad_(False)

    def batch(step: int) -> runner.Batch:
        numbers = range(step * recipe.twins, (step + 1) * recipe.twins)
        out: runner.Batch = {"pairs": twins_batch(processor, recipe, numbers)}
        if recipe.negatives:
            scenes = range(step * recipe.negatives, (step + 1) * recipe.negatives)
            out["negatives"] = negatives_batch(processor, recipe, scenes)
        return out

    def losses(model: NanoForConditionalGeneration, batch: runner.Batch) -> runner.Losses:
        return losses_of(model, reference, batch, recipe)

    return runner.train(recipe, model, processor, batch, losses, resume=resume)


def start(folder: Path, seed: int) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    """The model in a folder, to be trained on, and its processor. Raises ``RecipeError``."""
    if not (folder / "config.json").exists():
        raise recipes.RecipeError(
            f"no model to start from in {folder}: run `corvid train instruct` first"
        )
    torch.manual_seed(seed)
    model = NanoForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return model, NanoProcessor.from_pretrained(folder)


def twins_batch(
    processor: NanoProcessor, recipe: recipes.PreferenceRecipe, numbers: Iterable[int]
) -> runner.Batch:
    """Twins as model inputs: rows with the preferred answers, then in the same order rows with
    the rejected ones; ``weights`` ``(rows, k)`` of the last ``k`` tokens of each, 0 outside of
    the answer."""
    preferred: list[Sample] = []
    rejected: list[Sample] = []
    shown: list[Image.Image] = []
    for number in numbers:
        one, asked = told_apart(recipe.seed, number, recipe.questions)
        for pair in asked:
            for side, scene in enumerate(one.both):
                own, others = pair.answers[side], pair.answers[1 - side]
                at = len(shown) + side
                preferred.append(direct(processor, scene, pair.task, own, pair.lang, at))
                rejected.append(direct(processor, scene, pair.task, others, pair.lang, at))
        shown += [render(scene) for scene in one.both]
    out = rows([*preferred, *rejected], processor.tokenizer.pad_token_id)
    out["weights"] = _weights(preferred, rejected, recipe.gamma)
    out["pixel_values"] = squashed(processor, shown)
    return out


def told_apart(seed: int, number: int, n: int) -> tuple[Twins, list[Pair]]:
    """The twins of that number, or the next ones about which something can be asked, and what."""
    while True:
        one = twins(seed, number, kinds=KINDS)
        if asked := pairs(one, n):
            return one, asked
        number += _AGAIN


def negatives_batch(
    processor: NanoProcessor, recipe: recipes.PreferenceRecipe, numbers: Iterable[int]
) -> runner.Batch:
    """Negative instructions about scenes and as many ordinary questions, packed, with the answers
    to be learned. Of denials alone a model would learn to deny."""
    samples: list[Sample] = []
    shown: list[Image.Image] = []
    for number in numbers:
        scene = sample_scene(recipe.seed, number)
        denied = [
            (one.task, one.answer, one.lang)
            for one in negatives(scene, recipe.seed, n=4)
            if one.premise.form != UNREAD
        ]
        asked = [
            (q.text, q.say(), q.lang)
            for q in questions(scene, recipe.seed, n=12)
            if not any(isinstance(op, ReadText) for op in q.program.ops)
        ]
        samples += [
            direct(processor, scene, *talk, len(shown)) for talk in denied + asked[: len(denied)]
        ]
        shown.append(render(scene))
    inputs, _ = pack(samples, recipe.longest)
    return inputs | {"pixel_values": squashed(processor, shown)}


def direct(
    processor: NanoProcessor, scene: Scene, task: str, answer: str, lang: str, picture: int
) -> Sample:
    """A task answered by looking alone, as in a run without tools."""
    artifact = Artifact(
        id="img1", kind="image", sha256="", mime="image/png", width=scene.width,
        height=scene.height,
    )
    episode = Episode(task=task, media=(artifact,), lang=lang, answer=answer)
    return assistant_sample(processor, to_chat(messages(episode)), pictures=[picture])


def squashed(processor: NanoProcessor, shown: Sequence[Image.Image]) -> Tensor:
    """Pictures as the model sees them, ``(n, 3, size, size)``."""
    size = processor.image_processor.size["height"]
    return as_pixels(np.stack([pixels(image, size) for image in shown]))


def losses_of(
    model: NanoForConditionalGeneration, reference: NanoForConditionalGeneration,
    batch: runner.Batch, recipe: recipes.PreferenceRecipe,
) -> runner.Losses:
    """The loss of a batch. ``preferred`` is the share of pairs whose preferred answer is likelier
    than the other one, ``margin`` what has been gained over the reference."""
    inputs = {k: v for k, v in batch["pairs"].items() if k != "weights"}
    weights: Tensor = batch["pairs"]["weights"]
    reference.to(weights.device)  # type: ignore[arg-type]
    # Both at one precision, or the model would differ from the reference before it has learned.
    with torch.autocast(weights.device.type, torch.bfloat16):
        said = answer_log_probabilities(model, inputs, weights.shape[1])
        with torch.no_grad():
            before = answer_log_probabilities(reference, inputs, weights.shape[1])
    likely, unlikely = log_likelihood(said, weights, average=recipe.average).chunk(2)
    were, were_not = log_likelihood(before, weights, average=recipe.average).chunk(2)
    each, margin = dpo_loss(likely, unlikely, were, were_not, recipe.beta)
    losses = {
        "loss": each.mean(), "preference": each.mean(), "margin": margin.mean(),
        "preferred": (likely > unlikely).float().mean(), "likelihood": likely.mean(),
    }
    if "negatives" in batch:
        text = model(**batch["negatives"]).loss
        losses |= {"loss": losses["loss"] + recipe.negatives_weight * text, "negatives": text}
    return losses


def answer_log_probabilities(
    model: NanoForConditionalGeneration, inputs: runner.Batch, k: int
) -> Tensor:
    """Log-probabilities ``(rows, k)`` of the last ``k`` tokens of rows, given all before them."""
    logits = model(**inputs, use_cache=False, logits_to_keep=k + 1).logits
    out: Tensor = logits[:, :-1].gather(-1, inputs["input_ids"][:, -k:, None])[..., 0]
    return out


def _weights(preferred: Sequence[Sample], rejected: Sequence[Sample], gamma: float) -> Tensor:
    """How much each of the last tokens counts, ``(2 n, k)``."""
    samples = [*preferred, *rejected]
    out = torch.zeros(len(samples), max(len(s.ids) - s.learned.index(True) for s in samples))
    for i, (one, other) in enumerate(zip(preferred, rejected, strict=True)):
        both = segment_weights(_answer(one), _answer(other), gamma)
        for row, sample, weights in ((i, one, both[0]), (len(preferred) + i, other, both[1])):
            at = torch.tensor(sample.learned).nonzero()[:, 0] - len(sample.ids)
            out[row, at] = torch.tensor(weights)
    return out


def _answer(sample: Sample) -> list[int]:
    return [token for token, on in zip(sample.ids, sample.learned, strict=True) if on]
