"""What the detector trains on: scenes, scenes that differ from every design, and empty pictures.

A category has few designs in training, often of one colour and form: every couch is blue. So

- in a *recoloured* scene each object may get any hue, light and contrast;
- an *invented* design bends, shades and paints the sprites of the training designs anew;
- photo-like noise and printed pages, which show no object, keep the detector silent where its
  world ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from mllm.data.lexicon import NAMES
from mllm.data.looks import SpriteLook
from mllm.data.photos import page, photo
from mllm.data.scene_files import write_yolo, yolo_lines
from mllm.data.scenes import Placement, Scene, render, sample_scene
from mllm.training.invented import invent, invented_scene

REPAINTED = 0.5
"""Share of a recoloured scene's objects that get another hue; all get another light."""
SCENES_OF_A_DESIGN = 60


class Sorts(BaseModel):
    """Pictures of each sort."""

    model_config = ConfigDict(extra="forbid")

    plain: int = Field(description="training scenes as they are")
    recoloured: int = Field(description="training scenes in colours of no design")
    invented: int = Field(description="training scenes in invented designs")
    empty: int = Field(description="training pictures that show no object")


class Counts(Sorts):
    """Pictures of each sort in a data set."""

    val: int = Field(description="plain scenes for validation")


def write(folder: Path, seed: int, counts: Counts) -> Path:
    """Write an ultralytics data set of so many pictures, and return its ``data.yaml``.

    All designs are training designs. A folder that is complete is left as it is.
    """
    sheet, done = folder / "data.yaml", folder / "complete"
    if not done.exists():
        write_yolo(folder, counts.plain, seed, split="plain")
        write_yolo(folder, counts.val, seed + 1, split="val")
        changed = recoloured_scenes(counts.recoloured, seed + 2)
        _split(folder, "recoloured", ((render(s), yolo_lines(s)) for s in changed))
        foreign = invented_scenes(folder / "designs", counts.invented, seed + 3)
        _split(folder, "invented", ((render(s), yolo_lines(s)) for s in foreign))
        _split(folder, "empty", ((nothing(seed, index), []) for index in range(counts.empty)))
        names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
        sheet.write_text(
            f"path: {folder.resolve()}\nval: images/val\nnames:\n{names}"
            "train: [images/plain, images/recoloured, images/invented, images/empty]\n"
        )
        done.touch()
    return sheet


def recoloured_scenes(n: int, seed: int) -> Iterator[Scene]:
    """Training scenes in colours of no design."""
    return (recoloured(sample_scene(seed, index)) for index in range(n))


def invented_scenes(designs: Path, n: int, seed: int) -> Iterator[Scene]:
    """Training scenes in invented designs, which are written into a folder."""
    for index in range(n):
        number = index // SCENES_OF_A_DESIGN
        if index % SCENES_OF_A_DESIGN == 0:
            folder = invent(designs / f"{number:04d}", seed + number)
        yield invented_scene(folder, seed, index)


def recoloured(scene: Scene) -> Scene:
    """The scene with its sprites repainted, a pure function of it. Its colour names are void."""
    rng = random.Random(f"{scene.seed}/{scene.index}/recolour")
    return replace(scene, placements=tuple(_repainted(rng, p) for p in scene.placements))


def nothing(seed: int, index: int) -> Image.Image:
    """A picture without any object: photo-like noise, or a page of words that mean nothing."""
    rng = random.Random(f"{seed}/{index}/nothing")
    if rng.random() < 0.7:
        return photo(rng)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789      "
    return page(["".join(rng.choices(letters, k=rng.randint(4, 24))) for _ in range(8)], rng)[0]


def _split(folder: Path, split: str, pictures: Iterable[tuple[Image.Image, list[str]]]) -> None:
    images, labels = folder / "images" / split, folder / "labels" / split
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for index, (picture, lines) in enumerate(pictures):
        picture.save(images / f"{index:06d}.jpg", quality=92)
        (labels / f"{index:06d}.txt").write_text("".join(lines))


def _repainted(rng: random.Random, placement: Placement) -> Placement:
    look = placement.look
    if not isinstance(look, SpriteLook):
        return placement
    tint = look.tint
    if rng.random() < REPAINTED:
        tint = rng.uniform(0, 360), rng.uniform(0.2, 0.95), rng.uniform(0.4, 0.97)
    light = replace(
        look, tint=tint, brightness=rng.uniform(0.75, 1.2), contrast=rng.uniform(0.65, 1.3)
    )
    return replace(placement, look=light)
