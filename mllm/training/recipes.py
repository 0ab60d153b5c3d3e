"""Recipes: the YAML files that say what a training run does. The shipped ones are in ``recipes/``.

A relative path in a recipe counts from the working directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FOLDER = Path(__file__).with_name("recipes")

R = TypeVar("R", bound="Recipe")


class RecipeError(ValueError):
    """The recipe file cannot be used."""


class Recipe(BaseModel):
    """What every stage has: where it writes, how long and how fast it learns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(description="checkpoints, log, plot; the trained model in folder/model")
    seed: int = 1
    steps: int
    warmup: int = 50
    decay: int = Field(description="steps at the end over which the rate falls to a tenth")
    rate: float = Field(description="learning rate")
    save_every: int = 100
    threads: int | None = Field(None, description="CPU threads; torch's choice when not given")


class PretrainRecipe(Recipe):
    """Stage one: dense labels, then short questions about pictures as well."""

    preset: str
    pictures: int = Field(description="a step")
    pool: int = Field(description="different scenes")
    dense_steps: int = Field(description="first steps, with dense labels only")
    turns: int = Field(description="questions a picture afterwards")
    dense_weight: float = 0.5


class InstructRecipe(Recipe):
    """Stage two: conversations."""

    start: Path = Field(description="model folder to start from")
    layers: int | None = Field(None, description="of the decoder, if more than that model has")
    longest: int = Field(description="tokens of the longest sample or shared beginning")
    lessons: int = Field(description="scenes a step, each with its conversations")
    views: int = Field(description="pictures a step with short questions, as in pretraining")
    views_pool: int
    turns: int = Field(description="questions a view")
    pages: tuple[Path, ...] = Field((), description="episodes on pages, from `corvid data pages`")
    page_lessons: int = Field(0, description="of them a step")
    dense_weight: float = 0.2
    evidence_weight: float = Field(0.3, description="of pointers looking at what tools said")


class PreferenceRecipe(Recipe):
    """Stage three: of two answers, the one that is right for the picture."""

    start: Path = Field(description="model folder to start from, also the frozen reference")
    twins: int = Field(description="pairs of pictures a step")
    questions: int = Field(description="questions about each two pictures, at most")
    beta: float = Field(0.1, gt=0, description="how closely the reference is kept to")
    gamma: float = Field(1.0, gt=0, description="weight of tokens that differ; 1 is DPO")
    average: bool = Field(False, description="weighted mean over tokens, as RLHF-V; else their sum")
    negatives: int = Field(0, description="scenes a step with negative instructions and questions")
    negatives_weight: float = 1.0
    longest: int = Field(512, description="tokens of the longest sample of those")


class ContrastRecipe(Recipe):
    """Stage three, another way: pictures are drawn to true captions, away from changed ones."""

    start: Path = Field(description="model folder to start from")
    pictures: int = Field(ge=2, description="a step, each a negative for the others")
    temperature: float = Field(0.07, gt=0)
    contrast_weight: float = 0.5
    longest: int = Field(512, description="tokens of the longest caption to learn")


def read(path: Path, kind: type[R]) -> R:
    """The recipe in a file. Raises ``RecipeError`` with what is wrong and where."""
    try:
        return kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RecipeError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise RecipeError(f"{path} is not a valid recipe: {error}") from error
