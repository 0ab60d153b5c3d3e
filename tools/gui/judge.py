"""Whether an action had the effect that was expected of it, whatever it was done on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tools.gui import failures
from tools.gui.words import NEGATIONS, REFUSALS, TURNS

SENTENCE = re.compile(r"[.!?;](?=\s)|[。！？；\n]")
"""Where a sentence ends, and where a clause inside of one does."""
CLAUSE = re.compile(r"[,，](?=\D)")
HEAD = 12
"""Characters at the beginning of a clause in which it can turn."""
OPPOSITE = re.compile(r"(?<![^\W_])(?:un|in|dis|non)-?$")
"""The beginning of a word that says the opposite of the rest."""

Kind = Literal["verified", "unverified", "contradicted"]


@dataclass(frozen=True)
class Done:
    """What was done. ``own``: whether the action's own claim holds, in words ``proof``."""

    what: str
    ref: str = ""
    own: bool | None = None
    proof: str = ""
    text: str = ""
    must_change: bool = False
    """Whether the action failed when nothing at all changed."""
    by_picture: bool = False
    """Whether what it acts on is drawn, so that only the picture may change."""
    doubt: str = ""
    """Why it stays unverified though nothing speaks against it."""
    presses: int = 0
    """Of a slider that keys move: to the right, or less than 0 to the left."""


@dataclass(frozen=True)
class Verdict:
    kind: Kind
    why: str

    def words(self) -> str:
        return f"{self.kind} ({self.why})"


class Refusal(Protocol):
    """Someone beyond the screen said no."""

    @property
    def decisive(self) -> bool:
        """Whether it refutes an action."""
        ...

    def words(self) -> str: ...


def decide(
    before: dict[str, bool],
    after: dict[str, bool],
    done: Done,
    refusals: Sequence[Refusal] = (),
    loading: bool = False,
    looks: bool = False,
) -> Verdict:
    """Judge an action. ``before`` and ``after`` say of each expectation, in words, whether it held;
    ``done`` whether the action did by itself what it says (a field holds what was typed).

    A refusal of the server refutes everything. What held before already proves nothing, except for
    actions that only look. What does not hold while the page still loads is not known.
    """
    if decisive := [r.words() for r in refusals if r.decisive]:
        return Verdict("contradicted", "; ".join(decisive))
    if done.own is False:
        return Verdict("contradicted", done.proof)
    if done.doubt:
        return Verdict("unverified", done.doubt)
    if not after:
        if done.own:
            return Verdict("verified", done.proof)
        return Verdict("unverified", "nothing was expected")
    if failed := [what for what, holds in after.items() if not holds]:
        kind: Kind = "unverified" if loading else "contradicted"
        still = ", the page is still loading" if loading else ""
        return Verdict(kind, f"not so: {', '.join(failed)}{still}")
    old = [what for what in after if before.get(what) and not what.startswith("value")]
    if old and not looks:
        return Verdict("unverified", f"was so before: {', '.join(old)}")
    return Verdict("verified", ", ".join(after))


def proven(proofs: Sequence[str], acted: bool, new: bool, place: str) -> Done:
    """That the task is done, of which ``proofs`` hold: something was acted on, and something of it
    is ``new``. Raises ``Failure`` not_done. ``place`` is what shows them, "page" or "screen"."""
    said = ", ".join(proofs)
    if not acted:
        raise failures.not_done(
            f"unverified: it is so ({said}), but nothing was acted on. If the task was only to "
            f"find something out, answer with what the {place} says"
        )
    if not new:
        raise failures.not_done(
            f"unverified: {said} was so before anything was done; name what the task has changed"
        )
    return Done("done", own=True, proof=said)


def plain(text: str) -> str:
    """As texts are compared: without case, every space a single one."""
    return " ".join(text.split()).casefold()


def denial(shown: str, claimed: str) -> str:
    """The sentence of ``shown`` (blocks of text with an empty line between them) that says the
    opposite of what is ``claimed`` or that it failed: "Sorry, your table is not booked" holds
    "booked". It is "" where the words stand plainly in another one. What a sentence adds in clauses
    of its own takes nothing back ("Booked, cannot be changed"), unless it turns ("booked, but
    payment failed")."""
    text = "\n".join(map(plain, re.split(r"\n\s*\n", shown))).replace("’", "'")
    words = plain(claimed).replace("’", "'").split()
    first = ""
    for found in re.finditer(r"\s".join(map(re.escape, words)), text) if words else ():
        begin = max((end.end() for end in SENTENCE.finditer(text, 0, found.start())), default=0)
        stop = SENTENCE.search(text, found.end() - 1)  # what is claimed may end it
        end = stop.end() if stop else len(text)
        behind, *added = CLAUSE.split(text[found.end() : end])
        added = [clause for clause in added if TURNS.find(clause[:HEAD])]
        rest = " · ".join((text[begin : found.start()], behind, *added))
        opposite = OPPOSITE.search(text[begin : found.start()])
        if not (opposite or NEGATIONS.find(rest) or REFUSALS.find(rest)):
            return ""
        first = first or text[begin:end].strip()
    return first
