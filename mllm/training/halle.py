"""HallE-Control's training (arXiv 2310.01779): the matrix W of ``mllm.decoding.halle``, for nano.

Every scene is described twice, by what is there and with imagined objects as well; W learns to say
the first at epsilon -1 and the second at +1. Nothing else learns. W begins at zero, so that the
first step is taken from the model as it is.

Both kinds are exact by the labels of the scenes. The peer's data carry the +1 or -1 of each
description as ``hall_factor``, and what it calls sigma is epsilon.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from tqdm import trange  # type: ignore[import-untyped]

from mllm.data.scenes import render, sample_scene
from mllm.decoding import halle
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.training import recipes
from mllm.training.imagined import described
from mllm.training.packing import pack
from mllm.training.plots import plot_log
from mllm.training.preference import direct, squashed, start
from mllm.training.runner import Batch, Losses, schedule

STATE = "state.pt"
KINDS = {"contextual": -1.0, "imagined": 1.0}
"""The kinds of descriptions and the epsilon at which each is learned."""
MOST = 3
"""Imagined objects of a description."""


class HallERecipe(recipes.Recipe):
    """W for a model that stays as it is."""

    start: Path = Field(description="model folder that W is for")
    scenes: int = Field(description="a step, each with a description of each kind")
    longest: int = Field(512, description="tokens of the longest description")


def run(config: Path, resume: bool) -> Path:
    """Train by the recipe in ``config`` and return the file of W.

    ``state.pt``, from which a run resumes, and ``loss.png`` lie beside it. Raises ``RecipeError``
    for a recipe that cannot be used, and when its folder holds a run and ``resume`` is false.
    """
    recipe = recipes.read(config, HallERecipe)
    model, processor = start(recipe.start, recipe.seed)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.requires_grad_(False).to(device)  # type: ignore[arg-type]
    training = Training(recipe, model)
    state = recipe.folder / STATE
    if state.is_file():
        if not resume:
            raise recipes.RecipeError(
                f"{recipe.folder} holds a run already: continue it with --resume, or remove it"
            )
        training.load(state)
    recipe.folder.mkdir(parents=True, exist_ok=True)
    for step in trange(training.done, recipe.steps, initial=training.done, total=recipe.steps):
        numbers = range(step * recipe.scenes, (step + 1) * recipe.scenes)
        training.step(descriptions_batch(processor, recipe, numbers))
        if training.done % recipe.save_every == 0:
            training.save(state)
    training.save(state)
    plot_log(training.log, recipe.folder / "loss.png")
    return halle.write(training.projection, recipe.folder)


def descriptions_batch(
    processor: NanoProcessor, recipe: HallERecipe, numbers: Iterable[int]
) -> dict[str, Batch]:
    """Model inputs for each of ``KINDS``: the same scenes, described in that way."""
    told = []
    for number in numbers:
        rng = random.Random(f"halle/{recipe.seed}/{number}")
        told.append(described(sample_scene(recipe.seed, number), rng, rng.randint(1, MOST)))
    pictures = squashed(processor, [render(one.scene) for one in told])
    out: dict[str, Batch] = {}
    for kind in KINDS:
        samples = [
            direct(
                processor, one.scene, one.task,
                one.true if kind == "contextual" else one.imagined, one.lang, picture,
            )
            for picture, one in enumerate(told)
        ]
        inputs, _ = pack(samples, recipe.longest)
        out[kind] = inputs | {"pixel_values": pictures}
    return out


def losses_of(
    model: NanoForConditionalGeneration, projection: Tensor, batch: dict[str, Batch]
) -> Losses:
    """The mean loss of both kinds of descriptions, and that of each."""
    each = {}
    for kind, inputs in batch.items():
        with halle.moved(model, projection, KINDS[kind]), _half(projection.device):
            each[kind] = model(**inputs).loss
    return {"loss": torch.stack(list(each.values())).mean(), **each}


class Training:
    """W, its optimiser, and how far they have come."""

    def __init__(self, recipe: HallERecipe, model: NanoForConditionalGeneration) -> None:
        size = model.config.hidden_size
        self.model = model
        self.projection = torch.nn.Parameter(torch.zeros(size, size, device=model.device))
        self.optimizer = torch.optim.AdamW([self.projection], lr=recipe.rate, weight_decay=0.0)
        self.rate = LambdaLR(self.optimizer, partial(schedule, recipe=recipe))
        self.log: list[dict[str, float]] = []
        self.done = 0

    def step(self, batch: dict[str, Batch]) -> None:
        device = self.projection.device
        placed = {
            kind: {name: value.to(device) for name, value in inputs.items()}
            for kind, inputs in batch.items()
        }
        losses = losses_of(self.model, self.projection, placed)
        self.optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([self.projection], 1.0)
        self.optimizer.step()
        rate = float(self.rate.get_last_lr()[0])
        entry = {name: float(value.detach()) for name, value in losses.items()}
        self.log.append({"step": self.done, "learning_rate": rate, **entry})
        self.rate.step()
        self.done += 1

    def save(self, path: Path) -> None:
        """All of it, whole or not at all."""
        new = path.with_suffix(".new")
        torch.save(self._parts() | {"done": self.done, "log": self.log}, new)
        new.replace(path)

    def load(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        with torch.no_grad():
            self.projection.copy_(state["projection"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.load_state_dict(state["rate"])
        self.done, self.log = state["done"], state["log"]

    def _parts(self) -> dict[str, Any]:
        return {
            "projection": self.projection.detach(),
            "optimizer": self.optimizer.state_dict(),
            "rate": self.rate.state_dict(),
        }


def _half(device: torch.device) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, torch.bfloat16)
