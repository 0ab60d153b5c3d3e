"""Preferences: the losses by hand, what is weighed, and a model that learns to prefer."""

from __future__ import annotations

import copy
import json
from math import exp, log
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, tensor
from transformers import AutoModelForImageTextToText

from mllm.backends import NANO
from mllm.data.negatives import negatives
from mllm.data.scenes import sample_scene
from mllm.data.twin_pairs import pairs
from mllm.data.twins import Twins, twins
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import END
from mllm.training import preference
from mllm.training.dpo import dpo_loss, log_likelihood, segment_weights
from mllm.training.packing import Sample
from mllm.training.recipes import FOLDER, PreferenceRecipe, RecipeError, read
from mllm.training.rows import rows

torch.set_num_threads(1)


def settings(folder: Path, start: Path, **changes: object) -> dict[str, object]:
    return {
        "start": str(start), "folder": str(folder / "run"), "steps": 2, "warmup": 1, "decay": 1,
        "rate": 5e-3, "twins": 1, "questions": 1, "save_every": 1, "threads": 1, **changes,
    }


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[NanoForConditionalGeneration, NanoProcessor]:
    return preference.start(tiny_folder, 1)


# --- losses --------------------------------------------------------------------------------------


def test_dpo_is_log_2_where_model_and_reference_agree() -> None:
    p, r = tensor([-3.0, -8.0]), tensor([-1.0, -9.0])
    loss, margin = dpo_loss(p, r, p, r, beta=0.1)
    assert loss.tolist() == pytest.approx([log(2)] * 2)
    assert margin.tolist() == [0.0, 0.0]


def test_dpo_by_hand() -> None:
    # The model prefers by 4 - 1 = 3 nats, the reference by -2: 0.5 * (3 + 2) = 2.5.
    loss, margin = dpo_loss(
        tensor([-1.0]), tensor([-4.0]), tensor([-5.0]), tensor([-3.0]), beta=0.5
    )
    assert margin.item() == pytest.approx(2.5)
    assert loss.item() == pytest.approx(log(1 + exp(-2.5)))


def test_the_gradient_of_dpo_is_that_of_the_paper() -> None:
    """Beta times sigmoid(-margin), up for the preferred answer and down for the rejected one."""
    p, r = tensor([-1.0], requires_grad=True), tensor([-4.0], requires_grad=True)
    loss, margin = dpo_loss(p, r, tensor([-5.0]), tensor([-3.0]), beta=0.5)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    pull = 0.5 * torch.sigmoid(-margin).item()
    assert p.grad is not None and r.grad is not None
    assert p.grad.item() == pytest.approx(-pull)
    assert r.grad.item() == pytest.approx(pull)


def test_likelihoods_by_hand() -> None:
    log_p = tensor([[-9.0, -1.0, -2.0, -3.0]])
    weights = tensor([[0.0, 1.0, 5.0, 1.0]])
    assert log_likelihood(log_p, weights, average=False).tolist() == [-14.0]
    # RLHF-V, equation 3: N = 2 unchanged + 5 * 1 changed.
    assert log_likelihood(log_p, weights, average=True).tolist() == [-2.0]


def test_weights_of_one_make_dense_dpo_plain_dpo() -> None:
    torch.manual_seed(1)
    said, before = -torch.rand(2, 3, 6), -torch.rand(2, 3, 6)
    one, other = list(range(6)), [0, 1, 9, 9, 4, 5]
    plain = [segment_weights(one, other, 1.0)[side] for side in (0, 1)]
    assert plain == [[1.0] * 6] * 2
    weights = tensor(plain[0]).expand(3, 6)
    dense = dpo_loss(
        *(log_likelihood(x, weights, average=False) for x in (*said, *before)), beta=0.1
    )
    summed = dpo_loss(*(x.sum(-1) for x in (*said, *before)), beta=0.1)
    assert torch.allclose(dense[0], summed[0])
    # And the mean is the sum at a beta as many times larger as there are tokens.
    mean = dpo_loss(
        *(log_likelihood(x, weights, average=True) for x in (*said, *before)), beta=0.6
    )
    assert torch.allclose(mean[0], summed[0])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3, 4], [1, 7, 3, 4], ([1, 5, 1, 1], [1, 5, 1, 1])),
        ([1, 2, 3, 4], [1, 7, 8, 3, 4], ([1, 5, 1, 1], [1, 5, 5, 1, 1])),
        ([1, 2, 3, 4], [1, 4], ([1, 5, 5, 1], [1, 1])),
        ([1, 2], [1, 2], ([1, 1], [1, 1])),
        ([1, 2], [3], ([5, 5], [5])),
    ],
)
def test_only_what_differs_weighs_more(
    one: list[int], other: list[int], expected: tuple[list[float], list[float]]
) -> None:
    assert segment_weights(one, other, 5.0) == expected


# --- batches -------------------------------------------------------------------------------------


