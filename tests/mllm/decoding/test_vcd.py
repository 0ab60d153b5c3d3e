"""Visual Contrastive Decoding: the peer's numbers, and what must be equal to what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mllm.decoding.vcd import VCD, add_noise, contrast, plausible

PEER = json.loads((Path(__file__).parent / "fixtures" / "vcd_peer.json").read_text())


def matrix(rows: list[list[float | None]]) -> torch.Tensor:
    return torch.tensor([[-torch.inf if v is None else v for v in row] for row in rows])


LOGITS, DISTORTED = matrix(PEER["logits"]), matrix(PEER["distorted"])


@pytest.mark.parametrize("case", PEER["noise"], ids=lambda c: str(c["step"]))
def test_noise_is_the_peers(case: dict[str, Any]) -> None:
    pixels = torch.tensor(PEER["pixels"]).view(PEER["shape"])
    generator = torch.Generator().manual_seed(PEER["seed"])
    noised = add_noise(pixels, case["step"], generator)
    # Equal to the bit where it was recorded; other processors may round logarithms otherwise.
    torch.testing.assert_close(
        noised, torch.tensor(case["noised"]).view_as(pixels), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("case", PEER["contrast"], ids=lambda c: f"{c['alpha']}-{c['beta']}")
def test_contrast_is_the_peers(case: dict[str, Any]) -> None:
    ours = contrast(LOGITS, DISTORTED, case["alpha"], case["beta"])
    assert torch.equal(ours, matrix(case["contrasted"]))


def test_without_contrast_plausible_tokens_keep_their_logits() -> None:
    masked = LOGITS.masked_fill(~plausible(LOGITS, 0.1), -torch.inf)
    assert torch.equal(contrast(LOGITS, DISTORTED, alpha=0, beta=0.1), masked)
    torch.testing.assert_close(contrast(LOGITS, LOGITS, alpha=1, beta=0.1), masked)


def test_plausible_is_a_share_of_the_likeliest_probability() -> None:
    chances = torch.tensor([0.5, 0.26, 0.2, 0.04])
    assert plausible(chances.log(), 0.5).tolist() == [True, True, False, False]
    assert plausible(chances.log(), 0.0).all()
    assert plausible(chances.log(), 1.0).tolist() == [True, False, False, False]


def test_noise_keeps_the_variance_of_normalised_pixels() -> None:
    pixels = torch.randn(10_000, generator=torch.Generator().manual_seed(1))
    early, late = (add_noise(pixels, step, torch.Generator().manual_seed(2)) for step in (10, 999))
    assert early.std() == pytest.approx(1, abs=0.03) and late.std() == pytest.approx(1, abs=0.03)
    likeness = [float(torch.corrcoef(torch.stack([pixels, x]))[0, 1]) for x in (early, late)]
    assert likeness[0] > 0.99 and likeness[1] < 0.4


def test_noise_does_not_depend_on_the_dtype_of_the_model() -> None:
    pixels = torch.linspace(-1, 1, 64)
    exact, coarse = (
        add_noise(pixels.to(dtype), 500, torch.Generator().manual_seed(3))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert coarse.dtype == torch.bfloat16
    torch.testing.assert_close(coarse.float(), exact, atol=0.03, rtol=0.02)


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"alpha": -0.1}, "alpha"), ({"beta": 1.1}, "beta"), ({"step": 1000}, r"0\.\.999")],
)
def test_values_out_of_range_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        VCD(**settings)
