"""What an interface shows at the end of a run, as claims of its answer.

That the task is done was accepted only with facts that hold (``tools.gui.evidence``): they are
claims like others, with the screenshot and the element that show them. What was accepted against a
doubt is a claim that nothing supports. A browser tells both in its record (``tools.gui.deeds``);
other tools keep no such record.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from agent.events import Observed
from agent.result import Claim, Evidence
from mllm.content import Artifact, Box
from tools.gui.actions import LOOKS
from tools.gui.shown import Shown
from tools.protocol import SCREENSHOT

_FACTS: TypeAdapter[list[Shown]] = TypeAdapter(list[Shown])


def states(observed: Sequence[Observed], said: Sequence[Claim]) -> list[Claim]:
    """The facts with which the run's claim that its task is done was accepted; none where nothing
    was claimed, where the tool was used for something else after that, or where no screenshot shows
    it. Claims and evidence are numbered on from those that were ``said``."""
    acting = {event.result.name for event in observed if event.result.records}
    last = next((event for event in reversed(observed) if _acted(event, acting)), None)
    if last is None:
        return []
    if doubt := _doubt(last):
        return [
            Claim(
                kind="state",
                object="page",
                value="done",
                id=f"c{len(said) + 1}",
                text=doubt,
                verdict="unsupported",
            )
        ]
    screens = [a for a in last.artifacts if a.id.startswith(SCREENSHOT)]
    if not screens:
        return []
    screen = screens[0]
    out = []
    proved = sum(len(claim.evidence) for claim in said)
    for number, fact in enumerate(_shown(last), 1):
        seen = Evidence(
            id=f"e{proved + number}",
            artifact=screen.id,
            tool=last.result.name,
            box=_box(fact, screen),
            element=fact.element,
        )
        claim = Claim(
            kind="state",
            object=fact.element or "page",
            value=fact.fact,
            id=f"c{len(said) + number}",
            text=fact.fact,
            verdict="supported",
            found=fact.element or "",
            evidence=(seen,),
        )
        out.append(claim)
    return out


def _shown(event: Observed) -> list[Shown]:
    """The facts in the record of a call; none where it failed or is another's."""
    for record in event.result.records[-1:]:
        with suppress(ValidationError):
            return _FACTS.validate_python(record.data.get("shown", []))
    return []


def _doubt(event: Observed) -> str:
    """Why a claim that the task is done was accepted without being verified, "" where it was not
    or was."""
    data = event.result.records[-1].data if event.result.records else {}
    action = data.get("action")
    done = isinstance(action, dict) and action.get("name") == "done"
    return str(data.get("why", "")) if done and data.get("verdict") == "unverified" else ""


def _acted(event: Observed, acting: Collection[str]) -> bool:
    """Whether the call was one to the tools ``acting`` that did more than look, or that failed."""
    if not event.result.records:
        return event.result.error and event.result.name in acting
    action = event.result.records[-1].data.get("action")
    name = action.get("name") if isinstance(action, dict) else None
    return name == "done" or name not in LOOKS


def _box(fact: Shown, screen: Artifact) -> Box | None:
    """Its place, as much of it as is on the screenshot."""
    if fact.place is None or not (screen.width and screen.height):
        return None
    x0, y0, x1, y1 = fact.place
    return Box(
        artifact=screen.id,
        width=screen.width,
        height=screen.height,
        x0=max(x0, 0.0),
        y0=max(y0, 0.0),
        x1=min(x1, screen.width),
        y1=min(y1, screen.height),
        label=fact.fact,
    )
