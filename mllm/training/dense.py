"""The dense loss: every patch is pulled to the word of what it shows.

A patch's aligned feature is scored against the word embeddings of all categories and of the places
that a background shows (meadow, street), with a word for any other background, and of tinted
objects against the words of the colours. Each step draws another form of each name (cup, cups, mug,
杯子), so that all of them come to mean the same patches.
"""

from __future__ import annotations

import random
import zlib

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from mllm.data.lexicon import CATEGORIES
from mllm.data.phrasing import phrasings
from mllm.data.scenes import SIGN_COLORS
from mllm.training.views import PLACES

BACKGROUND_WORD = "background"
BACKGROUND_WEIGHT = 0.2
COLOR_WEIGHT = 0.5


class DenseLoss:
    """Callable: aligned patches ``(n, patches, d)``, category and colour numbers ``(n, patches)``
    with -1 for none (see ``mllm.training.views``), the embedding matrix. Gives the
    loss and the share of object patches whose category is right."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> None:
        self.seed = seed
        self.tokenizer = tokenizer
        en, zh = phrasings("en")["settings"], phrasings("zh")
        self.categories = [
            self._forms(c.name, (c.plural, c.zh, *c.aliases, *c.zh_aliases)) for c in CATEGORIES
        ]
        self.objects = len(self.categories)
        self.categories += [self._forms(en[s], (zh["settings"][s],)) for s in PLACES]
        self.categories.append(self._forms(BACKGROUND_WORD, ()))
        self.colors = [self._forms(c, (zh["colors"][c],)) for c in SIGN_COLORS]

    def __call__(
        self, aligned: Tensor, categories: Tensor, colors: Tensor, embedding: Tensor
    ) -> tuple[Tensor, Tensor]:
        aligned = aligned.flatten(0, 1).float()
        labels, tints = categories.flatten().long(), colors.flatten().long()
        # By the labels alone: a run that is resumed draws the words that it would have drawn.
        rng = random.Random(f"{self.seed}/{zlib.crc32(labels.cpu().numpy().tobytes())}")
        scores = aligned @ self._words(self.categories, embedding, rng).T
        background = scores.shape[1] - 1
        labels = labels.where(labels >= 0, background)
        weight = torch.ones(scores.shape[1], device=scores.device)
        weight[self.objects :] = BACKGROUND_WEIGHT
        loss = F.cross_entropy(scores, labels, weight=weight)
        tinted = tints >= 0
        if tinted.any():
            hues = aligned[tinted] @ self._words(self.colors, embedding, rng).T
            loss = loss + COLOR_WEIGHT * F.cross_entropy(hues, tints[tinted])
        shown = labels < self.objects
        right = (scores.argmax(-1) == labels)[shown].float().mean()
        return loss, right

    def _forms(self, name: str, others: tuple[str, ...]) -> tuple[list[int], list[list[int]]]:
        return self._tokens(name), [self._tokens(form) for form in others]

    def _tokens(self, words: str) -> list[int]:
        """The tokens of a name without its spaces."""
        return [t for w in words.split() for t in self.tokenizer(w)["input_ids"]]

    def _words(
        self,
        entries: list[tuple[list[int], list[list[int]]]],
        embedding: Tensor,
        rng: random.Random,
    ) -> Tensor:
        """One vector a name, ``(names, d)``: the mean embedding of the tokens of a form, which is
        the usual one half of the time."""
        chosen = [
            name if not others or rng.random() < 0.5 else rng.choice(others)
            for name, others in entries
        ]
        flat = torch.tensor([t for form in chosen for t in form], device=embedding.device)
        starts = [0]
        for form in chosen[:-1]:
            starts.append(starts[-1] + len(form))
        offsets = torch.tensor(starts, device=embedding.device)
        return F.embedding_bag(flat, embedding, offsets, mode="mean").float()
