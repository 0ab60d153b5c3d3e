"""Two models to measure others by: the oracle that knows a task, and one that acts at random."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from mllm.backends.protocol import Session, ToolChoice
from mllm.backends.scripted import Say, Speaker
from mllm.content import MediaReader, Message, Text, ToolCall, Turn
from mllm.data.pages import Act, PageTask
from mllm.data.pages.words import words
from tools.gui.observation import read

Find = Callable[[Act], str]
"""The reference of an act's target on the page as it is now, or the label where none fits."""

TYPED = ("textbox", "searchbox", "slider", "spinbutton")


class Policy:
    """A backend whose turns are a function of the conversation."""

    def __init__(self, name: str, say: Say) -> None:
        self.name = name
        self._say = say

    def session(self, media: MediaReader) -> Session:
        return Speaker(self._say)


def oracle(task: PageTask, url: str, find: Find) -> Policy:
    """Opens the page, does the acts, shows the evidence, and answers."""
    acts = iter(task.acts)
    said = words(task.lang)["said"]
    opened = claimed = False

    def say(messages: Sequence[Message], choice: ToolChoice, _: object) -> Turn:
        nonlocal opened, claimed
        if choice == "none":
            return Turn(text=said["plan"] if len(messages) < 4 else task.answer)
        if not opened:
            opened = True
            return _call(action={"name": "goto", "url": url})
        if act := next(acts, None):
            return _call(act.tool, **act.arguments(find(act) if act.target else ""))
        if task.ending == "done" and not claimed:
            claimed = True
            return _call(action={"name": "done", "evidence": [{"text": task.evidence}]})
        return Turn(text=task.answer)

    return Policy("oracle", say)


def at_random(goal: str, lang: str, rng: random.Random, url: str = "") -> Policy:
    """Uses a random element, writes a random piece of the goal, and now and then says done.
    ``url`` is where it begins, unless the page is open already."""
    opened = not url
    pieces = goal.split() if lang == "en" else re.findall(r"\w+", goal)

    def say(messages: Sequence[Message], choice: ToolChoice, _: object) -> Turn:
        nonlocal opened
        if choice == "none" or _accepted(messages):
            return Turn(text=goal)
        if not opened:
            opened = True
            return _call(action={"name": "goto", "url": url})
        shown = "\n".join(p.text for m in messages for p in m.content if isinstance(p, Text))
        rows = [e for e in map(read, shown.splitlines()) if e and e.acts]
        if not rows or rng.random() < 0.15:
            text = rng.choice(rows).name if rows else rng.choice(pieces)
            return _call(action={"name": "done", "evidence": [{"text": text or goal}]})
        element = rng.choice(rows)
        action: dict[str, Any] = {"name": "click", "target": element.ref}
        if element.role in TYPED:
            action = {"name": "type", "target": element.ref, "text": rng.choice(pieces)}
        elif element.role == "combobox":
            action = {"name": "select", "target": element.ref, "options": [rng.choice(pieces)]}
        return _call(action=action)

    return Policy("random", say)


def accepted(name: str, arguments: dict[str, Any], told: str) -> bool:
    """Whether a call claims that the task is done and the browser agreed. ``told`` is what it said
    of it; what it doubts counts as no success."""
    action = arguments.get("action")
    done = isinstance(action, dict) and action.get("name") == "done"
    return name == "browser" and done and re.search("^done: verified", told, re.M) is not None


def _accepted(messages: Sequence[Message]) -> bool:
    """Whether the last call said done and came through."""
    if len(messages) < 2:
        return False
    calls = [c for m in messages for c in m.calls]
    told = [m for m in messages if m.role == "tool"]
    if not calls or not told:
        return False
    text = "".join(p.text for p in told[-1].content if isinstance(p, Text))
    return accepted(calls[-1].name, calls[-1].arguments, text)


def _call(tool: str = "browser", **arguments: Any) -> Turn:
    return Turn(calls=(ToolCall(id="call1", name=tool, arguments=arguments),))
