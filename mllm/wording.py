"""Text as it was read: whether words stand in it, however the reader spaced and wrote them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")
"""A run without spaces, or one Chinese character."""


HAN = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
"""A sign of Chinese text, its punctuation included."""


def stands_in(wanted: str, text: str) -> bool:
    """Whether ``wanted`` stands in ``text`` in whole words: PLATFORM 1 does not in PLATFORM 11.
    Case, punctuation and spaces do not count, since readers of text lose and add them."""
    sought = _letters(wanted)
    words = [_letters(word) for word in _WORD.findall(text)]
    runs = (words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    return bool(sought) and any("".join(run) == sought for run in runs)


def times(wanted: str, lines: Sequence[str]) -> int:
    """How many lines hold ``wanted``; 1 where only all lines together do."""
    return sum(stands_in(wanted, line) for line in lines) or int(stands_in(wanted, " ".join(lines)))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
