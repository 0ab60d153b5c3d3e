"""Training the nano YOLO detectors, of objects in scenes and of controls on screens, with
ultralytics' own trainer.

    corvid train detector [--config mllm/training/recipes/elements.yaml] [--resume]

Reads top-down: the recipe, the pictures on disk, the fit, the shipped file. The trainer adds three
things to ultralytics': bfloat16 and channels-last on CPUs (2.2 times the pictures per second of
float32 on a core with avx512_bf16), epochs of a chosen length over a larger pool of pictures, and
a learning rate that falls with every step instead of every epoch.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import torch
import yaml  # type: ignore[import-untyped]
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch.nn.functional import interpolate
from tqdm import trange  # type: ignore[import-untyped]

from mllm.data.scenes import render, sample_scene
from mllm.familiarity import Familiarity, features
from mllm.training import detector_data, screen_data
from mllm.training.recipes import RecipeError
from mllm.training.textures import other_textures
from mllm.yolo import FAMILIAR, NANO, quiet

THREADS = torch.get_num_threads()
"""What ultralytics would lower: on two cores it trains on one."""
quiet(verbose=True)

import ultralytics  # noqa: E402
from ultralytics.data.build import InfiniteDataLoader  # noqa: E402
from ultralytics.models import YOLO  # noqa: E402
from ultralytics.models.yolo.detect import DetectionTrainer  # noqa: E402
from ultralytics.nn.tasks import load_checkpoint  # noqa: E402


class Recipe(BaseModel):
    """What makes a set of weights. Unknown keys are an error."""

    model_config = ConfigDict(extra="forbid")

    folder: Path = Field(description="data, checkpoints and plots go here")
    seed: int
    pictures: detector_data.Counts | screen_data.Parts = Field(description="of scenes, or screens")
    per_epoch: int = Field(description="pictures drawn for an epoch, of all there are")
    familiar: int | None = Field(
        None, description="scenes that tell it what is like its world; without, it looks at all"
    )
    warm: bool = Field(False, description="begins with what the shipped detector of objects knows")
    first_size: float = Field(description="training starts at this share of imgsz")
    ultralytics: dict[str, Any] = Field(description="arguments of ultralytics' trainer")


def run(config: Path, resume: bool = False) -> Path:
    """Train by a recipe file and return the finished weights, ``nano.pt`` in the recipe's folder.

    With ``resume`` the last checkpoint there is continued; without one the training starts anew.
    ``results.png`` and ``results.csv`` in ``fit`` beside it show the course. Raises
    ``RecipeError`` for a recipe with missing or unknown keys.
    """
    try:
        recipe = Recipe.model_validate(yaml.safe_load(config.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise RecipeError(f"{config} is not a valid recipe: {error}") from error
    data = _pictures(recipe)
    last = recipe.folder / "fit" / "weights" / "last.pt"
    resume = resume and last.exists()
    if not (resume and _finished(last)):
        arguments = recipe.ultralytics | {
            "data": str(data),
            "project": str(recipe.folder.resolve()),
            "name": "fit",
            "exist_ok": True,
            "resume": str(last) if resume else False,
            "pretrained": str(NANO) if recipe.warm else False,
        }
        Trainer(recipe.per_epoch, recipe.first_size, overrides=arguments).train()  # type: ignore[no-untyped-call]
    weights = ship(last, recipe.folder / "nano.pt")
    if recipe.familiar is not None:
        acquaint(weights, recipe.seed + 5, recipe.familiar)
    return weights


def _pictures(recipe: Recipe) -> Path:
    """The ``data.yaml`` of the recipe's pictures, which are written where they are not yet."""
    folder = recipe.folder / "data"
    if isinstance(recipe.pictures, detector_data.Counts):
        return detector_data.write(folder, recipe.seed, recipe.pictures)
    side = int(recipe.ultralytics["imgsz"])
    return screen_data.write(folder, recipe.seed, recipe.pictures, side)


