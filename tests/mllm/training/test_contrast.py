"""HACL: the loss by hand, what is pooled, a model that tells true captions from changed ones."""

from __future__ import annotations

import copy
from math import exp, log
from pathlib import Path

import pytest
import torch
import yaml
from torch import eye, tensor

from mllm.backends import NANO
from mllm.data.captions import caption_of
from mllm.data.scenes import sample_scene
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import END, IMAGE, LOCATIONS
from mllm.training import contrast, preference
from mllm.training.recipes import FOLDER, ContrastRecipe, read

torch.set_num_threads(1)


def settings(folder: Path, start: Path, **changes: object) -> dict[str, object]:
    return {
        "start": str(start), "folder": str(folder / "run"), "steps": 1, "warmup": 1, "decay": 1,
        "rate": 1e-3, "pictures": 3, "save_every": 1, "threads": 1, **changes,
    }


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    return preference.start(tiny_folder, 1)


def test_without_wrong_captions_both_sides_are_infonce() -> None:
    # Cosines: 1 with its own, 0 with the other.
    to_image, to_text = contrast.contrastive_losses(eye(2), eye(2), torch.empty(0, 2), 0.5)
    expected = -log(exp(2) / (exp(2) + 1))
    assert to_image.item() == pytest.approx(expected)
    assert to_text.item() == pytest.approx(expected)


def test_wrong_captions_are_negatives_of_pictures_only() -> None:
    wrong = tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 3.0]])  # the first is a picture's own direction
    images = texts = eye(3)[:2]
    to_image, to_text = contrast.contrastive_losses(images, texts, wrong, 1.0)
    assert to_image.item() == pytest.approx(-log(exp(1) / (exp(1) + 1)))
    first = -log(exp(1) / (exp(1) + 1 + exp(1) + 1))
    second = -log(exp(1) / (1 + exp(1) + 1 + exp(0.8)))
    assert to_text.item() == pytest.approx((first + second) / 2)


def test_lengths_do_not_count_and_the_temperature_does() -> None:
    torch.manual_seed(3)
    images, texts, wrong = torch.randn(3, 4, 8)
    plain = contrast.contrastive_losses(images, texts, wrong, 0.1)
    longer = contrast.contrastive_losses(images * 7, texts * 3, wrong * 2, 0.1)
    assert torch.allclose(torch.stack(plain), torch.stack(longer), atol=1e-5)
    _, cold = contrast.contrastive_losses(images, texts, wrong, 1000.0)
    assert cold.item() == pytest.approx(log(8), abs=1e-2)  # 4 captions and 4 wrong ones


def test_what_is_pooled_ends_with_the_end_token_and_sees_no_padding(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    model, processor = tiny
    recipe = ContrastRecipe.model_validate(settings(tmp_path, tiny_folder))
    batch = contrast.captions_batch(processor, recipe, range(3))
    end, image = processor.tokenizer.convert_tokens_to_ids([END, IMAGE])
    assert batch["images"]["input_ids"].tolist() == [[image] * len(LOCATIONS) + [end]] * 3
    texts = batch["texts"]
    assert (texts["input_ids"][:, -1] == end).all()
    with torch.no_grad():
        pooled = model.represent(**texts)[:, -1]
        for i in range(len(pooled)):
            alone = texts["input_ids"][i][texts["attention_mask"][i].bool()][None]
            assert torch.allclose(model.represent(alone)[0, -1], pooled[i], atol=1e-4)


def test_true_captions_come_first_and_changed_ones_differ_in_a_sentence(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    _, processor = tiny
    recipe = ContrastRecipe.model_validate(settings(tmp_path, tiny_folder))
    texts = contrast.captions_batch(processor, recipe, range(3))["texts"]
    said = [
        processor.tokenizer.decode(ids[mask.bool()]).removesuffix(END)
        for ids, mask in zip(texts["input_ids"], texts["attention_mask"], strict=True)
    ]
    for number, (true, changed) in enumerate(zip(said[:3], said[3:], strict=True)):
        caption = caption_of(sample_scene(recipe.seed, number), recipe.seed)
        assert true == caption.text != changed
        assert sum(sentence not in changed for sentence in caption.sentences) == 1


def test_a_tiny_model_learns_to_tell_changed_captions(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    model, processor = copy.deepcopy(tiny[0]), tiny[1]
    recipe = ContrastRecipe.model_validate(settings(tmp_path, tiny_folder))
    batch = contrast.captions_batch(processor, recipe, range(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(16):
        losses = contrast.losses_of(model, batch, recipe)
        optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        seen.append({name: float(value.detach()) for name, value in losses.items()})
    assert seen[-1]["to_text"] < 0.7 * seen[0]["to_text"]
    assert seen[-1]["to_image"] < 0.7 * seen[0]["to_image"]
    assert seen[-1]["text"] < seen[0]["text"]
    assert seen[-1]["apart"] == 1.0


def test_a_run_writes_a_model(tiny_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, tiny_folder)))
    out = contrast.run(config, resume=False)
    trained = NanoForConditionalGeneration.from_pretrained(out, dtype=torch.float32)
    before = NanoForConditionalGeneration.from_pretrained(tiny_folder, dtype=torch.float32)
    assert not torch.equal(trained.embedding.weight, before.embedding.weight)


def test_the_shipped_recipe_is_valid() -> None:
    recipe = read(FOLDER / "contrast-s.yaml", ContrastRecipe)
    assert recipe.temperature == 0.07
    assert FOLDER.parents[2] / recipe.start == NANO
