"""Sentences that only list what a picture shows, read without a model.

"The picture shows 1 melon, 2 red cups and 1 car." says in so many words how many of each there
are. A small model that takes it apart leaves some of them out or changes a number; what is plain
is not left to it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from agent.verify.words import NUMBERS, forms, kind
from mllm.claims import ClaimDraft
from mllm.data.lexicon import normalize
from mllm.data.phrasing import measure
from prompts import language
from tools.color import color_term

BETWEEN = re.compile(r",? and |, |[、，,]|[，、,]?(?:和|以及)")
"""What stands between two items of a list."""

_PICTURE = r"(?:the|this) (?:picture|image|photo|scene)"
_SENTENCES = {
    "en": re.compile(
        rf"(?:in {_PICTURE},? )?(?:there (?:is|are)|i (?:can )?see|it (?:shows|depicts)|{_PICTURE} "
        rf"(?:shows|contains|depicts|has)) (?P<list>.+?)(?: in {_PICTURE})?[.!]?",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"我?(?:可以|能)?(?:在)?(?:这张)?(?:图|图片|图像|画面|照片)[中里上]?(?:可以|能)?(?:有|看到|看见)(?P<list>.+?)[。！]?"
    ),
}
"""What else a sentence says of the things that it names, where they are for instance, is the
model's to read."""
_ITEMS = {
    "en": re.compile(r"(?P<number>\w+) (?P<noun>[a-z]+(?:[ -][a-z]+)*)", re.IGNORECASE),
    "zh": re.compile(
        rf"(?P<number>\d+|{'|'.join(NUMBERS['zh'])})"
        r"(?P<measure>[\u4e00-\u9fff])(?P<noun>[\u4e00-\u9fff]+)"
    ),
}

_UNITS = "个只匹头条辆架列艘枚块台部把张棵朵本顶件根座支幅位名颗盏间"
"""Chinese measure words that count single things: not the stacks, baskets and pairs of them."""


def enumerated(sentence: str) -> list[ClaimDraft]:
    """A claim for each item of such a list of two or more; nothing where a sentence is no list,
    where the lexicon does not know what it names, or where it may count things twice."""
    lang = language(sentence)
    found = _SENTENCES[lang].fullmatch(sentence.strip())
    items = BETWEEN.split(found["list"]) if found else []
    drafts = [draft for item in items if (draft := _item(item, lang))]
    if len(drafts) != len(items) or len(items) < 2 or _ambiguous(drafts):
        return []
    return list(dict.fromkeys(drafts))


def _ambiguous(drafts: Sequence[ClaimDraft]) -> bool:
    """Whether some things may be counted twice: "1 red cup and 2 cups", "a mug and 2 cups"."""
    colors, words = defaultdict(set), defaultdict(set)
    for draft in drafts:
        colors[kind(draft.object)].add(draft.color)
        words[kind(draft.object)].add(forms(draft.object)[0])
    return any("" in some and len(some) > 1 for some in colors.values()) or any(
        len(some) > 1 for some in words.values()
    )


def _item(text: str, lang: str) -> ClaimDraft | None:
    found = _ITEMS[lang].fullmatch(text)
    if found is None:
        return None
    number, noun = found["number"].lower(), found["noun"]
    unit = found["measure"] if lang == "zh" else ""
    if unit and normalize(unit + noun):  # "1斑马": no measure word
        unit, noun = "", unit + noun
    color, _, rest = noun.partition("的" if lang == "zh" else " ")
    if not (rest and color_term(color)):
        color, rest = "", noun
    name = normalize(rest)
    if name is None or (unit and unit not in (*_UNITS, measure(name))):
        return None
    if number in ("a", "an"):
        return ClaimDraft(kind="existence", object=rest, color=color, value="yes")
    if number in NUMBERS[lang]:
        number = str(NUMBERS[lang].index(number))
    if not number.isdecimal():
        return None
    return ClaimDraft(kind="count", object=rest, color=color, value=number)
