"""Words for what was found: in the number, the language and the spelling that a text has them."""

from __future__ import annotations

import re

from mllm.data.lexicon import BY_NAME, CATEGORIES, normalize, plural
from mllm.data.phrasing import phrasings
from prompts import language
from tools.color import SYNONYMS

NUMBERS = {
    "en": ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    "zh": tuple("零一两三四五六七八九十"),
}
"""The words for the numbers from 0."""
_ALIKE = str.maketrans("oil|", "0111")


def legible(text: str) -> str:
    """``text`` in small letters, with one sign for those that a reader of print takes for each
    other: 0 for o, 1 for i and l."""
    return text.lower().translate(_ALIKE)


def kind(noun: str) -> str:
    """What a noun names, the same for "cup", "Cups" and "杯子"."""
    return normalize(noun) or noun.strip().casefold()


def forms(noun: str) -> tuple[str, str]:
    """Of an English noun, the one in which it is one, and the one in which there are more. A word
    that the lexicon does not know, a Chinese one too, has one form."""
    category = BY_NAME.get(normalize(noun) or "")
    if category is None or language(noun) == "zh":
        return noun, noun
    pairs = [(category.name, category.plural), *((a, plural(a)) for a in category.aliases)]
    if category.name in (several := phrasings("en")["pairs"]):
        one, many = several[category.name]
        pairs.insert(0, (one, many))
    said = noun.lower().replace("-", " ")
    return next((pair for pair in pairs if said in pair), (noun, noun))


def whole(noun: str) -> str:
    """A regular expression of what must not follow ``noun`` for it to be the whole word: "书" is
    none in "书包". English words are told apart by their spaces."""
    names = [name for c in CATEGORIES for name in (c.zh, *c.zh_aliases) if name.startswith(noun)]
    rest = [re.escape(name[len(noun) :]) for name in names if name != noun]
    return f"(?!{'|'.join(rest)})" if rest and noun else ""


def numbered(noun: str, number: int) -> str:
    """``noun`` as it stands after ``number``: "1 cup", "2 cups"."""
    one, many = forms(noun)
    return one if number == 1 else many


_LIMITED = re.compile(r"\b(?:the|these|those|both|only|exactly|just|all|of)\s*$", re.IGNORECASE)
_BE = re.compile(r"\b(?:is|are|was|were)\b(?! no\b)[^,.;]*$", re.IGNORECASE)
_AGREES = re.compile(
    r"\b(?:is|are|was|were|has|have|do|does|they|them|their|its?|which|who|that|each|both)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\W*$|[,.;]|\s+(?:and|or|on|in|at|near|beside|left|right|above|below|under|behind|next|to|"
    r"with|of|from|inside|between)\b",
    re.IGNORECASE,
)


def may_vanish(before: str) -> bool:
    """Whether "no cups" can stand behind these words as "two cups" did: not in "the two cups"."""
    return _LIMITED.search(before) is None


def may_turn(before: str, after: str) -> bool:
    """Whether an English noun may stand between these words in the other number: not where a word
    would have to agree with it, as in "two cups stand here"."""
    return not (_BE.search(before) or agrees(after)) and _FOLLOWS.match(after) is not None


def agrees(after: str) -> bool:
    """Whether words behind an English noun depend on its number."""
    return _AGREES.search(after) is not None


def color_word(color: str, like: str) -> str:
    """The word for a colour term of ``tools.color`` in the language and form of ``like``."""
    if language(like) != "zh":
        return color
    word = next(zh for zh, term in SYNONYMS.items() if term == color and language(zh) == "zh")
    return word + "色" if like.endswith("色") else word
