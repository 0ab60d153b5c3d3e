"""Which objects a caption names: categories, the words for them, and where those words stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mllm.data.lexicon import CATEGORIES

_ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
COCO_COMPOUNDS: dict[str, str | None] = {
    **{f"{age} {animal}": animal for animal in _ANIMALS for age in ("baby", "adult")},
    **{f"{age} {word}": None for word in ("animal", "cub") for age in ("baby", "adult")},
    "passenger jet": "airplane",
    "passenger train": "train",
    "toilet seat": "toilet",
    "seat of the toilet": "toilet",
    "home plate": None,
    "train track": None,
}
"""Double words that mean another category than their parts, or (None) no category of COCO's:
the cases for which arXiv 1809.02156 has rules. Two-word synonyms need no entry."""

_NO_OBJECT = """train track|is present|are present|not present|present in|sign of|bus stop
|train station|橙色|橙红|橙黄|橘色|包括|包含|面包|钱包|花瓶|花色|分钟|马路|马上|河马|印象|对象|现象
|图象|牛奶|蜗牛|书写|球场|车道|车站|停车|刀叉|图书馆"""
OUR_COMPOUNDS: dict[str, str | None] = {word.strip(): None for word in re.split(r"\|", _NO_OBJECT)}
"""Words of the scenes world's captions that contain an object's name and do not mean it."""

_IRREGULAR = {"man": "men", "child": "children", "person": "people", "mouse": "mice"}
_IRREGULAR |= {"goose": "geese", "foot": "feet", "ox": "oxen", "glass": "glasses"}
_VES = ("knife", "calf", "wife", "leaf", "loaf", "shelf", "wolf", "scarf")
_SAME = ("sheep", "cattle", "people", "luggage", "children")
_LOST_BY_PEER = re.compile("[a-z]*bus|canoes|collies|doggies|magpies|ties")
_COLORS = "red|blue|green|yellow|black|white|brown|grey|gray|pink|purple"
_FILLER = (
    r"(?:(?:an?|any|the|other|visible|actual|single|more|such|see|show|have|contain|include"
    rf"|small|medium|medium-sized|large|big|tiny|little|huge|pairs? of|orange|{_COLORS})\s+)*"
)
_UNKNOWN = r"(?:[a-z]+(?: [a-z]+)?(?:,\s*(?:n?or\s+)?|\s+n?or\s+(?:an?\s|any\s)?))*"
"""Things of a list that is denied, which the vocabulary does not know."""
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:0|no|not|without|nor|neither|never|cannot|hardly|scarcely|no signs? of)|n[’']t)\s+"
    rf"{_FILLER}{_UNKNOWN}$"
    r"|(?:没有?(?:看到|看见|发现|见到|出现)?|不是|并无|看不到|看不见|未见|未发现)"
    r"(?:任何|其他|别的|一?[只个条辆张把本匹头])?"
    r"(?:[红橙黄绿蓝紫粉棕黑白灰]色?的?)?$"
)
_DENIED_AFTER = re.compile(
    r"\s+(?:is|are)(?:\s+not|n[’']t)\s+(?:present|visible|there|shown|seen)\b|(?:不在|看不到)"
)
_DENIED_NEXT = re.compile(r"\s*(?:,?\s*n?or\s+(?:an?\s|any\s|the\s)?|,|或者?|、|和)\s*")
_COLOR_BEFORE = re.compile(
    rf"\b(?:is|are|was|were|in|painted|bright|dark|light|deep|pale|wearing|(?:{_COLORS})"
    r"(?:,? and|,)?)\s+$"
)
_COLOR_AFTER = re.compile(
    rf"\s*(?:-|(?:and|,)\s*(?:{_COLORS})\b|\s(?!(?:and|or|is|are|was|has|on|in|at|by|with|to|of|"
    r"near|next|beside|behind|under|above|below|between|from|that|which|sits?|lies|lying|sitting|"
    r"can|there|for|as|while|but)\b)[a-z])"
)


@dataclass(frozen=True)
class Mention:
    """One place of a text that names an object. ``text[start:end]`` are the words."""

    category: str
    words: str
    start: int
    end: int
    denied: bool
    """``there is no dog``: named in order to say that it is absent."""


class Vocabulary:
    """Categories and the words for them, singular and plural, in any mixture of languages.

    ``rows`` are synonyms, the category's own name first. ``compounds`` are longer words that
    would else be read as their parts, with the category they mean or None. The longest word wins,
    so ``hot dog`` never names a dog. Words of an alphabet must stand alone; Chinese words need
    not. Raises ``ValueError`` for a word given to two categories.
    """

    def __init__(
        self,
        rows: Iterable[Iterable[str]],
        compounds: Mapping[str, str | None] | None = None,
        unread: Iterable[str] = (),
    ) -> None:
        owner: dict[str, str] = {}
        names: list[str] = []
        for row in rows:
            words = [_spaced(w) for w in row]
            names.append(words[0])
            for word in words:
                if owner.setdefault(word, words[0]) != words[0]:
                    raise ValueError(
                        f"{word!r} names both {owner[word]!r} and {words[0]!r}; keep one of them"
                    )
        self.categories = tuple(dict.fromkeys(names))
        self._singular = {plural: word for word in owner for plural in _plurals(word)}
        self._singular = {p: w for p, w in self._singular.items() if p not in owner}
        spelled: dict[str, str | None] = {p: owner[w] for p, w in self._singular.items()}
        spelled |= owner
        for words_, meaning in (compounds or {}).items():
            spelled |= dict.fromkeys((*_plurals(words_), words_), meaning)
        self._meaning = spelled
        self._unread = frozenset(unread)
        self._pattern = _longest_first(spelled)

    @classmethod
    def read(
        cls, path: str | Path, compounds: Mapping[str, str | None] = COCO_COMPOUNDS
    ) -> Vocabulary:
        """The vocabulary of a ``synonyms.txt``: a category a line, ``name, synonym, synonym``.

        Stray blanks and capitals are forgiven; the published reader keeps them and so never finds
        ``motor bike``, ``cheesecake`` and ``iPhone``, nor does ours for the peer variant.
        Compounds whose category the file lacks are left out. Raises ``ValueError`` for a file
        that is missing or empty.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}; give a synonyms.txt") from None
        rows = [[w for w in line.split(",") if w.strip()] for line in text.splitlines()]
        rows = [row for row in rows if row]
        if not rows:
            raise ValueError(f"{path} names no category; write one a line: name, synonym, synonym")
        written = [w for line in text.splitlines() for w in line.strip().split(", ")]
        names = {_spaced(row[0]) for row in rows}
        known = {k: v for k, v in compounds.items() if v is None or v in names}
        plain = {w for w in written if w == _spaced(w)}
        return cls(rows, known, unread={_spaced(w) for w in written} - plain)

    @classmethod
    def ours(cls) -> Vocabulary:
        """The 80 categories of the scenes world (``mllm/data/lexicon.json``), both languages."""
        rows = [(c.name, c.plural, c.zh, *c.aliases, *c.zh_aliases) for c in CATEGORIES]
        return cls(rows, OUR_COMPOUNDS)

    def category(self, word: str) -> str | None:
        """The category that a word names by itself, or None."""
        return self._meaning.get(_spaced(word))

    def mentions(self, text: str) -> list[Mention]:
        """Every object that a text names, in order, repetitions included.

        ``orange`` as a colour (``an orange car``, ``the cup is orange``) is no object.
        """
        low = text.lower()
        found: list[Mention] = []
        for m in self._pattern.finditer(low):
            category = self._meaning[_spaced(m[0])]
            if category is None or (m[0] == "orange" and _is_color(low, *m.span())):
                continue
            found.append(
                Mention(category, text[m.start() : m.end()], *m.span(), _denied(low, m, found))
            )
        return found

    def peer_mentions(self, text: str) -> list[str]:
        """The categories that the published ``utils/chair.py`` finds (repetitions included).

        It joins words by twos after making each singular, so that ``stove top oven`` names two
        ovens; it drops every ``seat`` of a caption that has a toilet; ``orange`` is always a
        fruit; a denied object counts. Its ``pattern.en.singularize`` is replaced by our plurals,
        without the words that it spoils (``bus`` becomes ``bu`` there and is never found).
        """
        words = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())
        words = ["" if _LOST_BY_PEER.fullmatch(w) else self._singular.get(w, w) for w in words]
        joined = list(self._by_twos(words))
        if "toilet" in joined:
            joined = [w for w in joined if w != "seat"]
        named = (self._meaning.get(w) for w in joined if w not in self._unread)
        return [category for category in named if category is not None]

    def _by_twos(self, words: list[str]) -> Iterator[str]:
        at = 0
        while at < len(words):
            pair = " ".join(words[at : at + 2])
            two = at + 1 < len(words) and pair in self._meaning
            yield pair if two else words[at]
            at += 2 if two else 1