def test_rows_end_together_and_number_their_pictures() -> None:
    out = rows([Sample([1, 2, 3], [False] * 3, [0]), Sample([4], [False], [1])], pad=9)
    assert out["input_ids"].tolist() == [[1, 2, 3], [9, 9, 4]]
    assert out["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert out["image_index"].tolist() == [0, 1]


def test_every_answer_is_preferred_for_its_picture_and_rejected_for_the_other(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    _, processor = tiny
    recipe = PreferenceRecipe.model_validate(
        settings(tmp_path, tiny_folder, twins=2, questions=2, gamma=5.0)
    )
    batch = preference.twins_batch(processor, recipe, [0, 1])
    weights: Tensor = batch["weights"]
    tails = batch["input_ids"][:, -weights.shape[1] :]
    said = [
        processor.tokenizer.decode(ids[w > 0]) for ids, w in zip(tails, weights, strict=True)
    ]
    preferred, rejected = said[: len(said) // 2], said[len(said) // 2 :]
    assert all(text.endswith(END) for text in said)
    assert preferred[::2] == rejected[1::2] and preferred[1::2] == rejected[::2]
    expected = [a for n in (0, 1) for p in pairs(_told(n), 2) for a in p.answers]
    assert [text.removesuffix(END) for text in preferred] == expected
    assert set(weights.unique().tolist()) == {0.0, 1.0, 5.0}
    pictures = batch["image_index"].tolist()
    assert pictures[: len(preferred)] == pictures[len(preferred) :]
    assert batch["pixel_values"].shape[0] == 4


def _told(number: int) -> Twins:
    return twins(1, number, kinds=preference.KINDS)


def test_log_probabilities_are_those_of_the_models_own_loss(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    model, processor = tiny
    recipe = PreferenceRecipe.model_validate(settings(tmp_path, tiny_folder))
    batch = preference.twins_batch(processor, recipe, [0])
    weights = batch.pop("weights")
    with torch.no_grad():
        log_p = preference.answer_log_probabilities(model, batch, weights.shape[1])
        labels = torch.full_like(batch["input_ids"], -100)
        tail = batch["input_ids"][:, -weights.shape[1] :]
        labels[:, -weights.shape[1] :] = torch.where(weights > 0, tail, -100)
        loss = model(**batch, labels=labels).loss
    mean = (log_p * weights).sum() / weights.sum()
    assert mean.item() == pytest.approx(-loss.item(), abs=1e-4)


def test_negative_instructions_are_learned_beside_as_many_questions(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path
) -> None:
    _, processor = tiny
    recipe = PreferenceRecipe.model_validate(settings(tmp_path, tiny_folder, negatives=3))
    batch = preference.negatives_batch(processor, recipe, range(3))
    learned = processor.tokenizer.decode(batch["labels"][batch["labels"] >= 0]).split(END)
    denied = [
        n.answer
        for number in range(3)
        for n in negatives(sample_scene(recipe.seed, number), recipe.seed, n=4)
        if n.premise.form != "text"
    ]
    assert len(learned) - 1 == 2 * len(denied)
    assert set(denied) <= set(learned)


# --- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dense", [False, True])
def test_a_tiny_model_learns_which_answer_to_prefer(
    tiny: tuple[NanoForConditionalGeneration, NanoProcessor], tiny_folder: Path, tmp_path: Path,
    dense: bool,
) -> None:
    _, processor = tiny
    model = copy.deepcopy(tiny[0])
    reference = copy.deepcopy(model).requires_grad_(False)
    kind = {"gamma": 5.0, "average": True, "beta": 0.5} if dense else {"beta": 0.1}
    recipe = PreferenceRecipe.model_validate(settings(tmp_path, tiny_folder, **kind))
    batch = {"pairs": preference.twins_batch(processor, recipe, [0])}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(24):
        losses = preference.losses_of(model, reference, batch, recipe)
        optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        seen.append({name: float(value.detach()) for name, value in losses.items()})
    assert seen[0]["loss"] == pytest.approx(log(2), abs=1e-4)
    assert seen[0]["margin"] == pytest.approx(0.0, abs=1e-4)
    assert seen[-1]["loss"] < 0.6 * log(2)
    assert seen[-1]["margin"] > 0.5 and seen[-1]["preferred"] == 1.0


def test_a_run_resumes_against_the_reference_that_it_began_with(
    tiny_folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "recipe.yaml"
    plan = settings(tmp_path, tiny_folder, negatives=1, steps=1)
    config.write_text(yaml.safe_dump(plan))
    out = preference.run(config, resume=False)
    assert isinstance(
        AutoModelForImageTextToText.from_pretrained(out), NanoForConditionalGeneration
    )
    config.write_text(yaml.safe_dump(plan | {"steps": 2}))
    preference.run(config, resume=True)
    state = json.loads((tmp_path / "run" / "checkpoint-2" / "trainer_state.json").read_text())
    first, second = (entry for entry in state["log_history"] if "margin" in entry)
    assert first["margin"] == 0.0 and first["preference"] == pytest.approx(log(2), abs=1e-3)
    assert second["margin"] != 0.0  # of the second step alone: the model as it was after the first


def test_a_recipe_without_a_model_to_start_from_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, tmp_path / "absent")))
    with pytest.raises(RecipeError, match="corvid train instruct"):
        preference.run(config, resume=False)


def test_the_shipped_recipe_is_dense_dpo_on_the_shipped_weights() -> None:
    recipe = read(FOLDER / "align-s.yaml", PreferenceRecipe)
    assert (recipe.gamma, recipe.beta, recipe.average) == (5.0, 0.5, True)
    assert FOLDER.parents[2] / recipe.start == NANO
