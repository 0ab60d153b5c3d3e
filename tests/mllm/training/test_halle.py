"""HallE-Control's training: what W learns from, that nothing else learns, and a run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
import yaml

from mllm.backends import NANO
from mllm.data.scenes import sample_scene
from mllm.decoding import HallE
from mllm.decoding.halle import moved
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import END
from mllm.training import halle, preference
from mllm.training.halle import HallERecipe
from mllm.training.imagined import Described, described
from mllm.training.recipes import FOLDER, RecipeError, read

torch.set_num_threads(1)


def settings(folder: Path, start: Path, **changes: object) -> dict[str, object]:
    return {
        "start": str(start), "folder": str(folder / "run"), "steps": 1, "warmup": 1, "decay": 1,
        "rate": 1e-2, "scenes": 2, "save_every": 1, "threads": 1, **changes,
    }


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    model, processor = preference.start(tiny_folder, 1)
    return model.requires_grad_(False), processor


@pytest.fixture
def recipe(tmp_path: Path, tiny_folder: Path) -> HallERecipe:
    return HallERecipe.model_validate(settings(tmp_path, tiny_folder))


def told(recipe: HallERecipe, number: int) -> Described:
    rng = random.Random(f"halle/{recipe.seed}/{number}")
    return described(sample_scene(recipe.seed, number), rng, rng.randint(1, halle.MOST))


def test_each_scene_is_described_in_both_ways(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], recipe: HallERecipe
) -> None:
    _, processor = tiny
    batch = halle.descriptions_batch(processor, recipe, range(2))
    expected = {
        "contextual": {told(recipe, i).true for i in range(2)},
        "imagined": {told(recipe, i).imagined for i in range(2)},
    }
    assert not expected["contextual"] & expected["imagined"]
    for kind, inputs in batch.items():
        learned = processor.tokenizer.decode(inputs["labels"][inputs["labels"] >= 0])
        assert set(learned.removesuffix(END).split(END)) == expected[kind]
        assert inputs["pixel_values"].shape[0] == 2


def test_at_zero_the_loss_is_the_models_own(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], recipe: HallERecipe
) -> None:
    model, processor = tiny
    batch = halle.descriptions_batch(processor, recipe, range(2))
    size = model.config.hidden_size
    losses = halle.losses_of(model, torch.zeros(size, size), batch)
    with torch.autocast("cpu", torch.bfloat16):
        for kind, inputs in batch.items():
            assert torch.equal(losses[kind], model(**inputs).loss)
    mean = (losses["contextual"] + losses["imagined"]) / 2
    assert losses["loss"].item() == pytest.approx(mean.item())


def test_the_projection_learns_and_the_model_stays(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], recipe: HallERecipe
) -> None:
    model, processor = tiny
    before = {name: value.clone() for name, value in model.state_dict().items()}
    longer = recipe.model_copy(update={"steps": 24, "rate": 1e-3})
    training = halle.Training(longer, model)
    batch = halle.descriptions_batch(processor, recipe, range(2))
    for _ in range(longer.steps):
        training.step(batch)
    assert training.log[-1]["loss"] < training.log[0]["loss"]
    assert training.projection.abs().max() > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    # Each way of speaking has become likelier at its own end of epsilon, and not at the other.
    for kind, own in (("contextual", -1.0), ("imagined", 1.0)):
        losses = []
        for epsilon in (own, 0.0, -own):
            with torch.no_grad(), moved(model, training.projection, epsilon):
                losses.append(float(model(**batch[kind]).loss))
        assert losses[0] < losses[1] < losses[2]


def test_a_run_is_continued_and_what_it_writes_is_read(tiny_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, tiny_folder, scenes=1)))
    out = halle.run(config, resume=False)
    assert out == tmp_path / "run" / "halle.safetensors"
    first = HallE(out).projection
    assert first.shape == (64, 64) and first.abs().max() > 0
    with pytest.raises(RecipeError, match="--resume"):
        halle.run(config, resume=False)
    config.write_text(yaml.safe_dump(settings(tmp_path, tiny_folder, scenes=1, steps=2)))
    halle.run(config, resume=True)
    state = torch.load(tmp_path / "run" / halle.STATE, weights_only=True)
    assert state["done"] == 2 and [entry["step"] for entry in state["log"]] == [0, 1]
    assert not torch.equal(HallE(tmp_path / "run").projection, first)
    assert (tmp_path / "run" / "loss.png").is_file()


def test_a_recipe_without_a_model_to_start_from_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, tmp_path / "absent")))
    with pytest.raises(RecipeError, match="no model to start from"):
        halle.run(config, resume=False)


def test_the_shipped_recipe_is_for_the_shipped_weights() -> None:
    recipe = read(FOLDER / "halle-s.yaml", HallERecipe)
    assert FOLDER.parents[2] / recipe.start == NANO
