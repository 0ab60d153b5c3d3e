"""The labels of a page called otherwise: in its rows, in the wish, in what is done and said of it.

So that labels are read and not remembered, each time that an episode is met its labels are new,
unless their meaning counts: one that is used though the wish does not say it (``Next``) keeps its
name.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from mllm.content import Text
from mllm.episode import Episode, Step
from mllm.training.actions import reworded, texts
from prompts import language

WISHED, OTHERS = 0.85, 0.4
"""Shares of the labels that are renamed: of those in the wish, and of those that nobody needs."""
COMMON = 0.02
"""Share of episodes from which on a label is a word of the language."""
COMPOSED = 0.5
"""Share of the new labels that no page has, made of words that stand in labels."""

_QUOTED = re.compile(r"""\"(?:[^"\\\n]|\\.)*\"|'[^'\n]*'""")
_NEWS = r"^(?:new |changed |moved )?"
_ROW = re.compile(
    _NEWS + r'(?!page|text|heading|status|alert|handle)[\w-]+ "((?:[^"\\\n]|\\.)*)"', re.MULTILINE
)
_NAMED = re.compile(_NEWS + r'[\w-]+ "((?:[^"\\\n]|\\.)*)"[^\n]* (e\d+)\b', re.MULTILINE)
_OPTIONS = re.compile(r'^[^\n]* of "((?:[^"\\\n]|\\.)*)"', re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){0,3}|[\u4e00-\u9fff]{2,}")
_EXTRACTED = "extract"
"""An action whose result is text without quotes, in which a label cannot be told from a word."""

Rewrite = Callable[[str], str]


class Labels:
    """All labels of some episodes, to choose new ones from."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        found = {name for episode in episodes for name in labels_of(episode)}
        plain = sorted(name for name in found if _PLAIN.fullmatch(name))
        self.pool: dict[str, list[str]] = {"en": [], "zh": []}
        for name in plain:
            self.pool[language(name)].append(name)
        told = Counter(name for episode in episodes for name in set(labels_of(episode)))
        self.verbs = {n for n in self.pool["zh"] if told[n] > COMMON * len(episodes)}
        """In Chinese what a button is called is also what is done with it."""
        self.words = {
            "en": sorted({w for name in self.pool["en"] for w in name.split()}),
            "zh": self.pool["zh"],
        }

    def renamed(self, episode: Episode, rng: random.Random) -> Episode:
        """The same episode with other labels."""
        names = self._names(episode, rng)
        if not names:
            return episode
        longest = sorted(names, key=len, reverse=True)
        pattern = re.compile("|".join(map(_whole, longest)), re.IGNORECASE)
        folded = {old.casefold(): (old, new) for old, new in names.items()}

        def say(text: str) -> str:
            return pattern.sub(lambda m: _as_written(m[0], *folded[m[0].casefold()]), text)

        def quote(text: str) -> str:
            return _QUOTED.sub(lambda m: say(m[0]), text)

        wish, line, rest = episode.task.partition("\n")
        return episode.model_copy(
            update={
                "task": say(wish) + line + rest,
                "steps": tuple(_said(step, say, quote) for step in episode.steps),
                "answer": None if episode.answer is None else say(episode.answer),
            }
        )

    def _names(self, episode: Episode, rng: random.Random) -> dict[str, str]:
        said = episode.task.partition("\n")[0]
        wish = said.casefold()
        actions = [call.arguments.get("action") or {} for s in episode.steps for call in s.calls]
        if any(action.get("name") == _EXTRACTED for action in actions):
            return {}
        used = {text.casefold() for action in actions for text in texts(action) if text}
        told = "\n".join(r.words() for s in episode.steps for r in s.results).casefold()
        used |= {m[1] for m in _NAMED.finditer(told) if m[2] in used}
        out: dict[str, str] = {}
        for name in sorted(set(labels_of(episode)), key=lambda n: (-len(n), n)):
            folded = name.casefold()
            wished = len(re.findall(_whole(folded), wish))
            needed = any(folded in text for text in used)
            # What is in the wish and on the page, and is not used, may be both by chance.
            if wished > 1 or needed != bool(wished) or folded in out:
                continue
            if wished and (not re.search(_whole(name), said) or name in self.verbs):
                continue
            if any(folded != text and folded.startswith(text) for text in used):
                continue
            if rng.random() > (WISHED if wished else OTHERS):
                continue
            new = self._new(name, rng)
            if new and new.casefold() not in told and new.casefold() not in wish:
                out[name] = new
        return out

    def _new(self, name: str, rng: random.Random) -> str:
        if not _PLAIN.fullmatch(name):
            return ""
        lang = language(name)
        if rng.random() > COMPOSED:
            return rng.choice(self.pool[lang])
        words = rng.choices(self.words[lang], k=rng.choice((1, 2, 2, 3) if lang == "en" else (1,)))
        text = " ".join(words)
        return rng.choice((text, text.title(), text.capitalize()))


def labels_of(episode: Episode) -> Iterator[str]:
    """What the page calls its elements and options; one comes as often as it is shown."""
    for step in episode.steps:
        for result in step.results:
            for part in result.content:
                if isinstance(part, Text):
                    yield from (m[1] for m in _ROW.finditer(part.text))
                    for options in _OPTIONS.finditer(part.text):
                        yield from options[1].split("|")


def _whole(name: str) -> str:
    """A pattern for a label that is not a part of a longer word."""
    before = r"(?<![A-Za-z0-9])" if name[:1].isascii() else ""
    after = r"(?![A-Za-z0-9])" if name[-1:].isascii() else ""
    return before + re.escape(name) + after


def _as_written(found: str, old: str, new: str) -> str:
    """``new`` in the carelessness with which ``old`` stands there."""
    if found == old:
        return new
    return new.lower() if found.islower() else new.upper() if found.isupper() else new


def _said(step: Step, say: Rewrite, quote: Rewrite) -> Step:
    calls = tuple(
        c.model_copy(update={"arguments": reworded(c.arguments, say)}) for c in step.calls
    )
    results = tuple(
        r.model_copy(
            update={
                "content": tuple(
                    Text(text=quote(p.text)) if isinstance(p, Text) else p for p in r.content
                )
            }
        )
        for r in step.results
    )
    return step.model_copy(update={"calls": calls, "results": results})
