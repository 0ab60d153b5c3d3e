"""What can be said of a view: short questions and answers that teach the decoder to read visual
tokens. Places are location tokens; an answer that follows from places says these first.

They are asked in a form of their own ("frog: how many?"), so that what a person asks is answered as
conversations teach it, in sentences.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np

from mllm.data.gaze import NOWHERE, SIDE, Spot, in_order, told
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.phrasing import phrasings
from mllm.data.scenes import SIGN_COLORS
from mllm.model.tokenizer import LOCATIONS
from mllm.training.views import BACKGROUND, NO_COLOR, PLACES, Thing, View

CHINESE = 0.2

Turn = tuple[str, str]


def turns(view: View, rng: random.Random, number: int) -> list[Turn]:
    """Questions about a view with their answers, all in one language."""
    words = _Words(rng, "zh" if rng.random() < CHINESE else "en")
    made = [rng.choices(_ASKERS, _WEIGHTS)[0](view, rng, words) for _ in range(number)]
    return [turn for turn in made if turn is not None]


def glances(view: View, rng: random.Random, number: int) -> list[Turn]:
    """What is at places: so many, so short, that reading a visual token by its number is learned
    before all that needs it. Nothing is asked for at more than two places."""
    words = _Words(rng, "zh" if rng.random() < CHINESE else "en")
    cells = list(_cells(view, words).items())
    rng.shuffle(cells)
    met: Counter[str] = Counter()
    told = []
    for place, name in cells:
        met[name] += 1
        if met[name] <= 2:
            told.append((f"{LOCATIONS[place]}?", name))
    return told[:number]


def searches(view: View, rng: random.Random, number: int) -> list[Turn]:
    """Where kinds of things are, some of which are nowhere."""
    words = _Words(rng, "zh" if rng.random() < CHINESE else "en")
    here = sorted({t.label for t in view.things})
    away = rng.sample([n for n in NAMES if n not in here], number // 3)
    chosen = rng.sample(here, min(len(here), number)) + away
    rng.shuffle(chosen)
    return [_sought(view, label, words) for label in chosen]


def _sought(view: View, label: str, words: _Words) -> Turn:
    found, one = [t for t in view.things if t.label == label], words.one(label)
    return words("{}: where?", "{}：在哪里？").format(one), _found(one, found, words)


def _found(name: str, things: list[Thing], words: _Words) -> str:
    """A name, and behind it its places: what is looked for stands where the looking begins."""
    return name + (places(things) or " " * (not words.zh) + NOWHERE[words("en", "zh")])


def _cells(view: View, words: _Words) -> dict[int, str]:
    """What fills visual tokens whole, by their numbers."""
    side = view.categories.shape[0] // SIDE
    filled: dict[int, str] = {}
    for number in range(SIDE * SIDE):
        row, column = number // SIDE * side, number % SIDE * side
        here = np.s_[row : row + side, column : column + side]
        kinds, hues = np.unique(view.categories[here]), np.unique(view.colors[here])
        if len(kinds) == len(hues) == 1 and kinds[0] != BACKGROUND:
            filled[number] = words.of_patch(int(kinds[0]), int(hues[0]))
    return filled


class _Words:
    """Names in one language, in any of their forms."""

    def __init__(self, rng: random.Random, lang: str) -> None:
        self.rng, self.zh = rng, lang == "zh"
        self.colors: dict[str, str] = phrasings(lang)["colors"]

    def __call__(self, en: str, zh: str) -> str:
        return zh if self.zh else en

    def one(self, label: str) -> str:
        c = BY_NAME[label]
        usual, others = (c.zh, c.zh_aliases) if self.zh else (c.name, c.aliases)
        return self.rng.choice(others) if others and self.rng.random() < 0.2 else usual

    def of_patch(self, kind: int, hue: int) -> str:
        """What the numbers of a patch mean (``mllm.training.views``)."""
        lang = "zh" if self.zh else "en"
        if kind >= len(NAMES):
            return str(phrasings(lang)["settings"][PLACES[kind - len(NAMES)]])
        color = None if hue == NO_COLOR else SIGN_COLORS[hue]
        return Spot(NAMES[kind], color, 0, 0).named(lang)

    def many(self, label: str) -> str:
        c = BY_NAME[label]
        return self.one(label) if self.zh else c.plural


def spot(thing: Thing) -> Spot:
    return Spot(thing.label, thing.color, *thing.center)


def places(things: list[Thing]) -> str:
    """All their places in reading order."""
    found = {spot(t).number: spot(t).place for t in things}
    return "".join(found[number] for number in sorted(found))


def _label(view: View, rng: random.Random, present: float) -> str:
    here = sorted({t.label for t in view.things})
    if here and rng.random() < present:
        return rng.choice(here)
    return rng.choice([n for n in NAMES if n not in here])


def _exists(view: View, rng: random.Random, words: _Words) -> Turn:
    label = _label(view, rng, 0.5)
    found = [t for t in view.things if t.label == label]
    one = words.one(label)
    answer = words("yes" if found else "no", "有" if found else "没有")
    ask = words("{}: yes or no?", "{}：有没有？").format(one)
    return ask, f"{_found(one, found, words)} {answer}"


def _count(view: View, rng: random.Random, words: _Words) -> Turn:
    label = _label(view, rng, 0.85)
    found = [t for t in view.things if t.label == label]
    many = words.many(label)
    ask = words("{}: how many?", "{}：几个？").format(many)
    return ask, f"{_found(many, found, words)} {len(found)}"


def _where(view: View, rng: random.Random, words: _Words) -> Turn:
    return _sought(view, _label(view, rng, 0.9), words)


def _what(view: View, rng: random.Random, words: _Words) -> Turn | None:
    if not view.things:
        return None
    shown = Counter(spot(t).place for t in view.things)
    one = spot(rng.choice(view.things))
    if shown[one.place] > 1:
        return None
    return words("{}: what?", "{}：什么？").format(one.place), one.named(words("en", "zh"))


def _color(view: View, rng: random.Random, words: _Words) -> Turn | None:
    counts = Counter(t.label for t in view.things)
    single = [t for t in view.things if t.color and counts[t.label] == 1]
    if not single:
        return None
    thing = rng.choice(single)
    assert thing.color is not None
    ask = words("{}: what color?", "{}：什么颜色？").format(words.one(thing.label))
    return ask, words.colors[thing.color]


def _relation(view: View, rng: random.Random, words: _Words) -> Turn | None:
    counts = Counter(t.label for t in view.things)
    single = [t for t in view.things if counts[t.label] == 1]
    if len(single) < 2:
        return None
    a, b = rng.sample(single, 2)
    (ax, ay), (bx, by) = a.center, b.center
    options: list[tuple[str, str, float]] = [
        ("left of", "左边", bx - ax), ("right of", "右边", ax - bx),
        ("above", "上面", by - ay), ("below", "下面", ay - by),
    ]
    en, zh, distance = rng.choice(options)
    if abs(distance) < 0.08:
        return None
    ask = words(f"{{0}}: {en} {{1}}?", f"{{0}}：在{{1}}的{zh}吗？")
    answer = words("yes" if distance > 0 else "no", "是" if distance > 0 else "不是")
    first, second = words.one(a.label), words.one(b.label)
    looked = f"{_found(first, [a], words)} {_found(second, [b], words)}"
    return ask.format(first, second), f"{looked} {answer}"


def _list(view: View, rng: random.Random, words: _Words) -> Turn:
    ask = words("all: where?", "全部：在哪里？")
    return ask, told(in_order(map(spot, view.things)), words("en", "zh"))


def _setting(view: View, rng: random.Random, words: _Words) -> Turn | None:
    settings = phrasings(words("en", "zh"))["settings"]
    if view.setting not in settings:
        return None
    return words("place: what?", "地方：什么？"), settings[view.setting]


_ASKERS: tuple[Callable[[View, random.Random, _Words], Turn | None], ...] = (
    _exists, _count, _where, _what, _color, _relation, _list, _setting,
)
_WEIGHTS = (4, 3, 2, 2, 2, 2, 3, 2)
