"""The same episode otherwise: references, addresses, sizes, budgets, and words.

What must be found by reading is never twice called the same, so that no model learns it by heart.
"""

from __future__ import annotations

import calendar
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from mllm.content import Text
from mllm.episode import Episode, Step
from mllm.training.actions import texts
from mllm.training.labels import Labels, labels_of
from prompts import render

SHIFT = 30
"""Up to how many references a page may have given before."""
COMMON = 0.02
"""Share of tasks from which on a word is part of the language, not of one page."""
RENAMED = 0.6
"""Share of the other words that are called otherwise."""

_REFERENCE = re.compile(r"\be(\d{1,3})\b")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[\w/]+\.html")
_WORD = re.compile(r"[A-Za-z0-9]+")
_NUMBER = re.compile(r"\d+(?:st|nd|rd|th)?")
_QUOTED = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'[^'\n]*'""")
_SITES = ("http://127.0.0.1:{n}/{w}.html", "file:///home/{v}/{w}/{w}.html", "https://{v}.example/",
          "https://www.{v}.org/{w}?id={n}", "http://localhost:{n}/{w}")
_WORDS = ("shop", "table", "index", "desk", "form", "mail", "ada", "booking", "start", "list",
          "corner", "pages", "demo", "task", "home")
_DATES = {*calendar.month_name, *calendar.day_name, *calendar.month_abbr, *calendar.day_abbr}
"""Words whose order counts, beside numbers."""
_SIZES = ("640x480", "1280x720", "1024x768", "160x210", "390x844")


class Variants:
    """Variants of ``episodes``, which say how common a word is and what a label may be."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        wishes = [_words(one.task.partition("\n")[0]) for one in episodes]
        told = Counter(word for words in wishes for word in words)
        self.labels = Labels(episodes)
        self.rare = {w for w, n in told.items() if n <= COMMON * len(wishes) or n == 1}
        self.pool = sorted(w for w in self.rare if w.isalpha() and len(w) > 2)

    def of(self, episode: Episode, rng: random.Random) -> Episode:
        """The same episode under other references, at another address, with another budget, with
        other labels, and with other words for what the person named."""
        episode = self.labels.renamed(episode, rng)
        shift = rng.choice((0, rng.randint(0, SHIFT)))
        address = rng.choice(_SITES).format(
            v=rng.choice(_WORDS), w=rng.choice(_WORDS), n=rng.randint(80, 65000)
        )
        size, steps = rng.choice(_SIZES), rng.choice((12, 12, 12, rng.randint(8, 30)))
        renamed = self._renamed(episode, rng)

        def other(text: str) -> str:
            if renamed:
                text = _WORD.sub(lambda m: renamed.get(m[0], m[0]), text)
            text = _REFERENCE.sub(lambda m: f"e{int(m[1]) + shift}", text)
            return _ADDRESS.sub(address, text).replace("640x480", size)

        changed = Episode.model_validate(_each(episode.model_dump(), other))
        notes = [
            render("budget", episode.lang, steps=max(steps - i, 1))
            for i in range(len(changed.steps) + 1)
        ]
        return changed.model_copy(
            update={
                "note": notes[0],
                "steps": tuple(_noted(step, notes[i + 1]) for i, step in enumerate(changed.steps)),
            }
        )

    def _renamed(self, episode: Episode, rng: random.Random) -> dict[str, str]:
        """New names for words of the wish that are this page's own: a text of the page or what is
        typed calls something so. What says *what is to be done* ("the greatest", "both", "3rd")
        stands in the wish alone, and keeps its words. A word that was written only in part keeps
        its name too, and so does one of the browser's own: a role, an action, a verdict (what pages
        and people say stands in quotes). What is typed in capitals though the wish has it small,
        or the other way, is renamed with it."""
        wish = episode.task.partition("\n")[0]
        actions = [
            call.arguments.get("action") or {} for step in episode.steps for call in step.calls
        ]
        typed = {value for action in actions for value in texts(action)}
        results = [result.words() for step in episode.steps for result in step.results]
        quoted = [_unquoted(quote) for text in results for quote in _QUOTED.findall(text)]
        # ``Labels`` has seen to the labels. Some pages show the wish, which is no name.
        names = typed | set(quoted) - set(labels_of(episode)) - {wish}
        names = {name for name in names if name in wish}
        found = {word for name in names for word in _words(name)}
        cased = {w: t for w in _words(wish) for t in typed - {w} if t in (w.upper(), w.lower())}
        own = {word for text in results for word in _words(_QUOTED.sub(" ", text))} | _DATES
        own |= {action["name"] for action in actions if "name" in action}
        out: dict[str, str] = {}
        for word in sorted(_words(wish) & self.rare & (found | set(cased)) - own):
            begun = any(word != value and word.startswith(value) for value in typed)
            kept = begun or _NUMBER.fullmatch(word) or _REFERENCE.fullmatch(word)
            if kept or rng.random() > RENAMED:
                continue
            new = self._name(word, rng)
            if new not in wish and new not in out.values():
                out[word] = new
                if word in cased:
                    out[cased[word]] = new.upper() if cased[word].isupper() else new.lower()
        return out

    def _name(self, word: str, rng: random.Random) -> str:
        if word.isalpha() and self.pool:
            other: str = rng.choice(self.pool)
            for cased in (str.lower, str.capitalize, str.upper):
                if word == cased(word):
                    return cased(other)
        kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
        return "".join(rng.choice(next(k for k in kinds if sign in k)) for sign in word)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _unquoted(quote: str) -> str:
    return quote[1:-1].replace('\\"', '"')


def _each(data: Any, change: Callable[[str], str]) -> Any:
    """The same data with every text in it changed."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {key: _each(value, change) for key, value in data.items()}
    return [_each(value, change) for value in data] if isinstance(data, list | tuple) else data


def _noted(step: Step, note: str) -> Step:
    results = tuple(
        result.model_copy(
            update={"content": tuple(p for p in result.content if isinstance(p, Text))}
        )
        for result in step.results
    )
    return step.model_copy(update={"note": note, "results": results})
