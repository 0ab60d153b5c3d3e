"""One training run, whatever the stage: transformers' Trainer over a stream of ready batches.

A stage is a function from the step number to the batch, and another from the batch to the loss.
Since batch k is a pure function of k, a run resumes at the step of its last checkpoint with the
batches that it would have had.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import IterableDataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.training.optimizer import MuonAdamW
from mllm.training.plots import plot_log
from mllm.training.recipes import Recipe, RecipeError

Batch = dict[str, Any]
Losses = dict[str, Tensor]
"""Named scalars; ``loss`` is minimised, the others are logged."""


def train(
    recipe: Recipe,
    model: NanoForConditionalGeneration,
    processor: NanoProcessor,
    batch: Callable[[int], Batch],
    losses: Callable[[NanoForConditionalGeneration, Batch], Losses],
    *,
    resume: bool,
) -> Path:
    """Train and return the folder of the model, ``recipe.folder / "model"``.

    Checkpoints, ``log_history`` in them, and ``loss.png`` lie in ``recipe.folder``. Raises
    ``RecipeError`` when the folder holds checkpoints and ``resume`` is false.
    """
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    recipe.folder.mkdir(parents=True, exist_ok=True)
    checkpoint: str | None = get_last_checkpoint(  # type: ignore[no-untyped-call]
        str(recipe.folder)
    )
    if checkpoint and not resume:
        raise RecipeError(
            f"{recipe.folder} holds a run already: continue it with --resume, or remove the folder"
        )
    start = int(checkpoint.rsplit("-", 1)[1]) if checkpoint else 0
    trainer = _Trainer(
        model=model,
        args=_arguments(recipe),
        train_dataset=_Stream(batch, start),
        data_collator=_only,
        losses=losses,
        recipe=recipe,
    )
    trainer.train(resume_from_checkpoint=checkpoint)
    out = recipe.folder / "model"
    save(model, processor, out)
    plot_log(trainer.state.log_history, recipe.folder / "loss.png")
    return out


def save(model: NanoForConditionalGeneration, processor: NanoProcessor, folder: Path) -> None:
    """Write the model in bfloat16 and its processor."""
    half = copy.deepcopy(model).bfloat16()
    half.save_pretrained(folder)
    processor.save_pretrained(folder)


def schedule(step: int, recipe: Recipe) -> float:
    """Share of the full rate at a step: linear warm-up, level, linear fall to a tenth."""
    left = (recipe.steps - step) / max(recipe.decay, 1)
    return min(1.0, (step + 1) / max(recipe.warmup, 1), 0.1 + 0.9 * max(left, 0.0))


class _Stream(IterableDataset[Batch]):
    def __init__(self, batch: Callable[[int], Batch], start: int) -> None:
        self.batch, self.start = batch, start

    def __iter__(self) -> Iterator[Batch]:
        step = self.start
        while True:
            yield self.batch(step)
            step += 1


def _only(batches: list[Batch]) -> Batch:
    return batches[0]


def _arguments(recipe: Recipe) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(recipe.folder),
        max_steps=recipe.steps,
        per_device_train_batch_size=1,
        ignore_data_skip=True,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        max_grad_norm=1.0,
        logging_steps=min(10, recipe.steps),
        save_steps=recipe.save_every,
        save_total_limit=2,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        # A dispatcher would cut every tensor of a batch to the length of the first.
        accelerator_config={"dispatch_batches": False},
        seed=recipe.seed,
    )


class _Trainer(Trainer):
    """Trainer with our optimiser and named losses in its log."""

    def __init__(
        self,
        *,
        losses: Callable[[NanoForConditionalGeneration, Batch], Losses],
        recipe: Recipe,
        model: NanoForConditionalGeneration,
        **rest: Any,
    ) -> None:
        self.losses = losses
        self.seen: dict[str, list[Tensor]] = defaultdict(list)
        optimizer = MuonAdamW(model, recipe.rate)
        rate = LambdaLR(optimizer, partial(schedule, recipe=recipe))
        super().__init__(model=model, optimizers=(optimizer, rate), **rest)

    def compute_loss(
        self,
        model: Any,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        losses = self.losses(model, inputs)
        for name, value in losses.items():
            if name != "loss":
                self.seen[name].append(value.detach())
        return (losses["loss"], losses) if return_outputs else losses["loss"]

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        for name, values in self.seen.items():
            logs[name] = round(float(torch.stack(values).mean()), 4)
        self.seen.clear()
        super().log(logs, *args, **kwargs)
