"""Instruction tuning: a run that stops and goes on ends where one ends that never stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import yaml

from mllm.model import NanoForConditionalGeneration
from mllm.training import instruct
from mllm.training.recipes import RecipeError
from tests.mllm.data.specs import TOOLS


def trained(start: Path, folder: Path, *, resume: bool = False) -> Path:
    recipe = folder / "recipe.yaml"
    settings = {
        "start": str(start), "folder": str(folder / "run"), "steps": 4, "warmup": 1,
        "decay": 2, "rate": 1e-3, "longest": 1408, "lessons": 1, "views": 1, "views_pool": 3,
        "turns": 2, "save_every": 2, "threads": 1,
    }
    recipe.write_text(yaml.safe_dump(settings))
    return instruct.run(recipe, TOOLS, resume)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return NanoForConditionalGeneration.from_pretrained(folder).state_dict()


def test_a_run_that_goes_on_is_the_run_that_never_stopped(
    tiny_folder: Path, tmp_path: Path
) -> None:
    out = trained(tiny_folder, tmp_path)
    whole, begun = weights(out), weights(tiny_folder)
    assert any(not torch.equal(whole[name], begun[name]) for name in whole)
    with pytest.raises(RecipeError, match="--resume"):
        trained(tiny_folder, tmp_path)
    shutil.rmtree(out)  # as if it had been killed after its second step
    shutil.rmtree(tmp_path / "run" / "checkpoint-4")
    parts = weights(trained(tiny_folder, tmp_path, resume=True))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_start_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="corvid train pretrain"):
        trained(tmp_path / "nowhere", tmp_path)