def _finished(checkpoint: Path) -> bool:
    """Whether a training came to its end: then its optimizer is gone, and its epoch is -1."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=False)["epoch"]) < 0


def ship(checkpoint: Path, out: Path) -> Path:
    """Write the averaged weights of a checkpoint in half precision, without traces of its run."""
    model = load_checkpoint(checkpoint)[0]  # type: ignore[no-untyped-call]
    arguments = {"task": "detect", "imgsz": model.args["imgsz"]}
    model.args, model.pt_path, model.criterion = arguments, "", None
    model.requires_grad_(False)
    content = {
        "model": model.to(memory_format=torch.contiguous_format).half(),
        "train_args": arguments,
        "version": ultralytics.__version__,
        "license": "AGPL-3.0-or-later",
    }
    torch.save(content, out)
    return out


def acquaint(weights: Path, seed: int, n: int) -> Path:
    """Write ``familiar.npz`` beside a detector's weights: what pictures of its world look like to
    it, from ``n`` scenes, half of them for the limit. Some are scaled, as in use; whether a part of
    a picture is familiar, the whole says."""
    network = YOLO(str(weights)).model.model.float()  # type: ignore[union-attr]
    rng = random.Random(seed)
    seen = [
        features(network, _as_met(render(sample_scene(seed, i)), rng)) for i in trange(n)
    ]
    out = weights.with_name(FAMILIAR)
    Familiarity.fit(seen[::2], seen[1::2]).save(out)
    return out


def _as_met(picture: Image.Image, rng: random.Random) -> Image.Image:
    """The picture, or the picture in another size."""
    if rng.random() > 0.15:
        return picture
    scale = rng.uniform(0.5, 3)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


class Trainer(DetectionTrainer):
    """ultralytics' detection trainer, made fast on CPUs and cosine-scheduled by the step."""

    def __init__(self, per_epoch: int, first_size: float, overrides: dict[str, Any]) -> None:
        super().__init__(overrides=overrides)
        self._per_epoch = per_epoch
        self._first_size = first_size
        self._step = -1
        self._done = 0.0
        self.add_callback("on_train_batch_start", Trainer._set_rates)

    def get_model(self, *args: Any, **kwargs: Any) -> torch.nn.Module:
        model: torch.nn.Module = super().get_model(*args, **kwargs)
        return model.to(memory_format=torch.channels_last)

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        batch = super().preprocess_batch(batch)
        images, side = batch["img"], self._side()
        if side != images.shape[-1]:
            images = interpolate(images, (side, side), mode="bilinear", antialias=True)
        images = other_textures(images)
        batch["img"] = images.contiguous(memory_format=torch.channels_last)
        return batch

    def _side(self) -> int:
        """Pixels of training pictures now: growing to the full size, in steps of the stride."""
        full = int(self.args.imgsz)
        share = self._first_size + (1 - self._first_size) * self._done
        return min(full, round(full * share / self.stride) * self.stride)

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        if mode != "train":
            return super().get_dataloader(dataset_path, batch_size, rank, mode)
        dataset = self.build_dataset(dataset_path, mode, batch_size)
        count = min(self._per_epoch, len(dataset))
        return InfiniteDataLoader(
            dataset,
            batch_size,
            sampler=torch.utils.data.RandomSampler(dataset, num_samples=count),
            collate_fn=dataset.collate_fn,
            num_workers=self.args.workers,
            drop_last=True,
        )

    def _setup_train(self) -> None:
        super()._setup_train()  # type: ignore[no-untyped-call]
        if self.device.type == "cpu":
            self.amp = True  # torch's autocast on CPUs is bfloat16; ultralytics offers none there
            torch.set_num_threads(THREADS)

    def _set_rates(self) -> None:
        """Cosine from 1 to lrf of each group's rate over all steps, after a linear warm-up."""
        steps = len(self.train_loader)
        self._step = max(self._step + 1, self.epoch * steps)
        self._done = self._progress(steps)
        warm = min(1.0, self._step / (self.args.warmup_epochs * steps + 1))
        share = self.args.lrf + (1 - self.args.lrf) * (1 + math.cos(math.pi * self._done)) / 2
        for group in self.optimizer.param_groups:  # type: ignore[attr-defined]
            group["lr"] = group["initial_lr"] * warm * share

    def _progress(self, steps: int) -> float:
        """Share of the training that is done, 0 to 1."""
        return float(self._step / (steps * self.epochs))
