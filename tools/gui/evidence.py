"""A claim that the task is done is accepted only with evidence.

The claim is made of facts about the page. Each must hold now, and at least one must have become so
by what was done: what a page showed when it was opened proves nothing, and where nothing was acted
on, nothing is proved. What the server refused stays refused until it accepts the same request. A
text in a sentence that denies it or tells of a failure is not shown by it. A claim is doubted where
all that is gone went with its page, where the page also tells of a failure, and where it leaves out
what the task names (``asked``).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import replace
from itertools import takewhile

from playwright.async_api import Error

from tools.gui import failures
from tools.gui.actions import Fact, Finish
from tools.gui.hand import Hand
from tools.gui.judge import Done, plain, proven
from tools.gui.ledger import Ledger
from tools.gui.observation import Snapshot, Told
from tools.gui.preflight import resolve
from tools.gui.targets import REFERENCE
from tools.gui.verdict import denied, text_of, within
from tools.gui.view import View
from tools.gui.words import REFUSALS

HOLDS = 2.0
"""Seconds that the facts get to come true."""
CLAUSE = re.compile(r"(?<=[.!?;,。！？；，])")
"""Where a clause ends."""
ANSWERED = 8.0
"""Seconds that what was sent gets to be answered."""


async def finish(action: Finish, hand: Hand, told: Told) -> Done:
    """Raises ``Failure`` not_done that says which fact does not hold, or why it proves nothing."""
    ledger = hand.session.ledger
    await hand.begin()
    await _answered(ledger)
    if waiting := ledger.unanswered():
        raise failures.not_done(f"{'; '.join(waiting)[:200]} is not answered yet; wait for it")
    if ledger.refused:
        raise failures.not_done(f"contradicted: {'; '.join(ledger.refused.values())}")
    proofs: list[str] = []
    # A page that was opened just now may only show something new if a server accepted something.
    shows, new, left = ledger.changed or not ledger.opened, False, False
    for fact in action.evidence:
        ref = (await resolve(fact.target, hand.view, told)).ref if fact.target else ""
        said = await within(fact, hand.view, ref, HOLDS)
        if missed := [what for what, so in said.items() if not so]:
            raise failures.not_done(f"contradicted: not so: {', '.join(missed)}")
        if against := await denied(fact, hand.view, HOLDS):
            raise failures.not_done(
                f'contradicted: "{fact.text}" stands only where the page denies it or tells of a '
                f"failure: {json.dumps(against[:200], ensure_ascii=False)}"
            )
        proofs += said
        new = new or (shows and _became(fact, ref, ledger))
        if shows and _was_there(fact, hand.view, ledger):
            here = ledger.changed or await _here(fact, hand.view, ledger)
            new, left = new or here, left or not here
    now = await hand.view.snapshot()
    alarm, behind = _alarm(now, action)
    if alarm and not behind:
        raise failures.not_done(f"contradicted: the page says {alarm}")
    done = proven(proofs, bool(ledger.before), new or left, "page")
    doubts = [f"the page also says {alarm}"] if alarm else []
    if not new:
        doubts.append("what is gone may only be out of sight: its page was left")
    why = "; ".join(doubts)
    again = "If the task is done all the same, say done again"
    ledger.asked.tell(doubts, failures.not_done(f"unverified: {why}. {again}"))
    seen = [text for _, text in ledger.before]
    doubts.append(ledger.asked.doubt(now, await text_of(hand.view), seen))
    return replace(done, doubt="; ".join(filter(None, doubts)))


async def _answered(ledger: Ledger) -> None:
    end = time.monotonic() + ANSWERED
    while ledger.unanswered() and time.monotonic() < end:
        await asyncio.sleep(0.05)


def _became(fact: Fact, ref: str, ledger: Ledger) -> bool:
    """Whether something in the fact, which holds, was not so on the pages as they were opened."""
    if fact.value is not None and ref in ledger.entered:
        return True
    if fact.text is not None and not any(plain(fact.text) in t for t in ledger.found.values()):
        return True
    return fact.url is not None and not any(fact.url in url for url in ledger.found)


def _was_there(fact: Fact, view: View, ledger: Ledger) -> bool:
    """Whether what the fact says is gone was there once."""
    if fact.gone is None:
        return False
    if REFERENCE.fullmatch(fact.gone):
        return view.gave(fact.gone)
    return any(plain(fact.gone) in text for _, text in ledger.before)


async def _here(fact: Fact, view: View, ledger: Ledger) -> bool:
    """Whether what is gone was on the page in front: by leaving a page nothing is done."""
    assert fact.gone is not None
    if REFERENCE.fullmatch(fact.gone):
        home = view.home(fact.gone)
        try:
            return home is not None and bool(await home.ask("viewport"))
        except Error:  # its document is gone
            return False
    return any(url == view.url and plain(fact.gone) in text for url, text in ledger.before)


def _alarm(now: Snapshot, action: Finish) -> tuple[str, bool]:
    """The row of an alert or status in which the page says that something went wrong, or "", and
    whether it only says so behind a fact: "Booked! It cannot be changed." tells terms more likely
    than a failure."""
    facts = [plain(fact.text) for fact in action.evidence if fact.text is not None]
    behind = ""
    for element in now.elements:
        if element.role in ("alert", "status") and REFUSALS.find(element.name):
            if not _behind(element.name, facts):
                return element.label(), False
            behind = element.label()
    return behind, bool(behind)


def _behind(said: str, facts: list[str]) -> bool:
    """Whether one of the facts begins before the first clause that tells of a failure."""
    fine = takewhile(lambda clause: not REFUSALS.find(clause), CLAUSE.split(said))
    end = len(plain("".join(fine)))
    return any(0 <= plain(said).find(fact) < end for fact in facts)
