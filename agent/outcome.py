"""What a run came to, in words, by the last event of its record."""

from __future__ import annotations

from agent import events as ev


def answer(last: ev.Event | None) -> str:
    """The answer, or nothing."""
    return last.answer if isinstance(last, ev.Answered) else ""


def reason(last: ev.Event | None) -> str:
    """Why there is no answer; nothing when there is one."""
    match last:
        case ev.Answered():
            return ""
        case ev.Failed():
            return last.error
        case ev.Interrupted():
            return "It was stopped from outside."
        case ev.ApprovalNeeded():
            names = ", ".join(call.name for call in last.calls)
            return f"It may have done this already: {names}. Repeat it?"
    return "It was cut off before it could finish."
