"""What a form lacks before it is sent, by the words of the task.

What is sent cannot be taken back, so that it is looked at before: for fields, boxes and options
that the task names and nobody touched, texts, days and times that no field holds, sliders
that show none of its numbers, and what was checked or filled in beside what the task names. Words
can mislead here too: what is sent again is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tools.gui import failures
from tools.gui.asked import ADDRESS, Asked, among, literals, unset, whole
from tools.gui.dates import dates, times
from tools.gui.judge import plain
from tools.gui.numbered import is_number
from tools.gui.observation import FILLED, MARKS, WRITABLE, Element, Snapshot

CAPITALS = re.compile(r"(?<![\w'’-])[A-Z]{3,}(?![\w'’])")
"""A code or an abbreviation in a task that is not written in capitals."""


def check(asked: Asked, snapshot: Snapshot) -> None:
    """Raises ``Failure`` not_done, once for each, where what is to be sent lacks something."""
    asked.see(snapshot)
    left = list(_lacking(asked, snapshot))
    asked.tell(left, failures.early(", ".join(left)))


def _lacking(asked: Asked, snapshot: Snapshot) -> Iterator[str]:
    task, used = ADDRESS.sub(" ", asked.task), asked.used_on(snapshot)
    fields = [e for e in snapshot.elements if e.role in (*MARKS, *WRITABLE, *FILLED) or e.options]
    here = {word for e in fields for word in (e.name, e.words, *e.options)}
    named = set(asked.named(task))
    for name in sorted(named & here):
        if not among(name, used):
            yield f'"{name}" was not used'
    held = [plain(e.value or "") for e in fields if e.role in WRITABLE]
    if not all(value and value in plain(task) for value in held):
        entered = " ".join((*used, *held))
        for text in _texts(task):
            if plain(text) not in entered and text not in here:
                yield f'"{text}" was not entered'
    yield from _at(fields, dates, dates(task))
    yield from _at(fields, times, times(task))
    for e in unset(task, snapshot):
        yield f'"{e.words.strip() or e.role}" is at {e.value}'
    for e in _beside(asked, fields, named):
        done = "is checked" if e.role in MARKS else "was filled in"
        yield f'"{e.words}" {done}, which the task does not name'


def _texts(task: str) -> Iterator[str]:
    yield from literals(task)
    if 2 * sum(sign.isupper() for sign in task) < sum(sign.isalpha() for sign in task):
        yield from (found[0] for found in CAPITALS.finditer(task))


def _at(
    fields: list[Element], read: Callable[[str], set[str]], wanted: set[str]
) -> Iterator[str]:
    """Fields of days, or of times, where none of them holds one of the task."""
    holding = [(e, read(e.value)) for e in fields if e.value]
    if wanted and not any(held & wanted for _, held in holding):
        for e, held in holding:
            if held:
                yield f'"{e.words.strip() or e.role}" is at {e.value}'


def _beside(asked: Asked, fields: list[Element], named: set[str]) -> Iterator[Element]:
    """What was checked, or filled in by its number, though the task names others of that role and
    not this one."""
    for e in fields:
        if e.words in named or whole(e.words).search(asked.task) or not e.words.strip():
            continue
        counted = e.role in WRITABLE and is_number(e.words) and e.value
        ticked = e.role == "checkbox" and "checked" in e.state
        others = any(o.role == e.role and o.words in named for o in fields)
        if (counted or ticked) and others and plain(e.words) in asked.used:
            yield e
