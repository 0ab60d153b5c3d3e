"""A training of a few steps on small pictures: it runs, resumes, and ships loadable weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]

from mllm.data import designs
from mllm.data.scenes import owner_map, render, sample_scene
from mllm.familiarity import Familiarity
from mllm.training.detector_data import nothing, recoloured
from mllm.training.invented import invent, invented_scene
from mllm.training.recipes import RecipeError
from mllm.yolo import Detector

RECIPE = Path("mllm/training/recipes/detector.yaml")


def recipe(folder: Path, **changes: object) -> Path:
    """The shipped recipe, made tiny."""
    content = yaml.safe_load(RECIPE.read_text())
    content |= {"folder": str(folder), "per_epoch": 8, "familiar": 40, **changes}
    content["pictures"] = {"plain": 12, "recoloured": 4, "invented": 4, "empty": 2, "val": 4}
    content["ultralytics"] |= {"epochs": 3, "batch": 4, "imgsz": 64, "plots": False}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def epochs(folder: Path) -> list[int]:
    """The epochs in the log of a training, in order."""
    rows = (folder / "fit" / "results.csv").read_text().splitlines()[1:]
    return [int(float(row.split(",")[0])) for row in rows]


def test_the_recipe_trains_resumes_after_a_crash_and_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mllm.training import detector

    save = detector.Trainer.save_model

    def crash(trainer: detector.Trainer) -> bool:
        if trainer.epoch == 1:
            raise OSError("power cut")
        return bool(save(trainer))  # type: ignore[no-untyped-call]

    config = recipe(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(detector.Trainer, "save_model", crash)
        with pytest.raises(OSError, match="power cut"):
            detector.run(config)
    weights = detector.run(config, resume=True)
    assert epochs(tmp_path) == [1, 2, 2, 3]  # the second, whose checkpoint was lost, again
    assert detector.run(config, resume=True) == weights  # what is finished is not trained on
    assert epochs(tmp_path) == [1, 2, 2, 3]

    loaded = Detector(weights)
    assert len(loaded.names) == 80
    loaded.find(render(sample_scene(1, 0)), 0.01, 0.6)
    assert Familiarity.load(weights.with_name("familiar.npz")).limit > 0
    assert weights.stat().st_size < 8_000_000
    assert str(tmp_path).encode() not in weights.read_bytes()  # no traces of the machine


def test_a_recipe_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    from mllm.training.detector import run

    with pytest.raises(RecipeError, match="learning_rate"):
        run(recipe(tmp_path, learning_rate=0.1))


def test_recolouring_keeps_every_shape_and_place() -> None:
    scene = sample_scene(5, 3)
    changed = recoloured(scene)
    assert changed == recoloured(scene)
    assert np.array_equal(owner_map(changed), owner_map(scene))
    difference = np.asarray(render(changed), int) - np.asarray(render(scene), int)
    assert np.abs(difference).max() > 40


def test_an_invented_design_has_every_training_category_and_repeats(tmp_path: Path) -> None:
    first, again = invent(tmp_path / "a" / "d", 3), invent(tmp_path / "b" / "d", 3)
    pictures = {p.name: p.read_bytes() for p in first.iterdir()}
    assert pictures == {p.name: p.read_bytes() for p in again.iterdir()}
    drawn = {f"{label}.png" for drawer in designs.drawers("train") for label in drawer}
    assert set(pictures) == drawn
    assert {p.name: p.read_bytes() for p in invent(tmp_path / "c", 4).iterdir()} != pictures

    for index in range(6):
        scene = invented_scene(first, 1, index)
        assert len(scene.objects) == len(scene.placements)
        assert all(thing.label != "sign" for thing in scene.objects)
        assert render(scene).size == (scene.width, scene.height)


@pytest.mark.parametrize("index", range(4))
def test_pictures_of_nothing_repeat(index: int) -> None:
    assert nothing(3, index).tobytes() == nothing(3, index).tobytes()


def test_other_textures_keep_the_form_and_the_range() -> None:
    import torch

    from mllm.training.textures import other_textures

    torch.manual_seed(1)
    pictures = torch.rand(32, 3, 24, 40)
    changed = other_textures(pictures)
    assert changed.shape == pictures.shape
    assert changed.min() >= 0 and changed.max() <= 1
    same = [torch.equal(a, b) for a, b in zip(pictures, changed, strict=True)]
    assert 4 < sum(same) < 28
