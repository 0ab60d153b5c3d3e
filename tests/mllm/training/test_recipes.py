"""The shipped recipes are valid, and a schedule rises, stays and falls."""

from __future__ import annotations

import pytest

from mllm.model import preset
from mllm.training.recipes import FOLDER, InstructRecipe, PretrainRecipe, Recipe, read
from mllm.training.runner import schedule


@pytest.mark.parametrize("size", ["s", "m"])
def test_shipped_recipes_fit_together(size: str) -> None:
    first = read(FOLDER / f"pretrain-{size}.yaml", PretrainRecipe)
    second = read(FOLDER / f"instruct-{size}.yaml", InstructRecipe)
    assert second.start == first.folder / "model"
    assert preset(first.preset).image_tokens == 64


def test_the_rate_rises_stays_and_falls_to_a_tenth() -> None:
    recipe = Recipe.model_validate(
        {"folder": "x", "steps": 100, "warmup": 10, "decay": 40, "rate": 1.0}
    )
    rates = [schedule(step, recipe) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:60] == [1.0] * 50
    assert rates[60:] == sorted(rates[60:], reverse=True)
    assert rates[100] == pytest.approx(0.1)
