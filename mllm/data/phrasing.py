"""How people say things: templates of questions and answers, and words for objects.

The templates are files, ``phrasings/LANG.json``; those under ``held_out`` serve evaluation only.
In a template ``(a|b|)`` stands for one of its alternatives, see ``vary``.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mllm.data.lexicon import BY_NAME, normalize

CLOSING = "?.!？。！"
"""Marks that close a sentence."""
_ALTERNATIVES = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")


@dataclass(frozen=True)
class Noun:
    """An object as a user calls it: ``one`` mug, many ``mugs``. Chinese has one form."""

    name: str
    one: str
    many: str
    bare: str = ""  # without colour or place, as written when there are both

    def words(self, slot: str) -> dict[str, str]:
        """What fills the slots ``x``, ``a_x``, ``xs``, ``Xs`` of a template, for slot ``x``."""
        return {
            slot: self.one,
            f"a_{slot}": with_article(self.one),
            f"{slot}s": self.many,
            f"{slot.upper()}s": capital(self.many),
        }


@cache
def phrasings(lang: str) -> dict[str, Any]:
    """The file of a language, ``en`` or ``zh``."""
    path = Path(__file__).with_name("phrasings") / f"{lang}.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def noun(name: str, lang: str, rng: random.Random) -> Noun:
    """The category as someone may call it: its usual name, or with 30 % another word."""
    category = BY_NAME[name]
    data = phrasings(lang)
    awkward = data["awkward"]
    if lang == "zh":
        others = [a for a in category.zh_aliases if a not in awkward]
        word = rng.choice(others) if others and rng.random() < 0.3 else category.zh
        return Noun(name, word, word)
    if name in data["pairs"]:
        one, many = data["pairs"][name]
        return Noun(name, one, many)
    others = [a for a in category.aliases if a not in awkward and normalize(a + "s") == name]
    if others and rng.random() < 0.3:
        word = rng.choice(others)
        return Noun(name, word, word + "s")
    return Noun(name, category.name, category.plural)


def colored(thing: Noun, color: str, lang: str) -> Noun:
    """``red mug``, ``红色的杯子``."""
    word = phrasings(lang)["colors"][color]
    glue = " " if lang == "en" else "的"
    return Noun(thing.name, f"{word}{glue}{thing.one}", f"{word}{glue}{thing.many}")


def placed(thing: Noun, relation: str, anchor: Noun, lang: str) -> Noun:
    """``mug to the left of the laptop``, ``电脑左边的杯子``; relation as already worded."""
    if lang == "zh":
        one = f"{anchor.one}{relation}的{thing.one}"
        return Noun(thing.name, one, one)
    clause = f" {relation} the {anchor.one}"
    return Noun(thing.name, thing.one + clause, thing.many + clause)


def measure(name: str) -> str:
    """The Chinese measure word of a category."""
    for word, names in phrasings("zh")["measures"].items():
        if name in names:
            return str(word)
    return "个"


def fill(template: str, words: Mapping[str, str]) -> str:
    """The template with its slots filled. Raises ``KeyError`` for a slot without a word."""
    return re.sub(r"\{(\w+)\}", lambda m: words[m[1]], template)


def vary(template: str, rng: random.Random) -> str:
    """The template with one alternative chosen in each ``(a|b|)``."""
    return _ALTERNATIVES.sub(lambda m: rng.choice(m[1].split("|")), template)


def carelessly(text: str, rng: random.Random) -> str:
    """The text as people type it: now and then without a capital or the closing mark."""
    if rng.random() < 0.12:
        text = text[:1].lower() + text[1:]
    if rng.random() < 0.12:
        text = text.rstrip(CLOSING)
    return text


def with_article(phrase: str) -> str:
    """``a cup``, ``an apple``."""
    return f"{'an' if phrase[:1].lower() in tuple('aeiou') else 'a'} {phrase}"


def capital(phrase: str) -> str:
    """With a capital first letter."""
    return phrase[:1].upper() + phrase[1:]
