"""Output heads: the language model's, tied to the embeddings, mixed with a pointer.

p(next) = g_lm softmax(E h) + sum over pointers of g_i a_i(j) onehot(source(j))

A pointer attends to earlier positions j and puts its weight on the token that stands there: a copy
(pointer-generator, See et al., arXiv 1704.04368). There are two kinds. A *point* takes the token at
j itself; a *continue* matches the position j and takes the token after it, which goes on with a
copied string in one step of attention. Both match on the token before as well: in a string such as
"PLATFORM 11" one token is not enough to know how far the copy has come. A continue also knows how
many tokens before j are those that were just written, so that it keeps its place in a long text
with repeats. How much a pointer is trusted depends on the tokens that it would take: a copy ends
where a quote, a comma or a new line would come next, and what ends it depends on what it is copied
for. Where a pointer looks also depends on how far the text there stands elsewhere in the
conversation (``mllm.model.mentions``). The source of a visual token is its location token
``<|loc_k|>``: copying it is pointing at a place in the picture. Visual tokens are several times
longer than words: to a pointer that copies text they are all or nothing, and it learns nothing from
them. Places have pointers of their own, over visual tokens only, whose queries and keys are
normalised.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.cache_utils import Cache

from mllm.model.config import NanoConfig
from mllm.model.mentions import STEPS

EPSILON = 1e-7
"""Probability kept for tokens that neither head gives any, so that logarithms stay finite."""

LONGEST_RUN = 16
"""Tokens up to which a continue counts how long it has been right."""

RUN_TRUST = 0.5
"""What a token of a run adds to the score of going on with it, at the start."""

TRUST = 16
"""Features of a token that decide whether it is taken."""

LM_BIAS = 2.0
"""The gate starts out trusting the language model."""

SURE = math.log(0.9)
"""Log-probability from which on a token counts as learned."""

LEAST_WEIGHT = 1e-12
"""Keeps the logarithm of a pointer's weight finite, and its gradient alive down to 1e-12."""


Told: TypeAlias = Iterable[tuple[int, Sequence[int], Tensor]]
"""What pointers are told of each position (``Mentions.pointed``)."""


