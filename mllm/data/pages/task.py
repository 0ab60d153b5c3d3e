"""What a page task consists of, and how an oracle's actions are written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Split = Literal["train", "eval"]
Ending = Literal["done", "missing", "refused"]


@dataclass(frozen=True)
class Act:
    """One action of the oracle in the schema of ``tools/gui/actions.py``, or a call of another
    ``tool``, whose arguments ``more`` then holds.

    ``target`` is a visible label, the ``nth`` of those that are called so; the runner puts its
    reference in its place. ``expect`` says what holds afterwards. An act with ``wrong`` is a slip:
    what follows it recovers, and a model must not be trained to say it.
    """

    name: str
    target: str = ""
    more: tuple[tuple[str, Any], ...] = ()
    expect: tuple[tuple[str, str], ...] = ()
    nth: int = 0
    wrong: bool = False
    tool: str = "browser"

    def arguments(self, reference: str) -> dict[str, Any]:
        """The arguments of the tool call, with the target as it is called there."""
        if self.tool != "browser":
            return dict(self.more)
        action: dict[str, Any] = {"name": self.name}
        if self.target:
            action["target"] = reference
        action |= {k: list(v) if isinstance(v, tuple) else v for k, v in self.more}
        return {"action": action} | ({"expect": dict(self.expect)} if self.expect else {})


@dataclass(frozen=True)
class PageTask:
    """An interface, a wish, and the way to fulfil it.

    ``success`` is a JavaScript expression over the page's ``state``, true when exactly what was
    wished is done. ``ending``: "done" when the task can be done; else the answer must say that it
    cannot, and nothing may be claimed. ``answer`` is what the oracle says in the end.
    """

    id: str
    kind: str
    lang: str
    style: str
    layout: str
    html: str
    goal: str
    success: str
    acts: tuple[Act, ...]
    evidence: str
    answer: str
    ending: Ending = "done"


@dataclass(frozen=True)
class Built:
    """What a builder makes of a kind: the inside of a page and its oracle.

    ``lost`` is a label that nothing on the page has, put for ``x`` or ``y`` to make a wish that
    cannot be fulfilled ("" where the kind has no such wish).
    """

    body: str
    script: str
    slots: dict[str, str]
    acts: tuple[Act, ...]
    success: str
    evidence: str
    lost: str = ""
    slip: Act | None = None
    ending: Ending = "done"


def click(target: str, gone: str = "", nth: int = 0) -> Act:
    """``gone`` is all that can be foreseen of a click: which words a page will say can not."""
    return Act("click", target, expect=(("gone", gone),) if gone else (), nth=nth)


def fill(target: str, text: str) -> Act:
    return Act("type", target, (("text", text),))


def select(target: str, option: str) -> Act:
    return Act("select", target, (("options", (option,)),))


def check(target: str) -> Act:
    return Act("check", target)


def calculate(expression: str) -> Act:
    return Act("calculate", more=(("expression", expression),), tool="calculate")


def slip(act: Act) -> Act:
    return replace(act, wrong=True)
