"""The namer's training: parts with the right names, variants, runs that resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml  # type: ignore[import-untyped]

from mllm.data.lexicon import INDEX
from mllm.data.scenes import sample_scene
from mllm.naming import NOTHING, Namer
from mllm.training import names, parts
from mllm.training.detector_data import Sorts
from mllm.training.recipes import RecipeError

RECIPE = Path("mllm/training/recipes/names.yaml")


def recipe(folder: Path, **changes: object) -> Path:
    """The shipped recipe, made tiny."""
    content = yaml.safe_load(RECIPE.read_text())
    content |= {"folder": str(folder / "run"), "steps": 4, "batch": 8, "save_every": 2, **changes}
    content["pictures"] = {"plain": 4, "recoloured": 2, "invented": 2, "empty": 3}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_it_resumes_where_it_was_killed_and_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    through = names.run(recipe(tmp_path / "a"))
    config, learn = recipe(tmp_path / "b"), names._learn
    steps = iter(range(10))

    def crash(*of: object) -> float:
        if next(steps) == 3:
            raise OSError("power cut")
        return learn(*of)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(OSError, match="power cut"):
        patch.setattr(names, "_learn", crash)
        names.run(config)
    with pytest.raises(RecipeError, match="--resume"):
        names.run(config)
    resumed = names.run(config, resume=True)
    one, other = Namer.load(through).state_dict(), Namer.load(resumed).state_dict()
    assert all(torch.allclose(one[name], other[name], atol=1e-3) for name in one)
    assert through.with_name("loss.png").exists()
    assert through.stat().st_size < 6_000_000


def test_a_recipe_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="learning_rate"):
        names.run(recipe(tmp_path, learning_rate=0.1))


def test_parts_are_written_once_and_are_of_all_sorts(tmp_path: Path) -> None:
    counts = Sorts(plain=6, recoloured=2, invented=2, empty=3)
    first = parts.Parts.of(tmp_path, 5, counts)
    assert first.pixels.shape == (len(first.classes), parts.SIDE, parts.SIDE, 3)
    assert (first.classes[-3:] == NOTHING).all()
    (tmp_path / "designs").rename(tmp_path / "elsewhere")
    again = parts.Parts.of(tmp_path, 5, counts)
    assert np.array_equal(first.pixels, again.pixels)
    assert not (tmp_path / "designs").exists()


def test_a_scene_has_a_part_for_each_thing_that_can_be_told() -> None:
    scene = sample_scene(5, 1)
    cut = [kind for _, kind in parts.of_scene(scene) if kind != NOTHING]
    assert cut == [INDEX[t.label] for t in scene.objects if t.visible >= parts.VISIBLE]


def test_variants_differ_and_stay_pictures() -> None:
    torch.manual_seed(2)
    pictures = torch.rand(6, 3, parts.SIDE, parts.SIDE)
    varied = names.varied(pictures.clone())
    assert varied.shape == (6, 3, 64, 64)
    assert varied.min() >= 0 and varied.max() <= 1
    assert not torch.equal(varied, names.varied(pictures.clone()))
