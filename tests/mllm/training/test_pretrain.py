"""A pretraining run of a few steps: it writes what it promises and resumes where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from transformers import AutoModelForImageTextToText

from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import ASSISTANT
from mllm.training import pretrain
from mllm.training.packing import grow
from mllm.training.recipes import FOLDER, RecipeError
from mllm.training.views import draw

torch.set_num_threads(1)


def recipe(folder: Path, **changes: object) -> Path:
    settings = {
        "preset": "s", "folder": str(folder / "run"), "steps": 3, "dense_steps": 1, "warmup": 1,
        "decay": 1, "rate": 1e-3, "pictures": 2, "pool": 4, "turns": 2, "save_every": 2,
        "threads": 1, **changes,
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_a_run_writes_a_model_and_resumes(tmp_path: Path) -> None:
    out = pretrain.run(recipe(tmp_path), resume=False)
    assert out == tmp_path / "run" / "model"
    assert isinstance(
        AutoModelForImageTextToText.from_pretrained(out), NanoForConditionalGeneration
    )
    assert Image.open(tmp_path / "run" / "loss.png").width > 100
    with pytest.raises(RecipeError, match="--resume"):
        pretrain.run(recipe(tmp_path), resume=False)
    pretrain.run(recipe(tmp_path, steps=4), resume=True)
    state = json.loads((tmp_path / "run" / "checkpoint-4" / "trainer_state.json").read_text())
    assert state["global_step"] == 4


def test_a_wrong_recipe_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="speed"):
        pretrain.run(recipe(tmp_path, speed=3), resume=False)
    with pytest.raises(RecipeError, match="cannot read"):
        pretrain.run(tmp_path / "absent.yaml", resume=False)


def test_every_question_is_learned_and_none_reads_the_answer_to_another() -> None:
    nano = FOLDER.parents[1] / "weights" / "nano"
    processor = NanoProcessor.from_pretrained(nano)
    views = [draw(9, i, 128, 16, "train") for i in range(2)]
    samples = pretrain.Questions(processor, 7, 12).samples(views, [0, 1])
    assert len(samples) > 10
    end = processor.tokenizer.eos_token_id
    said = processor.tokenizer.convert_tokens_to_ids(ASSISTANT)
    for sample in samples:
        learned = [t for t, yes in zip(sample.ids, sample.learned, strict=True) if yes]
        assert learned.count(end) == sample.ids.count(said) and learned[-1] == end
    one, other = grow(samples, 10_000)  # the picture is held once a view
    assert one.branches[0].pictures == [0] and other.branches[0].pictures == [1]
    whole = sum(len(s.ids) for s in samples)
    assert one.length + other.length < whole / 2
