"""Plays what a page's first comment says: a scripted model, and how it must end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.tools.gui.conftest import SLOW, Person, Site, Surfer, bundled, scenario
from tools.protocol import ToolError


def play(name: str, surf: Surfer, site: Site, person: Person) -> dict[str, Any]:
    """Do the steps, then claim to be done. A target with @ is a reference from when the page was
    opened. Every step ends as it says, and the claim is accepted only where it is true."""
    told = scenario(site.filled(bundled(name)))
    person.agrees = told.get("person", True)
    surf.open(site.url(name))
    known = {}
    steps = [step for step in told["steps"] if "do" in step]
    for step in steps:
        target = step["do"].get("target", "")
        if target.startswith("@"):
            known[target] = surf.ref(target[1:])
    for step in told["steps"]:
        said = surf.look() if step not in steps else _step(step, known, surf)
        assert step.get("tells", "") in said, said
    assert accepted(surf, told["claim"]) == told["accepted"], surf.heard[-1]
    if site.asked and any("slow" in path for path in site.asked):
        time.sleep(SLOW)
    assert len(site.booked) == told["sent"]
    assert told.get("body", "") in "".join(site.booked)
    return told


def accepted(surf: Surfer, claim: list[dict[str, str]]) -> bool:
    try:
        said = surf("done", evidence=claim)
    except ToolError as failure:
        assert str(failure).startswith("not_done: ")
        return False
    assert "done: verified" in said
    return True


def _step(step: dict[str, Any], known: dict[str, str], surf: Surfer) -> str:
    action = dict(step["do"])
    action["target"] = known.get(action.get("target", ""), action.get("target"))
    beside = {k: step[k] for k in ("expect", "accept_dialog", "answer") if k in step}
    given = {k: v for k, v in action.items() if k != "name" and v is not None}
    if "fails" not in step:
        return surf(action["name"], **given, **beside)
    with pytest.raises(ToolError, match=f"^{step['fails']}: ") as failure:
        surf(action["name"], **given, **beside)
    return str(failure.value)
