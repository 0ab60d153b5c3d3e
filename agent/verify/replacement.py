"""Corrections that take no model: the words of a fact in place of those of another.

"There are 3 red cups." and 2 cups found is "There are 2 red cups.": nothing else changes, neither
style nor language. What stands for what is in ``replacements.json``, a column a way of saying it;
a sentence that says it otherwise is left to the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from agent.verify.words import NUMBERS, forms, may_turn, may_vanish, whole
from mllm.claims import ClaimDraft
from mllm.data.phrasing import with_article
from prompts import language

_START, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_ALONE = r"(?!\s+n?or\b|\s+and\b(?!\s+\d)|,\s+(?!an?\b|the\b|no\b|\d)|\s*[或和、])"
"""Of "no cups or books" one may be there and not the other, and a denial denies what comes next."""
_NEGATED = re.compile(r"\bnot\b|n['’]t\b|[不没非]", re.IGNORECASE)
_MEASURE = r"(?P<m>[\u4e00-\u9fff]?)"
"""A Chinese measure word; that of a noun that had none is 个."""


def replaced(sentence: str, wrong: ClaimDraft, right: ClaimDraft) -> str:
    """``sentence`` with what ``right`` says in place of what ``wrong`` says; nothing where that
    takes more than a replacement of words."""
    lang = language(sentence)
    words = _words(lang)
    if wrong.kind in ("attribute", "relation") and _NEGATED.search(sentence):
        return ""  # "red, not blue" says more than the claim
    if wrong.relation != right.relation:
        pairs = _sides(wrong, right, words)
    elif forms(wrong.object) != forms(right.object):
        return ""
    elif (wrong.kind, wrong.value.lower(), right.kind) == ("existence", "no", "count"):
        pairs = _counts(wrong.model_copy(update={"value": "0"}), right, words)
    elif wrong.kind != right.kind:
        return ""
    elif wrong.kind == "count":
        pairs = _counts(wrong, right, words)
    elif {wrong.value.lower(), right.value.lower()} == {"yes", "no"}:
        pairs = _denials(wrong, right, words)
    else:
        pairs = _values(wrong, right, lang)
    # Of an answer that begins with yes or no, that word changes too, or it is left alone.
    begins = re.match(words["answers"], sentence)
    denies = {"0", "no"} & {wrong.value.lower(), right.value.lower()}
    vanishes = wrong.kind == "count" and right.value == "0"
    turns = right.kind == "count" and lang == "en" and (wrong.value == "1") != (right.value == "1")

    def fits(before: str, after: str) -> bool:
        return (not vanishes or may_vanish(before)) and (not turns or may_turn(before, after))

    for old, new in pairs:
        old += _ALONE if denies else ""
        text = _put(sentence, old, new, fits)
        if text and not (begins and text.startswith(begins[0])):
            return text
    return ""


def added(sentence: str, there: ClaimDraft) -> str:
    """``sentence``, which denies something, and that ``there`` is this: "no orange hat, but
    there is a red hat"."""
    lang = language(sentence)
    one, many = forms(there.object)
    noun = f"{there.color}的{there.object}" if lang == "zh" else f"{there.color} {there.object}"
    clause: str = _words(lang)["besides"][there.object.lower() == many.lower() != one.lower()]
    said = clause.format(noun=noun, a_noun=with_article(noun))
    end = len(sentence.rstrip(".!。！"))
    return sentence[:end] + said + sentence[end:]


Pairs = Iterator[tuple[str, str]]
"""Regular expressions and what stands in the place of what they find."""


def _sides(wrong: ClaimDraft, right: ClaimDraft, words: dict[str, Any]) -> Pairs:
    sides = words["relations"]
    for old, new in zip(sides.get(wrong.relation, ()), sides.get(right.relation, ()), strict=False):
        yield _START + old + _END, _bare(new)


