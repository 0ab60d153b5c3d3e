"""Words of the interfaces and phrasings of the wishes: ``words/LANG.json``.

A list with ``train`` and ``held_out`` gives its held-out part to evaluation alone.
"""

from __future__ import annotations

import json
import random
import string
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mllm.data.pages.task import Split
from mllm.data.phrasing import fill

CHINESE = 0.2


@cache
def words(lang: str) -> dict[str, Any]:
    """The file of a language, ``en`` or ``zh``."""
    path = Path(__file__).with_name("words") / f"{lang}.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


@dataclass(frozen=True)
class Draw:
    """Chooses what stands on a page."""

    rng: random.Random
    lang: str
    split: Split

    @property
    def ui(self) -> dict[str, str]:
        found: dict[str, str] = words(self.lang)["ui"]
        return found

    def all(self, key: str) -> list[str]:
        return self._part(words(self.lang)[key])

    def some(self, key: str, least: int, most: int) -> list[str]:
        every = self.all(key)
        return self.rng.sample(every, min(self.rng.randint(least, most), len(every)))

    def groups(self, key: str) -> dict[str, list[str]]:
        """Some of the groups (menus, folders), each with its entries, in random order."""
        every: dict[str, list[str]] = words(self.lang)[key]
        return {name: every[name] for name in self.rng.sample(list(every), self.rng.randint(2, 4))}

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
