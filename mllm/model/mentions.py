"""What a person, the model or a tool said that stands elsewhere, too: a feature for pointers.

A label that a person names stands in the wish and on the page; one that was used already stands in
an earlier call. That two texts are the same is hard to learn and easy to see, so it is told: the
*exact match* of DrQA (Chen et al., arXiv 1704.00051, section 3.2), here as a length in tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LONGEST = 12
"""Tokens up to which a text is followed."""
_STEP = np.array((0, 1, 2, 3, 4, 4, *[5] * (LONGEST - 5)))
STEPS = WHOLE = 6
"""What is told apart, beside nothing: lengths of 1, 2, 3, 4 to 5, 6 and more tokens, and all that
stands in a pair of quotes, however long."""


def mentions(
    sources: Tensor, visible: Tensor, roles: Sequence[int], quotes: Sequence[int]
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """For each turn of the model that queries belong to: its row, its queries, and what is told of
    all positions ``(len(roles) * STEPS, n)``: 1 at ``r * STEPS + s`` where the text from there on
    stands in what role r said before that turn, as far as step s.

    ``sources`` ``(b, n)`` are token ids, ``visible`` ``(b, m, n)`` what the m queries of a row see.
    ``roles`` are the ids of the marks at which a person, the model, and a tool begin to speak, in
    this order, ``quotes`` those of all tokens with a quote in them. What the model itself said is
    found in others' words and not looked for in them: a call would be found by what it is about to
    say.
    """
    place = torch.arange(sources.shape[1], device=sources.device)
    begun = (sources == roles[1])[:, None] & visible
    turns = torch.where(begun, place, -1).amax(-1)
    for row, own in enumerate(turns):
        for turn in own.unique().tolist():
            asking = (own == turn).nonzero()[:, 0]
            before = (visible[row, asking[0]] & (place < turn)).nonzero()[:, 0]
            said = sources[row, before].cpu().numpy().tobytes()
            steps = _steps(said, tuple(roles), tuple(quotes))
            told = torch.zeros(len(roles) * STEPS, len(place), device=sources.device)
            kind, where = np.nonzero(steps)
            told[kind * STEPS + steps[kind, where] - 1, before[where]] = 1.0
            yield row, asking, told


@lru_cache(maxsize=256)
def _steps(ids: bytes, roles: tuple[int, ...], quotes: tuple[int, ...]) -> NDArray[np.int64]:
    """``(roles, n)``, 0 to ``STEPS``, of a conversation up to a turn. Kept, because each token of
    the turn asks for it."""
    said = np.frombuffer(ids, np.int64)
    n = len(said)
    marks = np.isin(said, roles)
    speech = marks.cumsum()
    last = np.maximum.accumulate(np.where(marks, np.arange(n), -1))
    speaker = np.full(n, -1)
    for role, mark in enumerate(roles):
        speaker[(last >= 0) & (said[last] == mark)] = role
    length = np.zeros((len(roles), n), np.int64)
    for role in range(len(roles)):
        there = np.flatnonzero((speaker == role) & ~marks)
        here = np.flatnonzero((speaker >= 0) & (speaker != role) & (speaker != 1) & ~marks)
        one, other = (said[here][:, None] == said[there]).nonzero()
        begin, at = here[one], there[other]
        for run in range(1, LONGEST + 1):
            length[role, begin] = run
            fits = np.maximum(begin, at) + run < n
            begin, at = begin[fits], at[fits]
            goes_on = (
                (said[begin + run] == said[at + run])
                & (speech[begin + run] == speech[begin])
                & (speech[at + run] == speech[at])
            )
            begin, at = begin[goes_on], at[goes_on]
    # What begins behind a quote is as long as the way to the next one.
    quoted = np.flatnonzero(np.isin(said, quotes))
    begin, long = quoted[:-1] + 1, np.diff(quoted) - 1
    steps = _STEP[length]
    steps[:, begin] = np.where((length[:, begin] >= long) & (long > 0), WHOLE, steps[:, begin])
    return steps
