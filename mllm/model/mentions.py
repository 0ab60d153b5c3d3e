"""What a person, the model or a tool said that stands elsewhere, too: features of a conversation.

A label that a person names stands in the wish and on the page; one that was used already stands in
an earlier call. That two texts are the same is hard to learn and easy to see, so it is told.
Pointers are told of all that stood before their turn, as the *exact match* of DrQA (Chen et al.,
arXiv 1704.00051, section 3.2), here as a length in tokens. The decoder is told, where a pair of
quotes closes, who had said all that stands in it. Whole quoted texts are compared letter by letter
without case ("under the name Ada" names the field "Name"), lengths token by token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mllm.model.config import NanoConfig

LETTERS = 16
"""Bytes of a token that are compared. A few runs of function words are longer."""
LONGEST = 12
"""Tokens up to which a text is followed."""
KEPT = 32
"""Conversations that are kept."""
_STEP = np.array((0, 1, 2, 3, 4, 4, *[5] * (LONGEST - 5)))
STEPS = WHOLE = 6
"""What pointers are told apart, beside nothing: lengths of 1, 2, 3, 4 to 5, 6 and more tokens, and
all that stands in a pair of quotes, up to 80 bytes."""
_QUOTED = re.compile(rb'"((?:[^"\\\n]|\\.){1,80})"')
_WORDY = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")


class Mentions(nn.Module):
    """``letters`` ``(vocab, LETTERS)`` are the bytes of each token in lower case, then zeros
    (``mllm.model.tokenizer.letters``); as long as they are all zero, nothing is in quotes."""

    letters: Tensor

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.roles = config.roles
        shape = config.vocab_size, LETTERS
        self.register_buffer("letters", torch.zeros(shape, dtype=torch.uint8))
        self.said = nn.Parameter(torch.zeros(len(self.roles), config.hidden_size))
        self._kept: dict[bytes, _Conversation] = {}

    def quotes(self, ids: Tensor) -> bool:
        """Whether there is a quote in some tokens: else ``forward`` is zero."""
        return bool((self.letters[ids] == ord('"')).any())

    def forward(self, sources: Tensor, visible: Tensor) -> Tensor:
        """What the decoder reads beside the last t of the words ``sources`` ``(b, n)``, of which it
        sees ``visible`` ``(b, t, n)``: ``(b, t, d)``, not zero where a pair of quotes closes whose
        text stood in what someone said before this speech began."""
        b, t, n = visible.shape
        told = np.zeros((b, t, len(self.roles)), np.float32)
        quotes = (self.letters[sources[:, n - t :]] == ord('"')).flatten(1).any(-1)
        for row, own, path in _paths(visible, quotes.nonzero()[:, 0].tolist()):
            closed = self._conversation(sources[row, path]).closed(len(path) - len(own))
            told[row, own.cpu().numpy()] = closed
        out: Tensor = torch.from_numpy(told).to(self.said) @ self.said * self.said.shape[1] ** 0.5
        return out

    def pointed(
        self, sources: Tensor, visible: Tensor
    ) -> Iterator[tuple[int, Sequence[int], Tensor]]:
        """For each turn of the model that queries belong to: its row, its queries, and what
        pointers are told of all positions ``(len(roles) * STEPS, n)``: 1 at ``r * STEPS + s`` where
        the text from there on stands in what role r said before that turn, as far as step s.

        ``sources`` ``(b, n)`` are token ids, ``visible`` ``(b, m, n)`` what the m queries of a row
        see. What the model itself said is found in others' words and not looked for in them: a call
        would be found by what it is about to say.
        """
        place = torch.arange(sources.shape[1], device=sources.device)
        begun = (sources == self.roles[1])[:, None] & visible
        turns = torch.where(begun, place, -1).amax(-1).tolist()
        for row, own in enumerate(turns):
            for turn in sorted(set(own)):
                asking = [query for query, its in enumerate(own) if its == turn]
                seen = visible[row, asking[0], : max(turn, 0)]
                steps = self._conversation(sources[row, : len(seen)][seen]).steps
                before = np.flatnonzero(seen.cpu().numpy())
                told = np.zeros((len(self.roles) * STEPS, len(place)), np.float32)
                kind, where = np.nonzero(steps)
                told[kind * STEPS + steps[kind, where] - 1, before[where]] = 1.0
                yield row, asking, torch.from_numpy(told).to(sources.device)

    def _conversation(self, ids: Tensor) -> _Conversation:
        """Some are kept, because each token of a turn asks for the one before it."""
        key = ids.cpu().numpy().tobytes()
        found = self._kept.pop(key, None)
        if found is None:
            letters = self.letters[ids].cpu().numpy()
            found = _Conversation(ids.cpu().numpy(), letters, self.roles)
        self._kept[key] = found  # the newest stand last
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return found


@dataclass(frozen=True)
class _Speech:
    """What one role said in tokens ``begin`` to ``end``, as text, and what of it is in quotes: the
    first and the last token of each pair's text with its closing quote, and the text."""

    role: int
    begin: int
    end: int
    text: bytes
    quoted: Sequence[tuple[int, int, bytes]]


