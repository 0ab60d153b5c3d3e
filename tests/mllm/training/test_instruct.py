"""Instruction tuning: a run that stops and goes on ends where one ends that never stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import yaml

from mllm.model import NanoForConditionalGeneration
from mllm.training import instruct
from mllm.training.deepen import deepen
from mllm.training.recipes import RecipeError
from tests.mllm.data.specs import TOOLS


def trained(start: Path, folder: Path, *, resume: bool = False, **more: int) -> Path:
    recipe = folder / "recipe.yaml"
    settings = {
        "start": str(start), "folder": str(folder / "run"), "steps": 4, "warmup": 1,
        "decay": 2, "rate": 1e-3, "longest": 1408, "lessons": 1, "views": 1, "views_pool": 3,
        "turns": 2, "save_every": 2, "threads": 1, **more,
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


def test_a_deeper_model_begins_as_what_it_was_made_of(tiny_folder: Path, tmp_path: Path) -> None:
    small = NanoForConditionalGeneration.from_pretrained(tiny_folder, dtype=torch.float32)
    ids = torch.randint(20, 200, (1, 12), generator=torch.Generator().manual_seed(0))
    for layers in (2, 3, 5):
        deeper = deepen(small, layers)
        assert len(deeper.decoder.blocks) == deeper.config.decoder_layers == layers
        with torch.no_grad():
            assert torch.equal(deeper(input_ids=ids).logits, small(input_ids=ids).logits)
    out = trained(tiny_folder, tmp_path, layers=3)
    added = weights(out)["decoder.blocks.2.out.weight"]
    assert added.abs().max() > 0
    with pytest.raises(RecipeError, match="has 2 layers"):
        trained(tiny_folder, tmp_path, layers=1)
