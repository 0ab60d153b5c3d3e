"""Direct preference optimisation (arXiv 2305.18290) and its dense form (RLHF-V, arXiv 2312.00849).

Both compare how much likelier a model says the preferred answer than the rejected one, with how
much likelier a frozen reference does. They differ in what counts as the likelihood of an answer:
DPO sums the log-probabilities of its tokens; RLHF-V takes their weighted mean, in which the tokens
of segments that were corrected weigh ``gamma`` times as much as the others.

RLHF-V's code divides by the weights only with an option that is off (``dpo_use_average``), and
weighs corrected tokens 3 by default, not the paper's 5. Here the paper's form is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import torch.nn.functional as F
from torch import Tensor


def dpo_loss(
    preferred: Tensor, rejected: Tensor, reference_preferred: Tensor, reference_rejected: Tensor,
    beta: float,
) -> tuple[Tensor, Tensor]:
    """Equation 7 of DPO before the mean, and the margin whose sigmoid it takes, both ``(n,)``.

    The arguments are log-probabilities of answers ``(n,)`` (``log_likelihood``). The margin is
    ``beta`` times how far the model's preference exceeds the reference's; where they agree it is 0
    and the loss log 2.
    """
    margin = beta * ((preferred - rejected) - (reference_preferred - reference_rejected))
    return -F.logsigmoid(margin), margin


def log_likelihood(log_p: Tensor, weights: Tensor, *, average: bool) -> Tensor:
    """Weighted sum, or mean, of log-probabilities: ``(n, k)`` twice to ``(n,)``.

    Tokens that are no part of the answer have weight 0. With weights of 1 the sum is DPO's
    log-likelihood; with those of ``segment_weights`` the mean is equation 3 of RLHF-V.
    """
    total = (log_p * weights).sum(-1)
    return total / weights.sum(-1) if average else total


def segment_weights(
    one: Sequence[int], other: Sequence[int], gamma: float
) -> tuple[list[float], list[float]]:
    """The weight of every token of two answers: ``gamma`` where they differ, else 1.

    What differs is what is left beside the longest runs of tokens that both have in the same
    order. Where one answer only lacks something, no token of it differs.
    """
    weights = [gamma] * len(one), [gamma] * len(other)
    for a, b, size in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        weights[0][a : a + size] = [1.0] * size
        weights[1][b : b + size] = [1.0] * size
    return weights
