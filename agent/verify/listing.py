"""Sentences that list what a picture shows, put right item by item.

"1 melon, 2 sheep and 1 car" where no melon and 3 sheep were found is "3 sheep and 1 car": what is
not there goes, and so does what would be said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.verify.checks import Finding, Weighed
from agent.verify.enumeration import BETWEEN
from agent.verify.replacement import replaced, said_of
from mllm.claims import ClaimDraft
from prompts import language

_LAST = {"en": " and ", "zh": "和"}
_OTHERS = {"en": ", ", "zh": "、"}


@dataclass(frozen=True)
class _Item:
    """What one claim says, at a place of the sentence."""

    start: int
    stop: int
    draft: ClaimDraft
    finding: Finding


def relisted(sentence: str, weighed: Weighed) -> tuple[str, list[ClaimDraft]]:
    """``sentence`` with its lists put right, and the wrong claims that are now right or gone. Both
    are as they were where no list says something wrong, or nothing would be left of it."""
    items = sorted(_items(sentence, weighed), key=lambda item: item.start)
    if any(one.stop > other.start for one, other in pairwise(items)):
        return sentence, []
    text, done, left = sentence, list[ClaimDraft](), list[ClaimDraft]()
    for run in reversed(list(_runs(sentence, items))):
        wrong = [item.draft for item in run if item.finding.holds is False]
        new = _joined(run, sentence) if len(run) > 1 else ""
        if not (wrong and new):
            left += wrong
            continue
        done += wrong
        before = _agreeing(text[: run[0].start], new)
        text = before + new + text[run[-1].stop :]
    # A claim that is also made outside of the lists that were put right is not right yet.
    if any(draft in left for draft in done):
        return sentence, []
    return text, done


def _items(sentence: str, weighed: Weighed) -> Iterator[_Item]:
    for draft, finding in weighed:
        for match in said_of(draft, sentence):
            yield _Item(match.start(), match.end(), draft, finding)


def _runs(sentence: str, items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """The items that follow on each other."""
    run: list[_Item] = []
    for item in items:
        if run and not BETWEEN.fullmatch(sentence[run[-1].stop : item.start]):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _joined(run: Sequence[_Item], sentence: str) -> str:
    """The list with each of its items right and said once; nothing where one cannot be put right
    in words or none is left."""
    kept: list[str] = []
    for item in run:
        text, right = sentence[item.start : item.stop], item.finding.instead
        if item.finding.holds is False:
            if right is None:
                return ""
            if right.value in ("0", "no"):
                continue
            text = replaced(text, item.draft, right)
            if not text:
                return ""
        if text.casefold() not in [one.casefold() for one in kept]:
            kept.append(text)
    if len(kept) < 2:
        return "".join(kept)
    said, lang = sentence[run[0].start : run[-1].stop], language(sentence)
    last = ", and " if ", and " in said and len(kept) > 2 else _LAST[lang]
    return _OTHERS[lang].join(kept[:-1]) + last + kept[-1]


def _agreeing(before: str, listed: str) -> str:
    """What stands before a list, with its verb in the number of what is listed first."""
    one = re.match(r"(?:1|one|an?) ", listed, re.IGNORECASE)
    return re.sub(r"\b(there) (?:is|are) $", rf"\1 {'is' if one else 'are'} ", before, flags=re.I)