class _Conversation:
    def __init__(
        self, ids: NDArray[np.int64], letters: NDArray[np.uint8], roles: tuple[int, ...]
    ) -> None:
        self.ids, self.roles = ids, roles
        begins = np.flatnonzero(np.isin(ids, roles)) + 1
        ends = [*(begins[1:] - 1), len(ids)][: len(begins)]
        self.speeches = [
            _speech(roles.index(ids[b - 1]), int(b), int(e), letters[b:e])
            for b, e in zip(begins, ends, strict=True)
        ]

    def closed(self, since: int) -> NDArray[np.bool_]:
        """``(n - since, roles)``: where a quote closes what a role had said before that speech."""
        told = np.zeros((len(self.ids), len(self.roles)), bool)
        heard = [b""] * len(self.roles)
        for speech in self.speeches:
            for _, close, text in speech.quoted:
                if close >= since:
                    told[close] = [_stands(text, said) for said in heard]
            heard[speech.role] += b"\n" + speech.text
        return told[since:]

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """``(roles, n)``, 0 to ``STEPS``. Of quoted texts that differ in case alone only those are
        told as whole that are written as they were said, where there are such."""
        lengths = self._lengths()
        steps = _STEP[lengths]
        for role, told in enumerate(steps):
            said = b"\n".join(speech.text for speech in self.speeches if speech.role == role)
            whole = [
                (begin, text, lengths[role, begin] >= min(close - begin, LONGEST))
                for speech in self.speeches
                if speech.role not in (role, 1)
                for begin, close, text in speech.quoted
                if _stands(text, said)
            ]
            just_so = {text for _, text, same in whole if same}
            for begin, text, same in whole:
                if same or text not in just_so:
                    told[begin] = WHOLE
        return steps

    def _lengths(self) -> NDArray[np.int64]:
        """``(roles, n)``: tokens from each on that stand in what a role said, too."""
        n = len(self.ids)
        speaker, speech = np.full(n, -1), np.full(n, -1)
        for number, one in enumerate(self.speeches):
            speaker[one.begin : one.end], speech[one.begin : one.end] = one.role, number
        length = np.zeros((len(self.roles), n), np.int64)
        for role in range(len(self.roles)):
            there = np.flatnonzero(speaker == role)
            here = np.flatnonzero((speaker >= 0) & (speaker != role) & (speaker != 1))
            one, other = (self.ids[here][:, None] == self.ids[there]).nonzero()
            begin, at = here[one], there[other]
            for run in range(1, LONGEST + 1):
                length[role, begin] = run
                fits = np.maximum(begin, at) + run < n
                begin, at = begin[fits], at[fits]
                goes_on = (
                    (self.ids[begin + run] == self.ids[at + run])
                    & (speech[begin + run] == speech[begin])
                    & (speech[at + run] == speech[at])
                )
                begin, at = begin[goes_on], at[goes_on]
        return length


def _speech(role: int, begin: int, end: int, letters: NDArray[np.uint8]) -> _Speech:
    text = letters.tobytes().translate(None, b"\0")
    after = (letters > 0).sum(1).cumsum()  # bytes up to the end of each token
    found = list(_QUOTED.finditer(text))
    opens = np.searchsorted(after, [m.start() for m in found], "right") + begin
    closes = np.searchsorted(after, [m.end() - 1 for m in found], "right") + begin
    quoted = [
        (opening + 1, closing, said)
        for match, opening, closing in zip(found, opens.tolist(), closes.tolist(), strict=True)
        if closing > opening + 1 and (said := match[1].replace(b"\\", b"").strip())
    ]
    return _Speech(role, begin, end, text, quoted)


def _stands(label: bytes, text: bytes) -> bool:
    """Whether a label stands in a text, and not as a part of its words."""
    at = text.find(label)
    while at >= 0:
        end = at + len(label)
        joined = at > 0 and text[at - 1] in _WORDY and label[0] in _WORDY
        joined |= end < len(text) and text[end] in _WORDY and label[-1] in _WORDY
        if not joined:
            return True
        at = text.find(label, at + 1)
    return False


def _paths(visible: Tensor, rows: Sequence[int]) -> Iterator[tuple[int, Tensor, Tensor]]:
    """For each place, in some rows of ``(b, t, n)``, behind which nobody goes on: its row, which of
    the t lead to it, and all of the n that do, those t the last of them."""
    _, t, n = visible.shape
    new = visible[:, :, n - t :]  # (b, t, t): which of the new see which
    for row in rows:
        followed = new[row, torch.arange(1, t), torch.arange(t - 1)]
        for last in [*(~followed).nonzero()[:, 0].tolist(), t - 1]:
            own = new[row, last].nonzero()[:, 0]
            yield row, own, visible[row, last].nonzero()[:, 0]
