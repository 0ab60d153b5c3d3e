"""What a task names, against what was used and entered for it.

A page says "Saved!" after a wrong act too, so that a fact which became true is no proof that it was
the *task* that was done. The task's own words are: a control that it names and that nobody used (an
empty field in any case: "the city should be Rome" names "City"), what stands near one of several
that are called alike of which another one was used, a text in quotes, a code, an address or a
number that was entered nowhere and stands nowhere, a name ("Rome") that was met nowhere either, or
a slider that it names and that shows none of its numbers. Words can mislead, so that this only
doubts: a claim that is repeated against its doubts is let through, and counts as unverified.

What a form lacks before it is sent is said by ``lacking``.
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mllm.wording import HAN
from tools.gui import failures
from tools.gui.actions import Action
from tools.gui.dates import without
from tools.gui.judge import plain
from tools.gui.observation import FILLED, MARKS, WRITABLE, Element, Snapshot
from tools.gui.words import DISMISS, EXCEPT, NO, SENDS, STATES, YES

QUOTED = re.compile(r"""["“「『‘«]([^"“”「」『』’«»]+)["”」』’»]|(?<!\w)'([^']+)'(?!\w)""")
"""A text in quotes of any kind; no apostrophe begins one."""
LITERAL = re.compile(
    r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z]{2,})+"  # an address of mail
    r"|(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])(?!\d+[A-Za-z]{1,3}(?![A-Za-z0-9]))"
    r"[A-Za-z0-9]{4,}(?![A-Za-z0-9])"  # a code of letters and digits, but no "10am"
    r"|(?<![\d.A-Za-z])\d{2,}(?![\d.]*\d)(?![A-Za-z])"  # a number, but no "1.50" or "35px"
)
DATED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
"""A year: dates are entered in other forms than they are written."""
ADDRESS = re.compile(r"\S+://\S+")
PROPER = re.compile(r"(?<![\w'’.@/-])[A-Z][a-z]+(?![\w@/]|['’]\w{2})")
"""A word with a capital letter: inside a sentence, a name."""
DATES = {*calendar.month_name, *calendar.day_name}
NUMBER = re.compile(r"(?<![A-Za-z\d.])-?\d+(?:\.\d+)?(?![A-Za-z\d])")
NUMBERED = ("slider", "spinbutton")
"""Roles of what holds a number."""
LONG = 4
"""Chinese signs from which a name that is not quoted cannot be there by chance."""
BEFORE = 24
"""Characters before a name in which a word can say that it is not to be used."""
ACTIVE = ("checked", "selected", "pressed", "expanded")
"""States in which nothing is left to be done with a control."""


@dataclass
class Asked:
    """Of one task: the names of all controls that a page ``offered``, those of ``fields`` that
    were empty or are to be set among them, of ``boxes`` to be checked, what each of several stands
    ``near`` that are called alike, and the words of what was ``used``: names of elements, texts,
    options."""

    task: str = ""
    offered: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    boxes: set[str] = field(default_factory=set)
    near: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    used: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    """Doubts with which a claim was refused."""

    def see(self, snapshot: Snapshot) -> None:
        """What can be used now."""
        for element in snapshot.elements:
            if element.acts:
                self.offered |= {element.words, element.name, *element.options}
            if element.role in FILLED or element.role in WRITABLE and not element.value:
                self.fields.add(element.name)
            if element.role in MARKS:
                self.boxes.add(element.name)
            if element.near and element.name:
                self.near[element.name].add(element.near)

    def use(self, action: Action, element: Element | None) -> None:
        """An action was done, and is not refuted."""
        said = [element.name, element.words] if element else []
        said += [getattr(action, "text", ""), *getattr(action, "options", ())]
        self.used |= set(map(plain, filter(None, said)))

    def doubt(self, snapshot: Snapshot, shown: str, seen: Iterable[str] = ()) -> str:
        """What makes a claim doubtful that the task is done, "" for nothing. ``shown`` is all text
        that is to be seen now, ``seen`` that of before. Raises ``Failure`` not_done where it was
        not told yet."""
        doubts = self._doubts(snapshot, shown, seen)
        said = f"the task names what was left out: {', '.join(doubts)}" if doubts else ""
        again = "Do that first; if the task is done without it, say done again"
        self.tell(doubts, failures.not_done(f"unverified: {said}. {again}"))
        return said

    def used_on(self, snapshot: Snapshot) -> set[str]:
        """The words of what was used, and of what is chosen or open as it is."""
        on = [e for e in snapshot.elements if any(state in ACTIVE for state in e.state)]
        return self.used | {plain(words) for e in on for words in (e.name, e.words)}

    def tell(self, doubts: list[str], failure: failures.Failure) -> None:
        """Raise ``failure``, which tells ``doubts``, where one of them was not told yet."""
        if not set(doubts) <= set(self.told):
            self.told += doubts
            raise failure

    def _doubts(self, snapshot: Snapshot, shown: str, seen: Iterable[str]) -> list[str]:
        task = ADDRESS.sub(" ", self.task)
        used = self.used_on(snapshot)
        idle = [name for name in self.named(task) if not among(name, used)]
        everything = plain(" ".join((shown, *used)))
        missed = [text for text in literals(task) if plain(text) not in everything]
        met = plain(" ".join((everything, *seen, *self.offered)))
        missed += [name for name in _names(task) if not whole(name).search(met)]
        missed = [text for text in missed if not any(text in name for name in idle)]
        return [
            *(f'"{name}" was not used' for name in (*idle, *self._others(task, used))),
            *(f'"{text}" was not entered' for text in dict.fromkeys(missed)),
            *(f'"{e.words.strip() or e.role}" is at {e.value}' for e in unset(task, snapshot)),
        ]

    def _others(self, task: str, used: set[str]) -> Iterator[str]:
        """Of controls that are called alike those whose title the task names, where one was used
        whose title it does not name."""
        for name, titles in sorted(self.near.items()):
            done = {title for title in titles if plain(f"{name} near {title}") in used}
            told = {title for title in titles if _titled(title, task)}
            if done and not done & told:
                yield from (f"{name} near {title}" for title in sorted(told))

    def named(self, task: str) -> Iterator[str]:
        """The controls that the task names, the longest names first: in "Copy link" there is no
        "Copy"."""
        for name in sorted(self.offered, key=lambda name: (-len(name), name)):
            if len(name) < 2 or name.isdecimal():
                continue
            for found in whole(name).finditer(task):
                telling = name in self.fields or (name in self.boxes and found[0] == name)
                telling = telling or _telling(found, name, task)
                if telling and not excepted(found.start(), task):
                    yield name
                    break
            task = whole(name).sub(" ", task)


