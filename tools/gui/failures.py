"""How an action can fail. Every failure is an observation that says what to do next."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tools.gui.observation import Element
from tools.protocol import ToolError

Kind: TypeAlias = Literal[
    "covered",
    "stale",
    "moved",
    "hidden",
    "disabled",
    "not_found",
    "ambiguous",
    "wrong_kind",
    "no_effect",
    "navigation_error",
    "refused",
    "dialog",
    "timeout",
    "crashed",
    "loop",
    "unapproved",
    "not_done",
    "failed",
]


class Failure(ToolError):
    """A typed failure. Its text begins with the kind: ``covered: button "Book" e3 ...``. What is
    new on the page follows in lines of its own."""

    def __init__(self, kind: Kind, text: str, ways_out: tuple[Element, ...] = ()) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text
        self.ways_out = ways_out
        """Controls of what lies on top, where something does."""


def covered(what: str, by: str, ways_out: tuple[Element, ...]) -> Failure:
    """``ways_out`` are the controls inside of what is in the way."""
    rows = "; ".join(e.label() for e in ways_out[:5])
    out = f"It holds: {rows}." if rows else "Scroll, or press Escape."
    return Failure("covered", f"{what} is covered by {by}, so nothing was done. {out}", ways_out)


def stale(ref: str, instead: list[str]) -> Failure:
    """``instead`` are the rows that look like what the reference stood for."""
    now = f" What looks like it now: {'; '.join(instead)}." if instead else ""
    return Failure("stale", f"{ref} is no longer on the page, so nothing was done.{now}")


def another(before: str, now: str) -> Failure:
    return Failure("stale", f"{before} is another one now, {now}, so nothing was done. Look again.")


def moved(what: str, instead: str) -> Failure:
    return Failure(
        "moved",
        f"{what} moved away under the pointer and {instead} came there; the click was "
        "stopped, so nothing was done. Try again.",
    )


def hidden(what: str) -> Failure:
    return Failure(
        "hidden",
        f"{what} is not visible, so nothing was done. Open what holds it (a menu, a tab, "
        "a section), or use another element.",
    )


def disabled(what: str, missing: list[str] | None = None) -> Failure:
    """``missing`` are the rows of the fields that are still to be filled in or chosen."""
    first = (
        f"To be filled in or chosen first: {'; '.join(missing)}."
        if missing
        else "Look for what must be filled in or chosen first."
    )
    return Failure("disabled", f"{what} is disabled, so nothing was done. {first}")


def elsewhere(ref: str, tab: str) -> Failure:
    return Failure("not_found", f"{ref} is in another tab; switch to {tab} first.")


def loop(what: str, instead: list[str]) -> Failure:
    """``instead`` are the rows of controls that were not tried on this page."""
    others = f" Not tried here yet: {'; '.join(instead)}." if instead else ""
    return Failure(
        "loop",
        f"{what} was done twice on this page as it is now, without any effect, so it was not done "
        f"again.{others} Scroll, go back, look for other words, or tell what prevents the task.",
    )


def unapproved(what: str, why: str, asked: bool) -> Failure:
    who = "a person was asked and did not agree" if asked else "there is nobody to ask"
    return Failure(
        "unapproved",
        f"{what} needs the approval of a person ({why}), and {who}; it was not done. Do the "
        "task without it, or end and tell what is left to approve.",
    )


def not_done(why: str) -> Failure:
    return Failure("not_done", f"the task does not count as done: {why}.")


def early(left: str) -> Failure:
    """Of a form that is not ready to be sent."""
    return Failure(
        "not_done",
        f"it was not sent: unverified: the task names what was left out: {left}. Do that first; "
        "if it is right as it is, send it again.",
    )


def wrong_kind(what: str, wanted: str) -> Failure:
    return Failure("wrong_kind", f"{what} is not {wanted}, so nothing was done.")


def no_effect(done: str) -> Failure:
    return Failure(
        "no_effect",
        f"{done} was done, and nothing changed: no address, text, value, focus or "
        "request. Use another element.",
    )


def dialog(asked: list[str]) -> Failure:
    return Failure(
        "dialog",
        f"the page asked {'; '.join(asked)}. It was answered with Cancel. If the answer "
        "shall be yes, repeat the action with accept_dialog.",
    )


def navigation(url: str, why: str) -> Failure:
    return Failure("navigation_error", f"{url} did not load ({why}). Check the address or go back.")


def refused(what: str, why: str) -> Failure:
    return Failure("refused", f"{what} is not allowed: {why}. Do the task without it.")


def timeout(what: str) -> Failure:
    return Failure(
        "timeout",
        f"{what} was not done in time; whether it took effect is not known. "
        "Look at the page before you repeat it.",
    )


def crashed(what: str) -> Failure:
    return Failure(
        "crashed",
        f"{what}; a new browser starts with the next goto, without cookies and entries. "
        "Whether the last action took effect is not known.",
    )
