"""Words of the interfaces and phrasings of the wishes: ``words/LANG.json``.

A list with ``train`` and ``held_out`` gives its held-out part to evaluation alone.
"""

from __future__ import annotations

import json
import random
import re
import string
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mllm.data.pages.task import Split
from mllm.data.phrasing import CLOSING, carelessly, fill, phrasings

CHINESE = 0.2
INVENTED = 0.5
"""Share of labels in training that are drawn from all words there are, so that labels are read and
not remembered."""
_SYLLABLES = ("ba", "cor", "del", "fi", "gan", "ho", "is", "jun", "ka", "lor", "mi", "nep", "os",
              "pra", "qui", "ras", "sol", "tem", "ul", "vex", "wy", "zan")


@cache
def words(lang: str) -> dict[str, Any]:
    """The file of a language, ``en`` or ``zh``."""
    path = Path(__file__).with_name("words") / f"{lang}.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def reworded(wish: str, kind: str, lang: str, rng: random.Random) -> str:
    """A wish in another phrasing of training; one that is in none of them, as it was."""
    goals = words(lang)["goals"].get(kind, {"train": ()})["train"]
    for reader in _readers(lang, kind) if goals else ():
        if found := reader.fullmatch(wish.rstrip(CLOSING)):
            return carelessly(fill(rng.choice(goals), found.groupdict()), rng)
    return wish


@cache
def _readers(lang: str, kind: str) -> tuple[re.Pattern[str], ...]:
    """What reads the slots of a wish, by phrasing; those that say most themselves come first."""
    goals = sorted(words(lang)["goals"][kind]["train"], key=lambda g: -len(_SLOT.sub("", g)))
    return tuple(re.compile(_pattern(goal.rstrip(CLOSING)), re.IGNORECASE) for goal in goals)


def _pattern(phrasing: str) -> str:
    parts, seen = [], set[str]()
    for i, part in enumerate(_SLOT.split(phrasing)):
        slot = i % 2
        parts.append(
            re.escape(part) if not slot else f"(?P={part})" if part in seen else f"(?P<{part}>.+)"
        )
        seen |= {part} if slot else set()
    return "".join(parts)


_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Draw:
    """Chooses what stands on a page."""

    rng: random.Random
    lang: str
    split: Split
    ui: dict[str, str]
    """What buttons and fields are called on this page."""

    def all(self, key: str) -> list[str]:
        return self._part(words(self.lang)[key])

    def some(self, key: str, least: int, most: int) -> list[str]:
        """Different ones of a list; in training some are other words."""
        every = self.all(key)
        found = self.rng.sample(every, min(self.rng.randint(least, most), len(every)))
        return self._other(found)

    def one(self, key: str) -> str:
        return self.some(key, 1, 1)[0]

    def groups(self, key: str) -> dict[str, list[str]]:
        """Some of the groups (menus, folders), each with its entries, in random order."""
        every: dict[str, list[str]] = words(self.lang)[key]
        names = self.rng.sample(list(every), self.rng.randint(2, 4))
        told = iter(self._other([*names, *(entry for name in names for entry in every[name])]))
        renamed = [next(told) for _ in names]
        return {
            new: [next(told) for _ in every[name]]
            for new, name in zip(renamed, names, strict=True)
        }

    def label(self) -> str:
        """One to three words of any kind."""
        rng = self.rng
        said = str(phrasings(self.lang)["extras"]["words"]).split()
        if self.lang == "zh":
            return "".join(rng.sample(said, rng.randint(1, 2)))
        parts = [
            "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))
            if rng.random() < 0.3
            else rng.choice(said)
            for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))
        ]
        text = " ".join(parts)
        how = rng.random()
        return text.title() if how < 0.4 else text.capitalize() if how < 0.7 else text

    def labels(self, least: int, most: int) -> list[str]:
        """Different labels, none in another."""
        found: list[str] = []
        count = self.rng.randint(least, most)
        while len(found) < count:
            one = self.label()
            if not any(one.lower() in other.lower() or other.lower() in one.lower()
                       for other in found):
                found.append(one)
        return found

    def _other(self, found: list[str]) -> list[str]:
        if self.split != "train":
            return found
        taken = {one.casefold() for one in found}
        out = []
        for one in found:
            new = self.label()
            if self.rng.random() < INVENTED and new.casefold() not in taken:
                taken.add(new.casefold())
                one = new
            out.append(one)
        return out

    def code(self, least: int = 4, most: int = 8) -> str:
        """A string that can only be copied."""
        signs = string.ascii_letters + string.digits
        return "".join(self.rng.choices(signs, k=self.rng.randint(least, most)))

    def goal(self, kind: str, slots: dict[str, str]) -> str:
        return fill(self.rng.choice(self._part(words(self.lang)["goals"][kind])), slots)

    def said(self, key: str, slots: dict[str, str]) -> str:
        return fill(words(self.lang)["said"][key], slots)

    def _part(self, found: Any) -> list[str]:
        if isinstance(found, dict):
            part: list[str] = found["train" if self.split == "train" else "held_out"]
            return part
        return list(found)


def draw_for(rng: random.Random, split: Split) -> Draw:
    """A page's words: its language, and in training now and then other names of its buttons."""
    lang = "zh" if rng.random() < CHINESE else "en"
    file = words(lang)
    ui = dict(file["ui"])
    if split == "train":
        for key, others in file["other_ui"].items():
            if rng.random() < INVENTED:
                ui[key] = rng.choice(others)
    return Draw(rng, lang, split, ui)
