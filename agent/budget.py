"""What a run may cost, in a form that the model can see."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from mllm.content import Value
from prompts import render


class Budget(Value):
    """Limits of one run. When any is reached, the model answers with what it knows."""

    steps: int = Field(default=12, ge=1, description="rounds of the loop")
    tokens: int = Field(default=200_000, ge=1, description="read and written, cached ones left out")
    seconds: float = Field(default=900.0, gt=0, description="time at work")
    pictures: int = Field(default=60, ge=1, description="new pictures that tools may add")


@dataclass(frozen=True)
class Spent:
    """What a run has cost so far, in the units of ``Budget``."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    pictures: int = 0


def over(budget: Budget, spent: Spent) -> bool:
    """Whether a limit is reached."""
    return spent.steps >= budget.steps or _over(budget, spent) is not None


def note(budget: Budget, spent: Spent, lang: str) -> str:
    """What the model is told: steps always, other limits when less than a third is left."""
    steps = max(budget.steps - spent.steps, 0)
    if name := _over(budget, spent):
        return render("budget", lang, steps=steps, over=name)
    low = {}
    for name in ("tokens", "seconds", "pictures"):
        limit = getattr(budget, name)
        left = limit - getattr(spent, name)
        if left < limit / 3:
            low[name] = int(left)
    return render("budget", lang, steps=steps, **low)


def _over(budget: Budget, spent: Spent) -> str | None:
    if spent.tokens >= budget.tokens:
        return "tokens"
    if spent.seconds >= budget.seconds:
        return "seconds"
    if spent.pictures >= budget.pictures:
        return "pictures"
    return None
