"""A claim that the task is done is accepted only with evidence that the screen shows.

Each fact must hold now, and at least one must have become so by what was done. A claim is doubted
that leaves out what the task names (``asked``).
"""

from __future__ import annotations

from dataclasses import replace

from tools.gui import failures
from tools.gui.actions import Finish
from tools.gui.judge import Done, proven
from tools.gui.native.aim import find
from tools.gui.native.facts import text_of
from tools.gui.native.hand import Hand
from tools.gui.words import REFUSALS

HOLDS = 2.0
"""Seconds that the facts get to come true."""


def finish(action: Finish, hand: Hand) -> Done:
    """Raises ``Failure`` not_done that says which fact does not hold, or why it proves nothing."""
    hand.begin()
    proofs: list[str] = []
    new = False
    for fact in action.evidence:
        ref = find(fact.target, hand.port.read(), hand.told).ref if fact.target else ""
        said = hand.within(fact, ref, HOLDS)
        if missed := [what for what, so in said.items() if not so]:
            raise failures.not_done(f"contradicted: not so: {', '.join(missed)}")
        proofs += said
        new = new or hand.claims.became(fact, ref)
    now = hand.port.read()
    for element in now.elements:
        if element.role in ("alert", "alertdialog", "status") and REFUSALS.find(element.name):
            raise failures.not_done(f"contradicted: the screen says {element.label()}")
    done = proven(proofs, bool(hand.claims.before), new, "screen")
    return replace(done, doubt=hand.claims.asked.doubt(now, text_of(now)))
