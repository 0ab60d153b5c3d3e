"""What an interface shows at the end of a run, as claims of its answer.

That the task is done was accepted only with facts that hold (``tools.gui.evidence``): they are
claims like others, with the screenshot and the element that show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.result import Claim, Evidence
from mllm.content import Artifact, Box
from mllm.episode import Step
from tools.gui.shown import Shown
from tools.protocol import SCREENSHOT


def states(
    steps: Sequence[Step], artifacts: Iterable[Artifact], said: Sequence[Claim]
) -> list[Claim]:
    """The facts with which the run's claim that its task is done was accepted; none where nothing
    was claimed, or something was done after that. Claims and evidence are numbered on from those
    that were ``said``."""
    deeds = [(r.name, record.data) for step in steps for r in step.results for record in r.records]
    if not deeds or not deeds[-1][1].get("shown"):
        return []
    tool, last = deeds[-1]
    screens = [a for a in artifacts if a.id.startswith(SCREENSHOT)]
    screen = screens[-1] if screens else None
    proved = sum(len(claim.evidence) for claim in said)
    out = []
    for number, fact in enumerate(map(Shown.model_validate, last["shown"]), 1):
        seen: tuple[Evidence, ...] = ()
        if screen is not None:
            id, box = f"e{proved + number}", _box(fact, screen)
            seen = (
                Evidence(id=id, artifact=screen.id, tool=tool, box=box, element=fact.element),
            )
        claim = Claim(
            kind="state",
            object=fact.element or "page",
            value=fact.fact,
            id=f"c{len(said) + number}",
            text=fact.fact,
            verdict="supported",
            found=fact.element or "",
            evidence=seen,
        )
        out.append(claim)
    return out


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
