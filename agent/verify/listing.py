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
from agent.verify.words import NUMBERS, forms, numbered
from mllm.claims import ClaimDraft
from prompts import language

_LAST = {"en": " and ", "zh": "和"}
_OTHERS = {"en": ", ", "zh": "、"}


@dataclass(frozen=True)
class _Item:
    """What one claim says, at a place of the sentence: ``number`` as it is said there, "2" or "a",
    and ``noun``, in Chinese with the measure word before it."""

    start: int
    stop: int
    number: str
    noun: str
    draft: ClaimDraft
    finding: Finding

    def right(self, lang: str) -> str | None:
        """The item as it would hold; "" where nothing is there, None where that is not known."""
        if self.finding.holds is not False:
            return f"{self.number} {self.noun}" if lang == "en" else self.number + self.noun
        instead = self.finding.instead
        if instead is None:
            return None
        if instead.value in ("0", "no"):
            return ""
        if instead.kind != "count" or not instead.value.isdecimal():
            return None
        words, many = NUMBERS[lang], int(instead.value)
        number = instead.value if self.number.isdecimal() or many >= len(words) else words[many]
        if lang == "zh":
            return number + self.noun
        noun = f"{self.draft.color} {numbered(self.draft.object, many)}".strip()
        return f"{number} {noun}"


def relisted(sentence: str, weighed: Weighed) -> tuple[str, list[ClaimDraft]]:
    """``sentence`` with its lists put right, and the wrong claims that are now right or gone. Both
    are as they were where no list says something wrong."""
    lang = language(sentence)
    items = sorted(_items(sentence, weighed, lang), key=lambda item: item.start)
    if any(one.stop > other.start for one, other in pairwise(items)):
        return sentence, []
    text, done, left = sentence, list[ClaimDraft](), list[ClaimDraft]()
    for run in reversed(list(_runs(sentence, items))):
        wrong = [item.draft for item in run if item.finding.holds is False]
        start, stop = run[0].start, run[-1].stop
        new = _put(text[:start], text[start:stop], run, lang) if wrong and len(run) > 1 else ""
        if not new:
            left += wrong
            continue
        done += wrong
        text = new + text[stop:]
    # A claim that is also made outside of the lists that were put right is not right yet.
    if any(draft in left for draft in done):
        return sentence, []
    return text, done


def _items(sentence: str, weighed: Weighed, lang: str) -> Iterator[_Item]:
    for draft, finding in weighed:
        way = _said(draft, lang)
        for match in re.finditer(way, sentence, re.IGNORECASE) if way else ():
            yield _Item(*match.span(), match["number"], match["noun"], draft, finding)


def _said(draft: ClaimDraft, lang: str) -> str:
    """A regular expression of the phrases that say what ``draft`` does: "2 red cups", "a cup"."""
    value = "1" if (draft.kind, draft.value.lower()) == ("existence", "yes") else draft.value
    if draft.kind not in ("existence", "count") or draft.relation or not value.isdecimal():
        return ""
    names = [value, *NUMBERS[lang][int(value) :][:1]]
    if lang == "zh":
        color = f"{re.escape(draft.color)}的?" if draft.color else ""
        noun = f"[\u4e00-\u9fff]?{color}{re.escape(draft.object)}"
        return rf"(?<!\d)(?P<number>{'|'.join(names)})(?P<noun>{noun})"
    color = f"{re.escape(draft.color)} " if draft.color else ""
    noun = f"{color}(?:{'|'.join(map(re.escape, forms(draft.object)))})"
    number = "|".join([*names, "an?"] if value == "1" else names)
    return rf"\b(?P<number>{number}) (?P<noun>{noun})\b"


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


def _put(before: str, said: str, run: Sequence[_Item], lang: str) -> str:
    """What stands before a list and the list, with each of its items right and said once; where
    nothing is there, that. Nothing where that cannot be said."""
    new = [item.right(lang) for item in run]
    if None in new:
        return ""
    kept = _once(filter(None, new))
    if not kept and lang == "zh":
        if not before.endswith("有"):
            return ""
        before, kept = f"{before[:-1]}没有", _once(item.draft.object for item in run)
    elif not kept:
        kept = _once(f"no {forms(item.draft.object)[1]}" for item in run)
    last = ", and " if ", and " in said and len(kept) > 2 else _LAST[lang]
    one = re.match(r"(?:1|one|an?) ", kept[0], re.IGNORECASE)
    before = re.sub(
        r"\b(there) (?:is|are) $", rf"\1 {'is' if one else 'are'} ", before, flags=re.IGNORECASE
    )
    return before + last.join(part for part in (_OTHERS[lang].join(kept[:-1]), kept[-1]) if part)


def _once(items: Iterator[str]) -> list[str]:
    return list({item.casefold(): item for item in items}.values())