def _spaced(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", word.strip().lower())


def _plurals(word: str) -> list[str]:
    """The plurals of an English word or group of words (its last word's); none for Chinese."""
    head, blank, last = word.rpartition(" ")
    if not word.isascii() or last in _SAME:
        return []
    for one, many in _IRREGULAR.items():
        if last == one or (one == "man" and last.endswith("man") and last != "german"):
            return [head + blank + last[: -len(one)] + many]
    if last.endswith(_VES):
        return [head + blank + re.sub("fe?$", "ves", last)]
    if last.endswith(("s", "x", "ch", "sh", "z")):
        return [head + blank + last + "es"]
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return [head + blank + last[:-1] + "ies"]
    return [head + blank + last + "s"]


def _longest_first(words: Iterable[str]) -> re.Pattern[str]:
    spelled = []
    for word in sorted(words, key=len, reverse=True):
        form = re.escape(word).replace(r"\ ", r"[\s_-]+")
        alone = rf"(?<![a-z0-9])(?<![a-z0-9]-){form}(?!-?[a-z0-9])"
        spelled.append(alone if word.isascii() else form)
    return re.compile("|".join(spelled))


def _denied(low: str, found: re.Match[str], before: list[Mention]) -> bool:
    if _DENIED_BEFORE.search(low[: found.start()]) or _DENIED_AFTER.match(low, found.end()):
        return True
    last = before[-1] if before else None
    return bool(last and last.denied and _DENIED_NEXT.fullmatch(low, last.end, found.start()))


def _is_color(low: str, start: int, end: int) -> bool:
    return bool(_COLOR_BEFORE.search(low[:start]) or _COLOR_AFTER.match(low, end))
