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
from agent.verify.words import NUMBERS, agrees, forms, kind, may_vanish, numbered, whole
from mllm.claims import ClaimDraft
from prompts import language

_LAST = {"en": " and ", "zh": "和"}
_OTHERS = {"en": ", ", "zh": "、"}

_GOES_ON = re.compile(r"(?:^(?:,? and |, |[、，和])|(?:,? and |, |[、，和])$)")
"""Another item, of which nothing is known, before a list or after it."""
_THERE_IS = re.compile(r"(?:[图片像面照里中上]|^)有$")
_VERB = re.compile(r"\b(there )(is|are|was|were)((?: also| only)? )$", re.IGNORECASE)
_MANY = {"is": "are", "are": "are", "was": "were", "were": "were"}


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
    """``sentence`` with its lists put right, and the wrong claims that are now right or gone; the
    sentence as it was and none where no list says something wrong, or that takes more."""
    lang = language(sentence)
    found = list(_items(sentence, weighed, lang))
    # Of claims that are said in one place the longest counts, and the wrong one of two alike.
    order = sorted(found, key=lambda item: (item.stop, item.finding.holds is False))
    items = sorted({item.start: item for item in order}.values(), key=lambda item: item.start)
    if any(one.stop > other.start for one, other in pairwise(items)):
        return sentence, []
    text, put = sentence, set[int]()
    for run in reversed(list(_runs(sentence, items))):
        if len(run) > 1 and any(item.finding.holds is False for item in run):
            start, stop = run[0].start, run[-1].stop
            if new := _put(text[:start], text[start:stop], text[stop:], run, lang):
                text = new
                put |= {item.start for item in run}
    done = list[ClaimDraft]()
    for draft in dict.fromkeys(item.draft for item in found if item.finding.holds is False):
        inside = [item.start in put for item in found if item.draft == draft]
        if any(inside) and not all(inside):  # also said elsewhere: it is not right yet
            return sentence, []
        done += [draft] * all(inside)
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
        noun = f"[\u4e00-\u9fff]?{color}{re.escape(draft.object)}{whole(draft.object)}"
        return rf"(?<![\d一二两三四五六七八九十百])(?P<number>{'|'.join(names)})(?P<noun>{noun})"
    color = f"{re.escape(draft.color)} " if draft.color else ""
    words = "|".join(re.escape(form).replace(r"\ ", "[ -]") for form in forms(draft.object))
    noun = f"{color}(?:{words})"
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


def _put(before: str, said: str, after: str, run: Sequence[_Item], lang: str) -> str:
    """The sentence around a list with each of its items right and said once; where nothing is
    there, that. Nothing where that takes more: where the list goes on, or what follows would have
    to agree with it."""
    new = [item.right(lang) for item in run]
    if None in new or not before.strip() or _GOES_ON.search(before) or _GOES_ON.match(after):
        return ""
    if lang == "en" and (agrees(after) or ("" in new and not may_vanish(before))):
        return ""
    kept: dict[tuple[str, str], str] = {}
    for item, text in zip(run, new, strict=True):
        if text:
            kept.setdefault((item.draft.color, kind(item.draft.object)), text)
    listed = list(kept.values())
    if not listed and lang == "zh":
        if not _THERE_IS.search(before):
            return ""
        before = f"{before[:-1]}没有"
        listed = _once(_named(item.draft, item.draft.object, "的") for item in run)
    elif not listed:
        listed = _once(f"no {_named(item.draft, forms(item.draft.object)[1], ' ')}" for item in run)
    last = ", and " if ", and " in said and len(listed) > 2 else _LAST[lang]
    one = re.match(r"(?:1|one|an?) ", listed[0], re.IGNORECASE)
    verbs = {"is": "is", "are": "is", "was": "was", "were": "was"} if one else _MANY
    before = _VERB.sub(lambda verb: verb[1] + verbs[verb[2]] + verb[3], before)
    joined = last.join(part for part in (_OTHERS[lang].join(listed[:-1]), listed[-1]) if part)
    return before + joined + after


def _named(draft: ClaimDraft, noun: str, joint: str) -> str:
    return f"{draft.color}{joint}{noun}" if draft.color else noun


def _once(items: Iterator[str]) -> list[str]:
    return list({item.casefold(): item for item in items}.values())
