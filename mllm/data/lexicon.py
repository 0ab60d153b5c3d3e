"""The closed world: 80 everyday object categories and the words people use for them.

The table itself is ``lexicon.json``; a category's position in ``CATEGORIES`` is its class number
in every detector and dense label, so the order of that file never changes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Category:
    """One kind of object: its canonical English name and how else it is called."""

    name: str
    plural: str
    zh: str
    aliases: tuple[str, ...]
    zh_aliases: tuple[str, ...]
    group: str
    emoji: tuple[str, ...]  # code points in hexadecimal; empty for `sign`, which is drawn
    tintable: bool  # recoloured in every scene, so that its colour is known exactly


@dataclass(frozen=True)
class Group:
    """A kind of category, such as ``animal``, and how else it is called."""

    name: str
    plural: str
    zh: str
    aliases: tuple[str, ...]
    zh_aliases: tuple[str, ...]


def normalize(word: str) -> str | None:
    """The category a word names, or None: ``'Mugs'``, ``'a cup'``, ``'杯子'`` are all ``cup``."""
    return _find(_CATEGORY_OF, word)


def called(name: str, lang: str) -> str:
    """The usual word for a category, English or Chinese; a name that is none stays as it is."""
    category = BY_NAME.get(name)
    return category.zh if category is not None and lang == "zh" else name


def in_group(word: str) -> tuple[str, ...]:
    """The categories of the group a word names (``'fruits'``, ``'水果'``), or ``()``."""
    group = _find(_GROUP_OF, word)
    return tuple(c.name for c in CATEGORIES if c.group == group)


def _find(table: dict[str, str], word: str) -> str | None:
    text = re.sub(r"[\s_]+", " ", word.strip().lower())
    text = re.sub(r"^(a|an|the|some) ", "", text)
    for form in (text, text.replace("-", " ")):
        if form in table:
            return table[form]
    return None


def plural(noun: str) -> str:
    """The regular plural of an English noun."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _forms(entries: tuple[Category, ...] | tuple[Group, ...]) -> dict[str, str]:
    """Every lower-case form of every entry; what the table spells out wins over a made plural."""
    spelled: dict[str, str] = {}
    made: dict[str, str] = {}
    for entry in entries:
        for form in (entry.name, entry.plural, entry.zh, *entry.aliases, *entry.zh_aliases):
            key = form.lower()
            if spelled.setdefault(key, entry.name) != entry.name:
                raise ValueError(f"lexicon.json gives {form!r} to two entries")
        for alias in entry.aliases:
            made.setdefault(plural(alias.lower()), entry.name)
    return made | spelled


def _read(key: str) -> list[dict[str, Any]]:
    rows = json.loads(Path(__file__).with_name("lexicon.json").read_text(encoding="utf-8"))[key]
    return [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]


GROUPS: tuple[Group, ...] = tuple(Group(**row) for row in _read("groups"))
CATEGORIES: tuple[Category, ...] = tuple(Category(**row) for row in _read("categories"))
NAMES: tuple[str, ...] = tuple(c.name for c in CATEGORIES)
INDEX: dict[str, int] = {name: number for number, name in enumerate(NAMES)}
BY_NAME: dict[str, Category] = {c.name: c for c in CATEGORIES}
_CATEGORY_OF = _forms(CATEGORIES)
_GROUP_OF = _forms(GROUPS)