def _counts(wrong: ClaimDraft, right: ClaimDraft, words: dict[str, Any]) -> Pairs:
    numbers = words["numbers"]
    for old, new in zip(words[_row(wrong.value)], words[_row(right.value)], strict=True):
        if not (old and new):  # "和没有青蛙" is no Chinese
            continue
        yield _pattern(old, wrong, wrong.value), _template(new, right, right.value)
        said, says = (int(draft.value) for draft in (wrong, right))
        if said and max(said, says) < len(numbers):
            yield _pattern(old, wrong, numbers[said]), _template(new, right, numbers[says])


def _denials(wrong: ClaimDraft, right: ClaimDraft, words: dict[str, Any]) -> Pairs:
    for old, new in zip(words[wrong.value.lower()], words[right.value.lower()], strict=True):
        yield _pattern(old, wrong), _template(new, right)


def _values(wrong: ClaimDraft, right: ClaimDraft, lang: str) -> Pairs:
    """A colour, where it is said of the thing ("the orange is red"), or words that are quoted."""
    old, new = re.escape(wrong.value), right.value
    one, many = (re.escape(form) for form in forms(wrong.object))
    thing = rf"(?:{one}|{many})"
    if wrong.kind != "attribute":
        yield _START + old + _END, new
    elif lang == "zh":
        yield old + rf"(?=[色的，。！？]|{thing}|$)", new
    else:
        article = re.escape(with_article(wrong.value))
        yield _START + article + rf"(?= (?:\w+ )?{thing}\b)", with_article(new)
        yield _START + old + rf"(?= (?:\w+ )?{thing}\b)", new
        yield rf"(?:(?<=\bis )|(?<=\bare )|(?<=\bwas )|(?<=\bwere ))(?:colored )?{old}" + _END, new
        yield rf"^{old}(?=\W*$)", new


def _row(value: str) -> str:
    return value if value in ("0", "1") else "more"


def _pattern(template: str, draft: ClaimDraft, number: str = "") -> str:
    one, many = (re.escape(form) for form in forms(draft.object))
    color = re.escape(draft.color) + r"(?:\s|的)?" if draft.color else ""
    slots = {
        "one": f"(?P<noun>{color}{one})",
        "many": f"(?P<noun>{color}{many})",
        "a_one": f"an? (?P<noun>{color}{one})",
        "n": f"(?<!than )(?<!least )(?<!most ){_START}{number}",
        "m": _MEASURE,
    }
    return re.sub(r"\{(\w+)\}", lambda slot: slots[slot[1]], template) + _END + whole(draft.object)


def _template(template: str, draft: ClaimDraft, number: str = "") -> str:
    """With ``{noun}`` where the noun stands as it was said, colour and all."""
    template = _bare(template)
    one, many = (f"{draft.color} {form}".strip() for form in forms(draft.object))
    slots = {"one": one, "many": many, "a_one": with_article(one), "n": number, "m": "{m}"}
    if language(draft.object) == "zh":
        slots |= dict.fromkeys(("one", "many"), "{noun}")
    return re.sub(r"\{(\w+)\}", lambda slot: slots[slot[1]], template)


def _bare(old: str) -> str:
    """What a pattern stands for, without what must be around it."""
    return re.sub(r"\(\?.*?\)|\^", "", old)


def _put(sentence: str, old: str, new: str, fits: Callable[[str, str], bool]) -> str:
    """Nothing where it is not said, where a word that names nothing stands twice, or where it does
    not fit between the words around it."""
    found = list(re.finditer(old, sentence, re.IGNORECASE))
    if not found or (len(found) > 1 and "(?P<noun>" not in old):
        return ""
    if not all(fits(sentence[: m.start()], sentence[m.end() :]) for m in found):
        return ""

    def said(match: re.Match[str]) -> str:
        parts = match.groupdict()
        text = new.replace("{noun}", parts.get("noun") or "").replace("{m}", parts.get("m") or "个")
        return text[:1].upper() + text[1:] if match[0][:1].isupper() else text

    return re.sub(old, said, sentence, flags=re.IGNORECASE)


@cache
def _words(lang: str) -> dict[str, Any]:
    path = Path(__file__).with_name("replacements.json")
    words: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))[lang]
    return words | {"numbers": NUMBERS[lang]}
