"""A run as a plain pytest test: Playwright alone, no Corvid, no model.

One line an action, found by what a person reads; what was verified in the run is asserted. What
did nothing (it was refused, a field did not take it) is left out with a comment, and what only
reads has no line beside what it showed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from agent.script.assertions import assertions
from agent.script.calls import calls, inside
from agent.script.deeds import WRONG, size, took_effect, words
from agent.script.python import comment, secret_names
from tools.gui.deeds import Deed


def script(deeds: Sequence[Deed], task: str, run: str, media: dict[str, Path]) -> str:
    """The text of a test file. ``media`` are the files of the run by id, for uploads."""
    lines = list(_lines(deeds, media))
    names = sorted(secret_names("\n".join(d.model_dump_json() for d in deeds)))
    needs = f"\n\nSecrets are read from the environment: {', '.join(names)}." if names else ""
    text = "\n".join(f"    {line}" if line else "" for line in lines)
    width, height = size(deeds)
    modules = ("contextlib", "os", "pathlib", "re")
    imports = [name for name in modules if re.search(rf"\b{name}\.\w", text)]
    return Template(files("agent.script").joinpath("test.py.txt").read_text("utf-8")).substitute(
        doc=_doc(task),
        run=run,
        needs=needs,
        imports="".join(f"import {name}\n" for name in imports),
        error="Error, " if "contextlib" in imports else "",
        width=width,
        height=height,
        answers="answers: list[str], " if "answers[:]" in text else "",
        name=_name(task),
        lines=text,
    )


def _lines(deeds: Sequence[Deed], media: dict[str, Path]) -> Iterator[str]:
    names = {deeds[0].tab: "page"}
    """What the tabs are called that were opened so far."""
    front, stated = deeds[0].tab, list[str]()
    for deed in deeds:
        if not took_effect(deed):
            yield f"# Left out, it was contradicted: {comment(words(deed))} ({comment(deed.why)})"
            continue
        # A tab that hangs is left by a goto in another one.
        tab = deed.front if deed.action["name"] == "goto" else deed.tab
        if tab not in names:
            names[tab] = tab
            yield f"{tab} = page.context.new_page()"
        page = names[tab]
        if tab != front:
            yield f"{page}.bring_to_front()"
        tabs = deed.action["name"] == "tabs"
        acts = list(_tabs(deed, names) if tabs else calls(deed, page, media))
        if deed.front not in names and acts:
            names[deed.front] = deed.front
            acts = inside(acts, f"with {page}.expect_popup() as opened:")
            acts.append(f"{deed.front} = opened.value")
        front = deed.front
        refused = deed.verdict == "contradicted" and not deed.why.startswith(WRONG)
        if refused:  # as on that day; what was refused before stays so
            yield "known = len(refusals)"
        yield from acts
        if deed.verdict == "contradicted":
            yield f"# Nothing is asserted of it: {comment(deed.why)}"
        if refused:
            yield "del refusals[known:]"
        claims = list(assertions(deed, page, names.get(front, front)))
        stated = [] if acts else stated
        if deed.action["name"] == "done":  # what was just asserted stands once
            claims = [claim for claim in dict.fromkeys(claims) if claim not in stated]
        stated += claims
        yield from claims


def _tabs(deed: Deed, names: dict[str, str]) -> Iterator[str]:
    tab, do = deed.action.get("tab") or deed.tab, deed.action.get("do")
    if do not in ("switch", "close"):
        return
    if tab not in names:
        names[tab] = tab
        yield "# Not robust: a tab that the page opened by itself."
        yield f"{tab} = page.context.pages[-1]"
    yield f"{names[tab]}.{'close' if do == 'close' else 'bring_to_front'}()"


def _doc(task: str) -> str:
    return " ".join(task.split()).replace("\\", "\\\\").replace('"', "'")[:200]


def _name(task: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", task.casefold())[:8]) or "run"