class MixtureHead(nn.Module):
    """Hidden states to the distribution of the next token.

    ``embedding`` is the matrix ``(vocab, d)`` of the word embeddings. ``states`` ``(b, t, 3 d)``
    are those of ``states``: hidden states, input embeddings, and embeddings of what stood before.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.kinds = 2
        self.count = self.kinds * config.pointer_heads
        self.head_dim = config.pointer_head_dim
        self.layer = config.decoder_layers
        self.query = nn.Linear(3 * d, self.count * self.head_dim, bias=False)
        self.key = nn.Linear(3 * d, self.count * self.head_dim, bias=False)
        self.gate = nn.Linear(d, 1 + self.count)
        self.trust = nn.Linear(d, self.count * TRUST)
        self.taken = nn.Parameter(torch.zeros(TRUST, d))
        self.told = len(config.roles) * STEPS
        self.mention = nn.Parameter(torch.zeros(self.count * self.told, d))
        self.run = nn.Parameter(torch.full((config.pointer_heads,), RUN_TRUST))
        self.places = config.place_heads
        if self.places:
            self.place_query = nn.Linear(3 * d, self.places * self.head_dim, bias=False)
            self.place_key = nn.Linear(3 * d, self.places * self.head_dim, bias=False)
            self.place_gate = nn.Linear(d, self.places)

    def states(
        self, hidden: Tensor, inputs: Tensor, sources: Tensor, embedding: Tensor,
        cache: Cache | None,
    ) -> Tensor:
        """All that a position is matched by: the decoder's last states and input embeddings
        ``(b, t, d)``, and the embedding of the source ``(b, t)`` before it."""
        past = cache.get_seq_length(self.layer) if cache is not None else 0
        if cache is not None and past:
            last = cache.layers[self.layer].values[:, 0, -1:, 0].long()  # type: ignore[union-attr,index]
        else:
            last = torch.zeros_like(sources[:, :1])
        before = F.embedding(torch.cat([last, sources[:, :-1]], -1), embedding)
        return torch.cat([hidden, inputs, before * embedding.shape[1] ** 0.5], -1)

    def keys(
        self, states: Tensor, sources: Tensor, seen: Tensor, cache: Cache | None
    ) -> tuple[Tensor, Tensor]:
        """The keys ``(b, pointers, past + t, head_dim)`` and source ids ``(b, past + t)`` of all
        positions so far. The cache holds, as values in float32, the ids and the visual tokens
        ``seen`` ``(b, t, d)``."""
        keys = self._split(self.key(states))
        if self.places:
            keys = torch.cat([keys, self._place_keys(states, seen.any(-1)).to(keys.dtype)], 1)
        if cache is None:
            return keys, sources
        kept = torch.cat([sources[..., None].float(), seen.float()], -1)
        keys, kept = cache.update(keys, kept[:, None], self.layer)
        return keys, kept[:, 0, :, 0].long()

    def shown(self, sources: Tensor, seen: Tensor, cache: Cache | None) -> tuple[Tensor, Tensor]:
        """``sources`` and ``seen``, with those of the cache before them."""
        if cache is None or not cache.get_seq_length(self.layer):
            return sources, seen
        kept = cache.layers[self.layer].values[:, 0]  # type: ignore[union-attr,index]
        return (
            torch.cat([kept[..., 0].long(), sources], 1),
            torch.cat([kept[..., 1:].to(seen.dtype), seen], 1),
        )

    def weights(
        self, hidden: Tensor, states: Tensor, embedding: Tensor, keys: Tensor, sources: Tensor,
        places: Tensor, mask: Tensor, told: Told,
    ) -> tuple[Tensor, Tensor]:
        """Log gates ``(b, m, 1 + pointers)`` and weights ``(b, pointers, m, past + t)``, over the
        position *of the token that is taken*, for ``m`` queries, which stand at ``places``
        ``(b, m)``. ``mask`` is ``(b, 1, m, past + t)``."""
        queries = self._split(self.query(states))
        scores = (queries @ keys[:, : self.count].transpose(-1, -2)).float() * self.head_dim**-0.5
        point, follow = scores.chunk(2, 1)
        follow = follow + self.run.float()[:, None, None] * runs(sources, places)[:, None]
        # A continue that matched j takes j + 1: shift its scores by one. The first position of
        # a sample has none before it in the sample, which the mask of j and j + 1 rules out.
        follow = F.pad(follow[..., :-1], (1, 0))
        pair = mask & F.pad(mask[..., :-1], (1, 0))
        mentioned = self._mentioned(hidden, told, sources.shape[1])
        point, follow = (a + b for a, b in zip((point, follow), mentioned, strict=True))
        weights = torch.cat([_softmax(point, mask), _softmax(follow, pair)], 1)
        bias = torch.zeros(1 + self.count, device=hidden.device)
        bias[0] = LM_BIAS
        trust = F.pad(self._trust(hidden, embedding, sources, weights), (1, 0))
        gates = self.gate(hidden).float() + bias + trust
        if self.places:
            queries, keys = self._placed(self.place_query, states), keys[:, self.count :]
            shown = mask & keys.any(-1)[:, :, None]
            scores = (queries @ keys.transpose(-1, -2)).float() * self.head_dim**-0.5
            weights = torch.cat([weights, _softmax(scores, shown)], 1)
            blind = ~shown.any(-1).transpose(1, 2)
            gates = torch.cat([gates, self.place_gate(hidden).float() - 1e4 * blind], -1)
        return torch.log_softmax(gates, -1), weights

    def _mentioned(self, hidden: Tensor, told: Told, n: int) -> Sequence[Tensor]:
        """What is added to the score of taking a token whose text stands elsewhere too, by points
        and by continues ``(b, pointers, m, n)``."""
        b, m, _ = hidden.shape
        wanted = F.linear(hidden, self.mention).view(b, m, -1, self.told).transpose(1, 2)
        out = torch.zeros(*wanted.shape[:3], n, device=hidden.device)
        for row, asking, told_here in told:
            added = wanted[row, :, asking] @ told_here.to(wanted.dtype)
            out[row, :, asking] = added.float() * self.head_dim**0.5
        return out.chunk(2, 1)

    def _trust(
        self, hidden: Tensor, embedding: Tensor, sources: Tensor, weights: Tensor
    ) -> Tensor:
        """What the tokens that each pointer would take add to its gate, ``(b, m, count)``. This
        moves no pointer: where they look is learned from what they should have taken."""
        tokens = F.embedding(sources, F.linear(embedding.detach(), self.taken))
        taken = weights.detach() @ tokens[:, None].to(weights.dtype)
        wanted = self.trust(hidden).unflatten(-1, (self.count, TRUST)).transpose(1, 2)
        trust: Tensor = (wanted.float() * taken.float()).sum(-1).transpose(1, 2)
        return trust

    def log_probabilities(
        self, hidden: Tensor, states: Tensor, embedding: Tensor, keys: Tensor, sources: Tensor,
        places: Tensor, mask: Tensor, told: Told,
    ) -> Tensor:
        """The whole distribution, as log-probabilities ``(b, m, vocab)`` in float32."""
        gates, weights = self.weights(
            hidden, states, embedding, keys, sources, places, mask, told
        )
        p = gates[..., :1].exp() * F.linear(hidden, embedding).float().softmax(-1)
        copied = (gates[..., 1:].exp().transpose(1, 2)[..., None] * weights).sum(1)
        p = p.scatter_add(-1, sources[:, None].expand_as(copied), copied)
        # At the first token of a sample a continue has nothing to take: its share is lost.
        p = p / p.sum(-1, keepdim=True)
        return (p * (1 - EPSILON) + EPSILON / p.shape[-1]).log()

    def target_log_probability(
        self, hidden: Tensor, states: Tensor, embedding: Tensor, keys: Tensor, sources: Tensor,
        places: Tensor, mask: Tensor, told: Told, targets: Tensor, evidence: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Only the log-probability of ``targets`` ``(b, m)``, without the scatter over the
        vocabulary; and how far the pointers are from what they should have looked at.

        ``evidence`` ``(b, m, past + t)`` is true where evidence stands. The second tensor
        ``(b, m)`` is -log of the weight that the pointers, as far as each is trusted, have on the
        target there, where the evidence has the target and all in all it is still unsure; else 0.
        A pointer that is sure of a wrong place has no gradient in a mixture, here it has.
        """
        gates, weights = self.weights(
            hidden, states, embedding, keys, sources, places, mask, told
        )
        logits = F.linear(hidden, embedding).float()
        lm = logits.gather(-1, targets[..., None]) - logits.logsumexp(-1, keepdim=True)
        hit = (sources[:, None, :] == targets[..., None])[:, None]
        copied = (weights * hit).sum(-1).transpose(1, 2)
        p = (gates[..., :1] + lm).exp() + (gates[..., 1:].exp() * copied).sum(-1, keepdim=True)
        log_p = (p[..., 0] * (1 - EPSILON) + EPSILON / logits.shape[-1]).log()

        there = hit & evidence[:, None]
        trusted = gates[..., 1:].softmax(-1)
        looked = (trusted.transpose(1, 2) * (weights * there).sum(-1)).sum(1)
        unsure = there.any(-1)[:, 0] & (log_p.detach() < SURE)
        return log_p, -(looked + LEAST_WEIGHT).log() * unsure

    def _place_keys(self, states: Tensor, shown: Tensor) -> Tensor:
        """Keys of the pointers to places ``(b, places, t, head_dim)``, zero where not ``shown``
        ``(b, t)``: text is not looked at, and there is far more of it."""
        found = self._placed(self.place_key, states[shown][None])[0].transpose(0, 1)
        keys = found.new_zeros(*shown.shape, self.places, self.head_dim)
        return keys.index_put((shown,), found).transpose(1, 2)

    def _placed(self, layer: nn.Module, states: Tensor) -> Tensor:
        """Queries or keys of the pointers to places ``(b, places, t, head_dim)``. Each part of the
        states and each result has a root mean square of 1 (QK-norm, arXiv 2302.05442)."""
        d = states.shape[-1] // 3
        b, t, _ = states.shape
        parts = F.rms_norm(states.view(b, t, 3, d), (d,)).flatten(-2)
        out: Tensor = layer(parts).view(b, t, self.places, self.head_dim)
        return F.rms_norm(out, (self.head_dim,)).transpose(1, 2)

    def _split(self, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        return x.view(b, t, self.count, self.head_dim).transpose(1, 2)


def runs(sources: Tensor, places: Tensor) -> Tensor:
    """How many tokens up to and with position j are those up to and with the query, ``(b, m, n)``
    of 0 to ``LONGEST_RUN``, for ``sources`` ``(b, n)`` and queries at ``places`` ``(b, m)``.

    In packed rows a branch follows another one, not its trunk; a run across that seam is short.
    """
    n = sources.shape[1]
    padded = F.pad(sources, (LONGEST_RUN, 0), value=-1)
    alive = torch.ones(*places.shape, n, dtype=torch.bool, device=sources.device)
    length = torch.zeros(alive.shape, dtype=torch.uint8, device=sources.device)
    for back in range(LONGEST_RUN):
        at = LONGEST_RUN - back
        alive &= padded[:, None, at : at + n] == padded.gather(1, places + at)[..., None]
        length += alive
    return length


def _softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over allowed positions; all zero where none is allowed."""
    return scores.masked_fill(~mask, -1e4).softmax(-1) * mask
