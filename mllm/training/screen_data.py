"""What the detector of controls trains on: parts of screenshots.

`corvid data screens` writes them: the browser that takes them belongs to a higher floor.
"""

from __future__ import annotations

import random
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from tqdm import tqdm  # type: ignore[import-untyped]

from mllm.data.screens import Folder, part
from mllm.training.recipes import RecipeError


class Parts(BaseModel):
    """Screens and what is cut out of them."""

    model_config = ConfigDict(extra="forbid")

    screens: Path = Field(description="folder that `corvid data screens` wrote")
    each: int = Field(description="parts of a screen")
    val: int = Field(description="screens, the last ones, that are for validation alone")


def write(folder: Path, seed: int, parts: Parts, side: int) -> Path:
    """Write an ultralytics data set of squares of ``side`` pixels, return its ``data.yaml``.

    What is there already is left as it is. Raises ``RecipeError`` where there are no screens.
    """
    screens = Folder(parts.screens, "train")
    indices = screens.indices()
    if len(indices) <= parts.val:
        raise RecipeError(
            f"{parts.screens} has {len(indices)} screens: write more than {parts.val} with "
            f"`corvid data screens --out {parts.screens}`"
        )
    for at, index in enumerate(tqdm(indices, desc="parts")):
        out = Folder(folder, "train" if at < len(indices) - parts.val else "val")
        numbers = [index * parts.each + n for n in range(parts.each)]
        missing = [number for number in numbers if not out.has(number)]
        if missing:
            picture, controls = screens.read(index)
        for number in missing:
            rng = random.Random(f"{seed}/{number}/part")
            out.write(number, *part(rng, picture, controls, side))
    return Folder(folder, "train").sheet()
