"""Text as it was read: whether words stand in it, however the reader spaced and wrote them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")
"""A run without spaces, or one Chinese character."""


HAN = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
"""A sign of Chinese text, its punctuation included."""


def stands_in(wanted: str, text: str) -> bool:
    """Whether ``wanted`` stands in ``text`` in whole words: PLATFORM 1 does not in PLATFORM 11.
    Case, punctuation and spaces do not count, since readers of text lose and add them."""
    sought = _letters(wanted)
    words = [letters for word in _WORD.findall(text) if (letters := _letters(word))]
    ends = set(accumulate(map(len, words)))
    begins = {0, *ends}
    letters, at = "".join(words), -1
    while sought and (at := letters.find(sought, at + 1)) >= 0:
        if at in begins and at + len(sought) in ends:
            return True
    return False


def times(wanted: str, lines: Sequence[str]) -> int:
    """How many lines hold ``wanted``; 1 where only all lines together do."""
    return sum(stands_in(wanted, line) for line in lines) or int(stands_in(wanted, " ".join(lines)))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
