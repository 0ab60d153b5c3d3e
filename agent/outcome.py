"""What a run came to, in words, by the last event of its record."""

from __future__ import annotations

from agent import events as ev


def asked(last: ev.ApprovalNeeded) -> str:
    """What a person is asked."""
    names = ", ".join(f"{call.id} ({call.name})" for call in last.calls)
    if last.question is None:
        return f"Nobody knows whether {names} happened. Repeat it?"
    if last.question.permission:
        return f"{names} waits for your yes; it was not done yet. {last.question.text}"
    return f"{names} asks you: {last.question.text}"


def choices(last: ev.ApprovalNeeded) -> str:
    """How ``corvid resume`` takes the answer."""
    words: tuple[str, ...] = ("--redo {}", "--skip {}")
    if last.question is not None:
        words = ("--yes {}", "--no {}") if last.question.permission else ('--answer {}="..."',)
    return ", ".join(word.format(call.id) for call in last.calls for word in words)


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
            return asked(last)
    return "It was cut off before it could finish."
