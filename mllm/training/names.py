"""Training the namer (``mllm.naming``): what does a part of a picture show?

    corvid train names [--config ...] [--resume]

The parts are bent, repainted, filtered and hidden in part, differently each time, because the
designs are few and the unseen one is what counts. What is shipped is a running mean of the weights.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np
import torch
import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample
from tqdm import trange  # type: ignore[import-untyped]

from mllm.naming import SIDE, Namer
from mllm.training.detector_data import Sorts
from mllm.training.parts import Parts
from mllm.training.plots import plot_log
from mllm.training.recipes import RecipeError
from mllm.training.textures import other_textures

MEMORY = 0.998
"""Of the running mean, a step; less at the beginning."""
HIDDEN = 0.25
"""Share of the parts of which a square is hidden."""


class Recipe(BaseModel):
    """What makes a namer. Unknown keys are an error."""

    model_config = ConfigDict(extra="forbid")

    folder: Path = Field(description="parts, the checkpoint, plot and weights go here")
    seed: int
    pictures: Sorts = Field(description="that the parts are cut from")
    steps: int
    batch: int = Field(description="parts a step")
    rate: float = Field(description="AdamW's, at its highest; cosine to nearly nothing")
    warmup: int = 100
    save_every: int = 200


def run(config: Path, resume: bool = False) -> Path:
    """Train by a recipe file and return the weights, ``names.safetensors`` in its folder; to be
    put beside those of the detector.

    Raises ``RecipeError`` for a recipe that cannot be used, and where there is a checkpoint that is
    not to be resumed.
    """
    try:
        recipe = Recipe.model_validate(yaml.safe_load(config.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise RecipeError(f"{config} is not a valid recipe: {error}") from error
    last = recipe.folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(
            f"{recipe.folder} holds a run already: continue it with --resume, or remove the folder"
        )
    parts = Parts.of(recipe.folder / "parts", recipe.seed, recipe.pictures)
    _seed(recipe, 0)
    namer = Namer().to(memory_format=torch.channels_last)
    mean = copy.deepcopy(namer)
    optimizer = torch.optim.AdamW(namer.parameters(), recipe.rate, weight_decay=0.05)
    first, log = 0, []
    if last.exists():
        kept = torch.load(last, weights_only=True)
        first, log = kept["step"], kept["log"]
        for thing, name in ((namer, "namer"), (mean, "mean"), (optimizer, "optimizer")):
            thing.load_state_dict(kept[name])
    losses: list[float] = []
    for step in trange(first, recipe.steps, initial=first, total=recipe.steps, desc="namer"):
        rate = recipe.rate * _share(step, recipe)
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses.append(_learn(namer, optimizer, *_batch(parts, recipe, step)))
        _follow(mean, namer, min(MEMORY, (step + 1) / (step + 20)))
        if (done := step + 1) % recipe.save_every == 0 or done == recipe.steps:
            log.append({"step": done, "loss": sum(losses) / len(losses), "learning_rate": rate})
            losses.clear()
            _keep(last, {
                "step": done, "log": log, "namer": namer.state_dict(),
                "mean": mean.state_dict(), "optimizer": optimizer.state_dict(),
            })  # fmt: skip
    plot_log(log, recipe.folder / "loss.png")
    return mean.save(recipe.folder / "names.safetensors")


def _batch(parts: Parts, recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
    """Parts ``(n, 3, 64, 64)`` in 0..1 and their classes, a pure function of the step."""
    _seed(recipe, step + 1)
    chosen = np.sort(torch.randint(len(parts.classes), (recipe.batch,)).numpy())
    pixels = torch.from_numpy(parts.pixels[chosen]).permute(0, 3, 1, 2).float() / 255
    return varied(pixels), torch.from_numpy(parts.classes[chosen])


def _learn(
    namer: Namer, optimizer: torch.optim.Optimizer, parts: Tensor, classes: Tensor
) -> float:
    """One step; returns the loss."""
    namer.train()
    with torch.autocast("cpu", torch.bfloat16):
        scores = namer((parts - 0.5).contiguous(memory_format=torch.channels_last))
    loss = cross_entropy(scores.float(), classes, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(namer.parameters(), 2.0)
    optimizer.step()
    return loss.item()


def varied(parts: Tensor) -> Tensor:
    """Parts ``(n, 3, s, s)`` in 0..1 as ``(n, 3, 64, 64)``: moved, turned, mirrored, in other
    colours, light and textures, some with a square hidden."""
    moved = grid_sample(
        parts, _ways(len(parts)), padding_mode="border", align_corners=False, mode="bilinear"
    )
    return _hidden(other_textures(_repainted(moved).clamp(0, 1)))


def _ways(n: int) -> Tensor:
    """Where each pixel comes from, ``(n, 64, 64, 2)``."""
    scale, turn = _between(n, 0.72, 1.0), _between(n, -0.25, 0.25)
    wide = scale * torch.exp(_between(n, -0.08, 0.08))
    mirrored = torch.where(torch.rand(n) < 0.5, 1.0, -1.0)
    x = (wide * torch.cos(turn) * mirrored, -scale * torch.sin(turn), _between(n, -0.12, 0.12))
    y = (wide * torch.sin(turn) * mirrored, scale * torch.cos(turn), _between(n, -0.12, 0.12))
    matrix = torch.stack([torch.stack(x, 1), torch.stack(y, 1)], 1)
    return affine_grid(matrix, [n, 3, SIDE, SIDE], align_corners=False)


def _repainted(parts: Tensor) -> Tensor:
    """Channels mixed in three of five, some grey, and another contrast and light."""
    n = len(parts)
    mix = torch.eye(3) + 0.25 * torch.randn(n, 3, 3) * (torch.rand(n, 1, 1) < 0.6)
    mix = torch.where(torch.rand(n, 1, 1) < 0.12, torch.full((3, 3), 1 / 3), mix)
    contrast = torch.exp(_between(n, -0.35, 0.35)).view(-1, 1, 1, 1)
    light = _between(n, -0.15, 0.15).view(-1, 1, 1, 1)
    mixed: Tensor = torch.einsum("nij,njhw->nihw", mix, parts - 0.5) * contrast + 0.5 + light
    return mixed


def _hidden(parts: Tensor) -> Tensor:
    """Some with a square of one colour in front (Random Erasing, arXiv 1708.04896)."""
    for number in torch.nonzero(torch.rand(len(parts)) < HIDDEN).flatten().tolist():
        side = int(torch.randint(8, 28, ()))
        x, y = (int(torch.randint(0, SIDE - side, ())) for _ in range(2))
        parts[number, :, y : y + side, x : x + side] = torch.rand(3, 1, 1)
    return parts


def _between(n: int, low: float, high: float) -> Tensor:
    return torch.empty(n).uniform_(low, high)


def _follow(mean: Namer, namer: Namer, memory: float) -> None:
    with torch.no_grad():
        for kept, new in zip(mean.state_dict().values(), namer.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - memory)


def _share(step: int, recipe: Recipe) -> float:
    """Of the full rate: a linear rise, a cosine to a hundredth."""
    fall = (1 + math.cos(math.pi * step / recipe.steps)) / 2
    return min(1.0, (step + 1) / recipe.warmup) * max(0.01, fall)


def _seed(recipe: Recipe, step: int) -> None:
    torch.manual_seed(recipe.seed * 1_000_003 + step)


def _keep(path: Path, content: dict[str, object]) -> None:
    """Write a checkpoint; the last one stays until this is whole."""
    new = path.with_suffix(".new")
    torch.save(content, new)
    new.replace(path)
