"""Whether a free-form answer says what is right.

An answer must commit itself: naming several colours, numbers or objects is wrong even when the
right one is among them, and an answer that cannot tell is right only where nobody can.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from mllm.data.lexicon import CATEGORIES, normalize

UNANSWERABLE = "unanswerable"
_QUOTED = re.compile(r"[\"“”「『](.+?)[\"“”」』]|(?<!\w)'(.+?)'(?!\w)")
_MEASURES = "个只匹头条辆架列艘枚块台部把张棵朵本副顶件根盆串座支双幅种"


class Labelled(Protocol):
    """What a question must have to be scored."""

    @property
    def answer(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def choices(self) -> Sequence[str] | None: ...


def matches(answer: str, gold: str, family: str, choices: Sequence[str] | None = None) -> bool:
    """Whether ``answer`` (a word or sentences, English or Chinese) gives ``gold``.

    ``gold`` is the short answer of a question file: yes, no, a number, a colour, a side, a
    setting, an object, a text, or ``unanswerable``. ``choices`` are what the question offered.
    """
    text = unicodedata.normalize("NFKC", answer).strip()
    low = text.lower().replace("’", "'")
    words = _words()
    if not low:
        return False
    if gold == UNANSWERABLE:
        return _hedged(low) or any(w in low for w in words["absent"])
    if _hedged(_unquoted(low)):
        return False
    if gold in ("yes", "no"):
        return _polarity(low) == gold
    if family != "text" and re.fullmatch(r"\d+", gold):
        return _number(_unquoted(low), int(gold)) or _same(text, gold)
    if family == "text":
        return _says(text, gold)
    for kind in ("sides", "colors", "settings"):
        # Sides are always offered as choices; an orange that is offered is the fruit.
        offered = gold in (choices or ())
        if gold in words[kind] and offered == (kind == "sides"):
            return _mentions(_asserted(low), words[kind]) == {gold}
    if normalize(gold) is not None and gold == gold.lower():
        return _names(_first_compared(_asserted(low))) == {normalize(gold)}
    return _says(text, gold)


def baselines(questions: Iterable[Labelled]) -> dict[str, float]:
    """Accuracy of answering without looking: always yes, always no, and each family's most
    frequent answer (chosen with knowledge of the answers, so an upper bound)."""
    items = list(questions)
    if not items:
        return {"always_yes": 0.0, "always_no": 0.0, "majority": 0.0}
    families: dict[str, Counter[str]] = {}
    for q in items:
        families.setdefault(q.family, Counter())[q.answer] += 1
    most = sum(counter.most_common(1)[0][1] for counter in families.values())
    return {
        "always_yes": sum(matches("Yes.", q.answer, q.family, q.choices) for q in items)
        / len(items),
        "always_no": sum(matches("No.", q.answer, q.family, q.choices) for q in items)
        / len(items),
        "majority": most / len(items),
    }


def _polarity(low: str) -> str | None:
    """yes or no, by the first word, else by a plain statement; None when it says both."""
    start = re.match(r"\W*(yes|yeah|yep|correct|true|no|nope|not|false)\b", low)
    if start:
        first = "yes" if start[1] in ("yes", "yeah", "yep", "correct", "true") else "no"
        rest = low[start.end() :]
        other = r"\b(no|nope)\b" if first == "yes" else r"\b(yes|yeah|yep)\b"
        return None if re.search(other, rest) else first
    start = re.match(r"\W*(没有|没|不是|不对|不|否|错|是的|是|有|对|正确)", low)
    if start:
        first = "no" if start[1][0] in "没不否错" else "yes"
        both = re.search(r"是或否|是否|有没有|是不是|[,，。;；/、]\s*(是的|否)\W*$", low)
        return None if both else first
    if re.search(r"\b(yes|no)\b.*\b(yes|no)\b", low) or re.search(r"\byes\b", low):
        return None
    if re.search(r"\b(no|not|none|neither|isn't|aren't|doesn't|don't|never)\b|没有|不", low):
        return "no"
    plain = r"\b(is|are|does|do|says?|shows?|has|can see|i see)\b|有|是|在|比"
    return "yes" if re.search(plain, low) else None


def _number(low: str, gold: int) -> bool:
    """Whether the only number said is the right one; ``2 and 3, 5 in total`` says 5."""
    numbers = [int(n) for n in re.findall(r"(?<![a-z0-9_.])\d+(?![a-z0-9_]|\.\d)", low)]
    if not numbers:
        known: Mapping[str, int] = _words()["numbers"]
        numbers = [known[w] for w in re.findall(r"[a-z]+", low) if w in known]
        spelled = re.findall(rf"([零〇一二两三四五六七八九十]+)[{_MEASURES}]", low)
        numbers += [known[w] for w in spelled if w in known]
        if len(set(numbers)) > 1 and 1 in numbers:  # "the left one"
            numbers = [n for n in numbers if n != 1]
        bare = low.strip(" .。!")
        numbers += [known[bare]] if not numbers and bare in known else []
    if not numbers:
        nothing = re.search(r"\bno [a-z]|\b(none|not any|nothing|as many)\b|没有|一样多", low)
        return gold == 0 and nothing is not None and not re.search(r"\byes\b", low)
    if len(numbers) == 3 and numbers[2] in (numbers[0] + numbers[1], numbers[0] - numbers[1]):
        numbers = numbers[2:]
    return set(numbers) == {gold}


def _says(text: str, gold: str) -> bool:
    """Whether the one text that is quoted, or else the end of the answer, is ``gold``."""
    quoted = {_letters(a or b) for a, b in _QUOTED.findall(text)}
    if quoted:
        return quoted == {_letters(gold)}
    ending = r"(says?|reads?|is|:|写着|写的是|是)\W*" + re.escape(gold) + r"\W*$"
    return _same(text, gold) or re.search(ending, text, re.IGNORECASE) is not None


def _mentions(low: str, words: Mapping[str, Sequence[str]]) -> set[str]:
    """The kinds that are named, longest words first, so that none is found inside another."""
    owner = {form: kind for kind, forms in words.items() for form in forms}
    found = _scan(low, owner)
    return set(found)


def _names(low: str) -> set[str]:
    """The categories that are named. Orange before another noun is a colour."""
    low = re.sub(r"\borange (?=[a-z])(?!is\b|are\b|and\b|or\b)", "", low)
    return set(_scan(low, _forms()))


def _scan(low: str, owner: Mapping[str, str]) -> list[str]:
    pattern = _pattern(tuple(owner))
    return [owner[m[0]] for m in pattern.finditer(low)]


@cache
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(forms, key=len, reverse=True)
    bounded = [
        rf"(?<![a-z]){re.escape(f)}(?![a-z])" if f.isascii() else re.escape(f) for f in ordered
    ]
    return re.compile("|".join(bounded))


@cache
def _forms() -> dict[str, str]:
    """Every word for every category, with plain plurals."""
    forms: dict[str, str] = {}
    for c in CATEGORIES:
        for word in (c.name, c.plural, c.zh, *c.aliases, *c.zh_aliases):
            forms[word.lower()] = c.name
            plural = word.lower() + "s"
            if word.isascii() and normalize(plural) == c.name:
                forms.setdefault(plural, c.name)
    return forms


def _asserted(low: str) -> str:
    """Without what is denied: ``not red but blue`` says blue."""
    low = re.sub(r"\bnot (an? |the )?\w+,?( but)?", " ", low)
    return re.split(r"\brather than\b|\binstead of\b|而不是", low)[0]


def _first_compared(low: str) -> str:
    """``the cup is larger than the book`` names the cup."""
    return re.split(r"\bthan\b|比(?!萨)", low)[0]


def _hedged(low: str) -> bool:
    return any(w in low for w in _words()["cannot"])


def _unquoted(low: str) -> str:
    return _QUOTED.sub(" ", low)


def _same(a: str, b: str) -> bool:
    return _letters(a) == _letters(b)


def _letters(text: str) -> str:
    return re.sub(r"\W|_", "", unicodedata.normalize("NFKC", text)).lower()


@cache
def _words() -> dict[str, Any]:
    path = Path(__file__).with_name("answer_words.json")
    words: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return words
