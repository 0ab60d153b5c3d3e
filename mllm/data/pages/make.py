"""One page task: a kind, what is on the page, and now and then trouble.

    task = make(seed=1, index=0, split="train")

It is a pure function of its arguments: the same ones give the same page, wish and oracle.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from mllm.data.pages import choosing, copying, forms, sites, widgets
from mllm.data.pages.looks import page
from mllm.data.pages.task import Act, Built, Ending, PageTask, Split, click, fill, slip
from mllm.data.pages.words import Draw, draw_for
from mllm.data.phrasing import carelessly

BUILDERS: dict[str, Callable[[Draw], Built]] = {
    "button": widgets.a_button,
    "tab": widgets.tabs,
    "menu": widgets.menu,
    "tree": widgets.tree,
    "slider": widgets.slider,
    "checks": widgets.checks,
    "dialog": widgets.dialog,
    "date": widgets.date,
    "form": forms.form,
    "login": forms.login,
    "auto": forms.suggestions,
    "booking": forms.booking,
    "table": sites.table,
    "read": sites.reading,
    "mail": sites.mail,
    "reply": sites.reply,
    "search": sites.search,
    "shop": sites.shop,
    "order": choosing.order,
    "radio": choosing.radio,
    "link": choosing.link,
    "section": choosing.section,
    "find": choosing.find,
    "list": choosing.listed,
    "largest": choosing.largest,
    "smallest": choosing.smallest,
    "focus": choosing.focus,
    "copy": copying.copy,
    "fields": copying.fields,
    "sum": copying.total,
    "twice": copying.twice,
    "result": copying.result,
}
KINDS = tuple(BUILDERS)
BANNER, SLIP, LOST, STUMBLE, EARLY = 0.15, 0.15, 0.1, 0.2, 0.2
"""Shares of pages with a banner in the way, of oracles that slip once where a kind has a slip, of
wishes that cannot be fulfilled where a kind has such, of oracles that do something that fails, so
that a model has seen failures and goes on, and of those that send too early where there is
something to be sent."""
NOTHING = "state.sent===null&&state.log.length===0&&state.open===undefined"
_LAST = {"menu": "y", "tree": "y"}


def make(seed: int, index: int, split: Split = "train", kind: str = "") -> PageTask:
    """The task of this number; of the given ``kind``, or of one that is drawn.

    Raises ``KeyError`` for a kind that is not in ``KINDS``.
    """
    rng = random.Random(f"pages/{split}/{seed}/{index}")
    drawn = rng.choice(KINDS)
    kind = kind or drawn
    draw = draw_for(rng, split)
    built = BUILDERS[kind](draw)
    trouble, banner = rng.random(), rng.random() < BANNER
    html, style, layout = page(built.body, built.script, draw, banner)
    acts: list[Act] = [click(draw.ui["refuse"], gone=draw.ui["privacy"])] if banner else []
    slots, ending, success, evidence = built.slots, built.ending, built.success, built.evidence
    if built.lost and trouble < LOST:
        slots = _lost(kind, slots, built.lost)
        # What lies in a folder is only seen when it is open; then nothing else may be done.
        acts += built.acts[:1] if kind in _LAST else ()
        ending, success, evidence = "missing", NOTHING, built.lost
    else:
        if built.slip is not None and trouble > 1 - SLIP:
            acts.append(built.slip)
        sent = ending == "done" and split == "train"
        early = sent and random.Random(f"pages/early/{seed}/{index}").random() < EARLY
        acts += _early(built) if early else built.acts
    if rng.random() < STUMBLE:
        acts.insert(rng.randint(0, len(acts)), _stumble(draw, acts))
    goal = draw.goal(kind, slots)
    return PageTask(
        id=f"{split}-{seed}-{index}",
        kind=kind,
        lang=draw.lang,
        style=style,
        layout=layout,
        html=html,
        goal=carelessly(goal, rng),
        success=success,
        acts=tuple(acts),
        evidence=evidence,
        answer=_answer(draw, ending, evidence),
        ending=ending,
    )


def _stumble(draw: Draw, acts: list[Act]) -> Act:
    """What fails and changes nothing: it aims at what is not there, types where nothing can be
    typed, or claims to be done."""
    clicked = [act.target for act in acts if act.name == "click" and act.target]
    how = draw.rng.choice(("absent", "typed", "done"))
    if how == "typed" and clicked:
        return slip(fill(draw.rng.choice(clicked), draw.label()))
    if how == "done":
        return slip(Act("done", more=(("evidence", ({"text": draw.label()},)),)))
    return slip(click(f"{draw.label()} {draw.code()}"))


def _early(built: Built) -> list[Act]:
    """It sends and claims to be done before the last field is filled in, is told what it left out,
    fills it in, and sends again."""
    acts = list(built.acts)
    if [act.name in ("type", "select", "check") for act in acts[-2:]] != [True, False]:
        return acts
    *before, last, send = acts
    claim = Act("done", more=(("evidence", ({"text": built.evidence},)),))
    return [*before, slip(send), slip(claim), last, send]


def _lost(kind: str, slots: dict[str, str], lost: str) -> dict[str, str]:
    return {**slots, _LAST.get(kind, "x"): lost}


def _answer(draw: Draw, ending: Ending, proof: str) -> str:
    words: dict[str, Any] = {"proof": proof, "x": proof}
    return draw.said(ending, words)
