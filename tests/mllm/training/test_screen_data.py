"""The detector of controls: a training of a few steps on drawn screens ships weights that load."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from PIL import Image, ImageDraw

from mllm.data.screens import NAMES, Folder
from mllm.training.recipes import RecipeError
from mllm.yolo import Detector

RECIPE = Path("mllm/training/recipes/elements.yaml")


def screens(folder: Path, n: int) -> None:
    for index in range(n):
        picture = Image.new("RGB", (200, 150), "white")
        corners = (20.0 + index, 40.0, 90.0 + index, 70.0)
        ImageDraw.Draw(picture).rectangle(corners, "navy")
        Folder(folder, "train").write(index, picture, [("button", corners)])


def recipe(folder: Path) -> Path:
    """The shipped recipe, made tiny."""
    content = yaml.safe_load(RECIPE.read_text())
    pictures = {"screens": str(folder / "screens"), "each": 2, "val": 2}
    content |= {"folder": str(folder / "run"), "per_epoch": 8, "pictures": pictures}
    content["ultralytics"] |= {"epochs": 1, "batch": 4, "imgsz": 64, "plots": False}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_recipe_trains_and_ships(tmp_path: Path) -> None:
    from mllm.training import detector

    screens(tmp_path / "screens", 6)
    weights = detector.run(recipe(tmp_path))
    data = tmp_path / "run" / "data"
    assert len(Folder(data, "train").indices()) == 8 and len(Folder(data, "val").indices()) == 4
    assert weights.stat().st_size < 6_000_000
    assert not (weights.parent / "familiar.npz").exists()
    assert str(tmp_path).encode() not in weights.read_bytes()

    loaded = Detector(weights, own_size=320)
    assert loaded.names == NAMES
    for found in loaded.find(Image.new("RGB", (300, 100), "white"), 0.0001, 0.5):
        assert -1 <= found.x0 < found.x1 <= 301 and -1 <= found.y0 < found.y1 <= 101


def test_without_screens_it_is_told_how_to_get_them(tmp_path: Path) -> None:
    from mllm.training import detector

    with pytest.raises(RecipeError, match="corvid data screens"):
        detector.run(recipe(tmp_path))
