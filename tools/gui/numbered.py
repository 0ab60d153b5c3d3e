"""Fields that nothing else tells apart, by their number: people say "the 2nd textbox"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tools.gui.observation import FILLED, MARKS, WRITABLE, Element

_ROLES = {*MARKS, *WRITABLE, *FILLED, "listbox"}
_NUMBER = re.compile(r"\d+(?:st|nd|rd|th) \w+")


def numbered(elements: Sequence[Element]) -> Iterator[Element]:
    """The same elements. Where there are several of a role, fields with no name or the same one,
    and with nothing near them, are told by their number among all of that role."""
    fields = [e for e in elements if e.role in _ROLES]
    several = Counter(e.role for e in fields)
    alike = Counter((e.role, e.words) for e in fields)
    seen: Counter[str] = Counter()
    for e in elements:
        seen[e.role] += 1
        told = alike[e.role, e.words] if e.words.strip() else several[e.role]
        bare = told > 1 and not e.near
        yield replace(e, near=f"{_ordinal(seen[e.role])} {e.role}") if bare else e


def is_number(near: str) -> bool:
    """Whether that is what ``numbered`` says of a field: it changes where others come or go."""
    return bool(_NUMBER.fullmatch(near))


def _ordinal(n: int) -> str:
    end = "th" if n // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{end}"
