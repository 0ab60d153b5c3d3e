"""LURE's training: what a revisor is shown and learns, and a run."""

from __future__ import annotations

import copy
import random
from pathlib import Path

import pytest
import torch
import yaml

from mllm.backends import NANO
from mllm.data.scenes import sample_scene
from mllm.decoding.lure import revision
from mllm.decoding.masking import IDK
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import END
from mllm.training import lure, preference
from mllm.training.imagined import described
from mllm.training.lure import LURERecipe
from mllm.training.recipes import FOLDER, read

torch.set_num_threads(1)
TEXT = "The picture shows 2 cats, 1 dog and 1 bus."


def settings(folder: Path, start: Path, **changes: object) -> dict[str, object]:
    return {
        "start": str(start), "folder": str(folder / "run"), "steps": 1, "warmup": 1, "decay": 1,
        "rate": 1e-3, "scenes": 3, "save_every": 1, "threads": 1, **changes,
    }


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    return preference.start(tiny_folder, 1)


@pytest.mark.parametrize(
    ("doubt", "eta", "expected"),
    [
        (0.0, 2.0, TEXT),
        (0.0, 0.8, f"The picture shows 2 cats, 1 dog and 1 {IDK}."),
        (1.0, 2.0, f"The picture shows 2 {IDK}, 1 {IDK} and 1 {IDK}."),
    ],
)
def test_doubts_are_by_chance_and_by_place(
    doubt: float, eta: float, expected: str, tmp_path: Path
) -> None:
    plan = settings(tmp_path, tmp_path, doubt=doubt, eta=eta)
    assert lure.doubted(TEXT, LURERecipe.model_validate(plan), random.Random(1)) == expected


def test_a_share_of_the_objects_is_doubted(tmp_path: Path) -> None:
    recipe = LURERecipe.model_validate(settings(tmp_path, tmp_path, doubt=0.3, eta=2.0))
    rng = random.Random(1)
    masks = sum(lure.doubted(TEXT, recipe, rng).count(IDK) for _ in range(200))
    assert 0.2 < masks / 600 < 0.4


def test_the_true_description_is_learned_from_the_doubtful_one(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    _, processor = tiny
    recipe = LURERecipe.model_validate(settings(tmp_path, tiny_folder))
    inputs = lure.revisions_batch(processor, recipe, range(3))
    decode = processor.tokenizer.decode
    learned = decode(inputs["labels"][inputs["labels"] >= 0]).removesuffix(END).split(END)
    shown = "".join(decode(row) for row in inputs["input_ids"])
    true = set()
    for number in range(3):
        rng = random.Random(f"lure/{recipe.seed}/{number}")
        one = described(sample_scene(recipe.seed, number), rng, rng.randint(0, lure.MOST))
        true.add(one.true)
        assert revision(lure.doubted(one.imagined, recipe, rng)) in shown
    assert set(learned) == true
    assert inputs["pixel_values"].shape[0] == 3


def test_a_tiny_model_learns_to_revise(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    model, processor = copy.deepcopy(tiny[0]), tiny[1]
    recipe = LURERecipe.model_validate(settings(tmp_path, tiny_folder))
    batch = lure.revisions_batch(processor, recipe, range(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(8):
        loss = lure.losses_of(model, batch)["loss"]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        seen.append(float(loss.detach()))
    assert seen[-1] < 0.8 * seen[0]


def test_a_run_writes_a_revisor(tiny_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, tiny_folder)))
    out = lure.run(config, resume=False)
    trained = NanoForConditionalGeneration.from_pretrained(out, dtype=torch.float32)
    before = NanoForConditionalGeneration.from_pretrained(tiny_folder, dtype=torch.float32)
    assert not torch.equal(trained.embedding.weight, before.embedding.weight)


def test_the_shipped_recipe_masks_as_the_method_does() -> None:
    recipe = read(FOLDER / "lure-s.yaml", LURERecipe)
    assert recipe.eta == 0.8
    assert FOLDER.parents[2] / recipe.start == NANO
