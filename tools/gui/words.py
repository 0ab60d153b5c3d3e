"""The words of ``words.json``: what people write on controls, in English and Chinese."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

FEW = 6
"""Words of a label that is looked at as a whole; of a longer one, a sentence, only the beginning
counts. Three signs of a Chinese label count as one word."""
HEAD = 3
"""Words of that beginning."""
LETTER = r"[^\W\u2e80-\u9fff]"
"""Of a word with letters: beside a Chinese sign, as in 立即Buy, such a word begins or ends."""


@dataclass(frozen=True)
class Words:
    """Phrases, found as whole words in English and anywhere in Chinese; ``but`` are phrases that
    hold one of them and mean something else."""

    phrases: tuple[str, ...]
    but: tuple[str, ...] = ()

    def find(self, text: str) -> str:
        """The first phrase in ``text``, or ""."""
        plain = " ".join(text.casefold().split())
        for phrase in self.but:
            plain = re.sub(_pattern(phrase), " ", plain)
        return next((p for p in self.phrases if re.search(_pattern(p), plain)), "")

    def on(self, label: str) -> str:
        """The phrase that makes a label what it is: anywhere in a short one, at the beginning of
        a long one."""
        if any("\u4e00" <= sign <= "\u9fff" for sign in label):
            return self.find(label if len(label) <= 3 * FEW else label[: 3 * HEAD])
        words = label.split()
        return self.find(label if len(words) <= FEW else " ".join(words[:HEAD]))


def whole(text: str) -> str:
    """A pattern of a text that is no part of a longer word. Chinese words have no visible end."""
    begin = rf"(?<!{LETTER})" if re.match(LETTER, text) else ""
    end = rf"(?!{LETTER})" if re.match(LETTER, text[-1:]) else ""
    return f"{begin}{re.escape(text)}{end}"


def _pattern(phrase: str) -> str:
    return whole(phrase) if phrase.isascii() else re.escape(phrase)


def _words(given: dict[str, Sequence[str]]) -> Words:
    return Words((*given["en"], *given["zh"]), tuple(given.get("except", ())))


_ALL = json.loads(files("tools.gui").joinpath("words.json").read_text("utf-8"))
REFUSALS = _words(_ALL["refusals"])
NEGATIONS = _words(_ALL["negations"])
TURNS = _words(_ALL["turns"])
"""What begins a clause that takes back the one before."""
UNDOES = _words(_ALL["undoes"])
"""What makes the opposite of the command behind it."""
FINAL = _words(_ALL["final"])
SENDS = _words(_ALL["sends"])
"""What gives away what was filled in."""
EXCEPT = _words(_ALL["except"])
"""What says, before the name of a control, that it is not to be used."""
RULES = {kind: (_words(rule), str(rule["because"])) for kind, rule in _ALL["rules"].items()}
YES, NO, DISMISS, STATES = (
    frozenset(sum(_ALL[key], [])) for key in ("yes", "no", "dismiss", "states")
)
"""Whole labels: of what agrees, of what does not, and of what only takes away what is on top; and
what people call the state of a checkbox."""
