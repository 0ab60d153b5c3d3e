"""Visual Contrastive Decoding, arXiv 2311.16922: a token must gain by the picture.

The conversation is read twice, once with noised pictures. What the model would say anyway, from
its habits of language, is likely in both readings; subtracting the second leaves what it sees.

The peer's defaults differ from each other (code alpha 0.5, command line 1; beta 0.1, its POPE
script 0.2) and it runs the second forward for every token. Of one conversation it is left out here
where it decides nothing, and the skipped tokens are made up for together when it does; the tokens
that come out are the same. Of several that are read side by side it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mllm.backends.engine import Engine, Picture, Prompt
from mllm.backends.protocol import WrongModel
from mllm.decoding.method import Branches, Reader

STEPS = 1000
"""Steps of the diffusion that the noise is taken from."""
BETAS = (1e-5, 5e-3)
"""Variance that the first and the last step add, along a sigmoid from -6 to 6."""
CHANNELS = 3


def add_noise(pixels: Tensor, step: int, generator: torch.Generator) -> Tensor:
    """Normalised pixels, of any shape, after ``step`` (0..999) of the diffusion (equation 2):
    sqrt(a) pixels + sqrt(1 - a) noise, where a is the product of 1 - beta up to that step. The
    noise is drawn in float32 on the generator's device, so that it is the same for every dtype
    and accelerator."""
    low, high = BETAS
    betas = torch.sigmoid(torch.linspace(-6, 6, STEPS)) * (high - low) + low
    kept = torch.cumprod(1 - betas, dim=0)[step]
    noise = torch.randn(pixels.shape, generator=generator, device=generator.device)
    return torch.sqrt(kept) * pixels + torch.sqrt(1 - kept) * noise.to(pixels)


def plausible(logits: Tensor, beta: float) -> Tensor:
    """The adaptive plausibility constraint (equation 4): true for tokens at least ``beta`` times
    as probable as the likeliest one. ``logits``: ``(..., vocabulary)``; 0 keeps all tokens, 1 the
    likeliest."""
    return logits >= torch.log(torch.tensor(beta)) + logits.max(dim=-1, keepdim=True).values


def contrast(logits: Tensor, distorted: Tensor, alpha: float, beta: float) -> Tensor:
    """(1 + alpha) logits - alpha distorted (equation 3), -inf where a token is not plausible by
    ``logits``. All ``(..., vocabulary)``."""
    sharper = (1 + alpha) * logits - alpha * distorted
    return sharper.masked_fill(~plausible(logits, beta), -torch.inf)


@dataclass(frozen=True)
class VCD:
    """The method: ``alpha`` >= 0 is the strength of the contrast, ``beta`` (0..1) that of the
    plausibility constraint, ``step`` (0..999) the amount of noise. Raises ``ValueError`` for
    values out of range.

    ``alpha`` 0 gives the model's own tokens where decoding is greedy; where tokens are drawn, its
    own among the plausible ones.
    """

    alpha: float = 1.0
    beta: float = 0.1
    step: int = 500

    def __post_init__(self) -> None:
        if self.alpha < 0:
            raise ValueError(f"alpha must be at least 0, not {self.alpha}")
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta must lie in 0..1, not {self.beta}")
        if not 0 <= self.step < STEPS:
            raise ValueError(f"step must lie in 0..{STEPS - 1}, not {self.step}")

    def reader(self, engine: Engine) -> ContrastReader:
        return ContrastReader(engine, self)

    def distorted(self, picture: Picture, frames: int) -> Picture:
        """The picture with noise that is drawn from its hash. ``frames``: how many times over the
        processor lays a picture into one patch (as a still film); all get the same noise. Raises
        ``ModelError`` when the model takes its pictures in an unknown form."""
        pixels = picture.inputs.get("pixel_values")
        if pixels is None:
            raise WrongModel(
                "VCD cannot distort what this model takes as a picture (its processor gives no "
                "pixel_values): use another model, or no decoding method"
            )
        generator = torch.Generator().manual_seed(int(picture.sha256[:16], 16))
        inputs = {**picture.inputs, "pixel_values": self._noised(pixels, frames, generator)}
        return replace(picture, inputs=inputs, encoded=None)

    def _noised(self, pixels: Tensor, frames: int, generator: torch.Generator) -> Tensor:
        # Two draws of noise over the same pixels would average out in part. A patch is laid out
        # as (channel, frame, place), in some models as (frame, channel, place).
        for outer in (CHANNELS, 1) if frames > 1 else ():
            film = pixels.view(*pixels.shape[:-1], outer, frames, -1)
            first = film[..., :1, :]
            if torch.equal(film, first.expand_as(film)):
                return add_noise(first, self.step, generator).expand_as(film).flatten(-3)
        return add_noise(pixels, self.step, generator)


class ContrastReader(Reader):
    """Reads a conversation a second time with distorted pictures, as far as that is needed.

    The second cache holds the same tokens as the first, but may be behind: by ``_prompt``, when
    it has not read this turn's, and by the tokens ``_new`` generated since.
    """

    def __init__(self, engine: Engine, method: VCD) -> None:
        super().__init__(engine)
        self._method = method
        images = getattr(engine.processor, "image_processor", None)
        self._frames: int = getattr(images, "temporal_patch_size", None) or 1
        self._second = Reader(engine)
        self._distorted: dict[str, Picture] = {}
        self._prompt: Prompt | None = None
        self._new: list[int] = []
        self._sees = False

    def prefill(self, prompt: Prompt) -> tuple[Tensor, int]:
        self._sees, self._prompt, self._new = bool(prompt.blocks), self._blurred(prompt), []
        return super().prefill(prompt)

    def branch(self, prompts: Sequence[Prompt]) -> tuple[Branches, Tensor, list[int]] | None:
        if not prompts[0].blocks:
            return super().branch(prompts)
        second = self._second.branch([self._blurred(prompt) for prompt in prompts])
        if second is None or (first := super().branch(prompts)) is None:
            return None
        branches, logits, cached = first
        return ContrastBranches(branches, *second[:2], self._method), logits, cached

    def extend(self, ids: list[int]) -> Tensor:
        self._new += ids
        return super().extend(ids)

    def weigh(self, logits: Tensor) -> Tensor:
        """The contrast, among what the grammar allows: were the likeliest token of all one that
        is forbidden, there might be no plausible one left. Without a picture, ``logits``."""
        if not self._sees:
            return logits
        keep = plausible(logits, self._method.beta)
        if int(keep.sum()) == 1:
            return logits.masked_fill(~keep, -torch.inf)
        return contrast(logits, self._catch_up(), self._method.alpha, self._method.beta)

    def _catch_up(self) -> Tensor:
        """Logits ``(vocabulary,)`` of the next token in the second reading."""
        if self._prompt is not None:
            logits, _ = self._second.prefill(self._prompt)
            self._prompt = None
        if self._new:
            logits = self._second.extend(self._new)
            self._new = []
        return logits

    def _blurred(self, prompt: Prompt) -> Prompt:
        # Made before the first reading: once it has encoded a picture its pixels are gone.
        blocks = [replace(b, picture=self._noised(b.picture)) for b in prompt.blocks]
        return Prompt(prompt.ids, blocks)

    def _noised(self, picture: Picture) -> Picture:
        if picture.sha256 not in self._distorted:
            self._distorted[picture.sha256] = self._method.distorted(picture, self._frames)
        return self._distorted[picture.sha256]


class ContrastBranches(Branches):
    """Both readings of several prompts, whose rows go on together."""

    def __init__(self, first: Branches, second: Branches, distorted: Tensor, method: VCD) -> None:
        """``distorted`` ``(b, vocabulary)``: logits of the next tokens in the second reading."""
        self._first, self._second = first, second
        self._distorted, self._method = distorted, method

    def extend(self, ids: Sequence[Sequence[int]]) -> Tensor:
        self._distorted = self._second.extend(ids)
        return self._first.extend(ids)

    def keep(self, rows: Sequence[int]) -> None:
        self._first.keep(rows)
        self._second.keep(rows)
        self._distorted = self._distorted[list(rows)]

    def weigh(self, logits: Tensor) -> Tensor:
        return contrast(logits, self._distorted, self._method.alpha, self._method.beta)
