"""Negative instructions (LRV-Instruction, arXiv 2306.14565): they take something wrong for granted.

    for negative in negatives(scene, seed=1):
        negative.task, negative.answer      # "Describe the red cup." "The cup is not red, ..."

On the paper's three levels, an instruction is about an object that is not there, about a property
that an object does not have (colour, number, place, text), or about something that is not so of
such objects anywhere. Half of them ask, half of them tell. The paper's are written by GPT-4 from
dense captions; ours are filled templates, false by the labels of the scene. The answer denies what
is wrong and, where the picture shows it, says what is right.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

from mllm.data.asker import COLORS, PLACES, Asker, claimed_text, clear
from mllm.data.lexicon import BY_NAME
from mllm.data.phrasing import capital, carelessly, fill, measure, vary, with_article
from mllm.data.questions import CHINESE
from mllm.data.scenes import MAX_COUNT, Scene
from mllm.geometry import Relation, holds
from mllm.wording import stands_in

Level = Literal["object", "property", "knowledge"]
LEVELS: tuple[Level, ...] = ("object", "property", "knowledge")
Mood = Literal["declarative", "interrogative"]
_TRIES = 12
_OPPOSITE: dict[Relation, Relation] = {
    "left of": "right of", "right of": "left of", "above": "below", "below": "above",
}


@dataclass(frozen=True)
class Premise:
    """What is taken for granted of ``subject``, a category: ``said``, where ``real`` is true.

    Colours, numbers, relations (to ``anchor``), texts and groups are as in the labels; a fact has
    no ``real``. ``words`` fill the template of the form.
    """

    form: str
    subject: str
    said: str
    real: str
    words: dict[str, str]
    anchor: str = ""


@dataclass(frozen=True)
class Negative:
    """An instruction with a false premise, and the answer that denies it."""

    task: str
    answer: str
    level: Level
    mood: Mood
    lang: str
    premise: Premise


def negatives(
    scene: Scene, seed: int, *, n: int = 6, lang: str | None = None, level: Level | None = None
) -> list[Negative]:
    """Up to ``n`` different negative instructions about a scene, a pure function of the arguments.

    ``lang`` and ``level`` restrict them; a scene may allow no property (no object stands alone).
    """
    rng = random.Random(f"negatives/{seed}/{scene.seed}/{scene.index}/{lang}/{level}")
    asker = Asker(scene, rng)
    found: dict[str, Negative] = {}
    for _ in range(n * 4):
        if len(found) == n:
            break
        asker.lang = lang or ("zh" if rng.random() < CHINESE else "en")
        made = _negative(asker, rng.choice(LEVELS) if level is None else level)
        if made is not None:
            found.setdefault(made.task, made)
    return list(found.values())


def _negative(asker: Asker, level: Level) -> Negative | None:
    rng = asker.rng
    for _ in range(_TRIES):
        premise = rng.choice(_PREMISES[level])(asker)
        if premise is not None:
            mood: Mood = "declarative" if asker.coin() else "interrogative"
            templates = _data()[asker.lang]["forms"][premise.form]
            task = fill(vary(rng.choice(templates[mood]), rng), premise.words)
            answer = templates["answer"]
            if premise.real == "1":
                answer = templates.get("answer_one", answer)
            return Negative(
                carelessly(task, rng), fill(answer, premise.words), level, mood, asker.lang, premise
            )
    return None


# --- what is not so, a function a form -----------------------------------------------------------


def _absent(a: Asker) -> Premise:
    """The zebra, where there is none."""
    name = a.absent()
    return Premise("absent", name, "", "", _named(a, name))


def _color(a: Asker) -> Premise | None:
    """The red cup, where the only cup is blue."""
    names = [n for n in a.unique if a.one(n).color]
    if not names:
        return None
    name = a.rng.choice(names)
    real = a.one(name).color or ""
    said = a.rng.choice([c for c in COLORS if c != real])
    hues = a.data["colors"]
    return Premise(
        "color", name, said, real, _named(a, name) | {"color": hues[said], "real": hues[real]}
    )


def _count(a: Asker) -> Premise | None:
    """The three cups, where there are two."""
    name = a.rng.choice(list(a.counts))
    real = a.counts[name]
    said = a.rng.choice([k for k in range(2, MAX_COUNT + 1) if k != real])
    words = _named(a, name) | {"number": str(said), "count": str(real)}
    return Premise("count", name, str(said), str(real), words)


def _side(a: Asker) -> Premise | None:
    """The cup left of the laptop, where it is on the right."""
    options = [
        (x, y, r)
        for x, y in permutations(a.unique, 2)
        for r in PLACES
        if clear(a.one(x), r, a.one(y)) and holds(r, a.one(x), a.one(y))
    ]
    if not options:
        return None
    x, y, real = a.rng.choice(options)
    said = _OPPOSITE[real]
    kind = a.rng.randrange(len(a.data["relations"][real]))
    words = _named(a, x) | a.noun(y).words("y")
    words |= {"rel": a.data["relations"][said][kind], "real": a.data["relations"][real][kind]}
    return Premise("side", x, said, real, words, anchor=y)


def _text(a: Asker) -> Premise | None:
    """The sign that says EXIT, where the only sign says OPEN; often a near miss."""
    if len(a.world.texts) != 1:
        return None
    real, said = a.world.texts[0].text or "", claimed_text(a)
    if stands_in(said, real):
        return None
    return Premise("text", "sign", said, real, {"text": said, "real": real})


def _kind(a: Asker) -> Premise:
    """The cat as a vehicle."""
    name = a.rng.choice(list(a.counts))
    real = BY_NAME[name].group
    said = a.rng.choice(_data()["mistaken"][real])
    groups = _data()[a.lang]["groups"]
    words = {"kind_bare": groups[said], "kind": groups[said], "real": groups[real]}
    if a.lang == "en":
        words |= {slot: with_article(words[slot]) for slot in ("kind", "real")}
    return Premise("kind", name, said, real, _named(a, name) | words)


def _fact(a: Asker) -> Premise | None:
    """The couch that lays eggs."""
    name = a.rng.choice(list(a.counts))
    facts = [f for f in _data()["facts"] if BY_NAME[name].group in f["of"]]
    if not facts:
        return None
    fact = a.rng.choice(facts)
    return Premise("fact", name, fact["en"]["do"], "", _named(a, name) | fact[a.lang])


_PREMISES: dict[Level, tuple[Callable[[Asker], Premise | None], ...]] = {
    "object": (_absent,),
    "property": (_color, _color, _count, _side, _text),
    "knowledge": (_kind, _fact),
}


def _named(a: Asker, name: str) -> dict[str, str]:
    """What fills the slots of ``x``: the object as someone may call it."""
    words = a.noun(name).words("x")
    words["A_x"] = capital(words["a_x"])
    words["m"] = measure(name) if a.lang == "zh" else ""
    return words


@cache
def _data() -> dict[str, Any]:
    """The templates by language, the groups that nobody would mistake, the facts."""
    path = Path(__file__).with_name("phrasings") / "negatives.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