def _telling(found: re.Match[str], name: str, task: str) -> bool:
    """Whether a name stands in a task as a name, rather than as words that are called alike, which
    "Book a table for four" may be: in quotes, with digits, or as it is written on the control,
    inside a sentence, capitalised or of several words."""
    start = found.start()
    quoted = any(q.span(q.lastindex or 0) == found.span() for q in QUOTED.finditer(task))
    if quoted or any(sign.isdecimal() for sign in name):
        return True
    if HAN.search(name):
        return len(name) >= LONG
    inside = task[:start].rstrip()[-1:] not in ("", ".", "!", "?", ":", "。", "！", "？", "：")
    return inside and found[0] == name and (name[0].isupper() or " " in name)


def _titled(title: str, task: str) -> bool:
    """Whether a task names the title of a row, as it is written there."""
    if len(title) < 2 or title.isdecimal():
        return False
    found = whole(title).finditer(task)
    return any(f[0] == title and not excepted(f.start(), task) for f in found)


def among(name: str, used: Iterable[str]) -> bool:
    return any(whole(name).search(words) for words in used)


def whole(name: str) -> re.Pattern[str]:
    """A name, not inside of a longer word."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE)


def literals(task: str) -> Iterator[str]:
    """Texts that a task can only mean as they are written: no days and times."""
    rest = task
    for quoted in QUOTED.finditer(task):
        said = quoted[1] or quoted[2]
        if DATED.search(said):
            continue
        rest = rest.replace(quoted[0], " ")
        if plain(said) not in YES | STATES and not excepted(quoted.start(), task):
            yield said
    rest = re.sub(r"(?<=\d),(?=\d{3})", "", without(rest))
    for found in LITERAL.finditer(rest):
        if not excepted(found.start(), rest):
            yield found[0].lstrip("0") or found[0]


def _names(task: str) -> Iterator[str]:
    """Words that are capitalised inside a sentence which does not capitalise most of them, but no
    commands: "press Submit" means what sends, whatever the page calls it."""
    words = task.split()
    if 2 * sum(word[0].isupper() for word in words) > len(words):
        return
    for found in PROPER.finditer(task):
        inside = task[: found.start()].rstrip()[-1:] not in ("", *".!?:;\"'“”‘’(")
        command = SENDS.find(found[0]) or plain(found[0]) in YES | NO | DISMISS
        if inside and found[0] not in DATES and not command and not excepted(found.start(), task):
            yield found[0]


def unset(task: str, snapshot: Snapshot) -> Iterator[Element]:
    """Of what holds a number: what the task names beside numbers, none of which it holds. The only
    one of its role may be called by that."""
    numbers = {float(number) for number in NUMBER.findall(task)}
    holders = [e for e in snapshot.elements if e.role in NUMBERED]
    for element in holders if numbers else ():
        alone = [e.role for e in holders].count(element.role) == 1
        called = element.words.strip() or (element.role if alone else "")
        held = NUMBER.match(element.value or "")
        found = whole(called).search(task) if called else None
        if held and found and not excepted(found.start(), task) and float(held[0]) not in numbers:
            yield element


def excepted(start: int, task: str) -> bool:
    """Whether what begins there is not to be used."""
    return bool(EXCEPT.find(task[max(start - BEFORE, 0) : start]))
