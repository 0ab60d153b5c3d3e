"""The loop around the verifier: contradicted answers come back to the model."""

from __future__ import annotations

import json
from pathlib import Path

from agent import Agent, Budget
from agent.events import Event, Verified
from mllm.backends.scripted import Scripted
from mllm.content import Box, Boxes
from tests.agent.helpers import call, calls, double, white
from tools import Image, ToolError, tool


@tool
def detect(image: Image, labels: list[str] | None = None) -> Boxes:
    """Find objects. This one sees two cups everywhere.

    Args:
        image: Where to look.
        labels: What to look for.
    """
    a = image.artifact
    assert a.width is not None and a.height is not None
    cups = tuple(
        Box(artifact=a.id, width=a.width, height=a.height, x0=x, y0=1, x1=x + 9, y1=9, label="cup")
        for x in (2, 20)
    )
    return Boxes(artifact=a.id, boxes=cups)


def count(number: int) -> str:
    """What the model makes of an answer that names a number of cups."""
    return json.dumps([{"kind": "count", "object": "cup", "value": str(number)}])


def run(
    tmp_path: Path, *lines: object, budget: Budget | None = None
) -> tuple[list[Event], Scripted]:
    model = Scripted(["plan", *lines])  # type: ignore[list-item]
    it = Agent(model, [detect, double], runs=tmp_path, budget=budget)
    return list(it.stream("How many cups?", [white()])), model


def test_a_supported_answer_carries_its_evidence(tmp_path: Path) -> None:
    model = Scripted(["plan", "Two cups.", count(2)])
    result = Agent(model, [detect], runs=tmp_path).run("How many cups?", [white()])
    (claim,) = result.claims
    assert claim.verdict == "supported"
    assert [e.box.x0 for e in result.evidence if e.box] == [2, 20]
    assert {e.artifact for e in result.evidence} == {"img1"}


def test_a_contradicted_answer_is_corrected(tmp_path: Path) -> None:
    events, model = run(tmp_path, "Five cups.", count(5), "Two cups.", count(2))
    last = events[-1]
    assert last.type == "answered" and last.answer == "Two cups."
    assert [(c.text, c.was, c.verdict) for c in last.claims] == [
        ("2 cup", "5 cup", "corrected")
    ]
    shown = model.seen[3]
    assert shown[-2].words() == "Five cups."
    assert "2 cup" in shown[-1].words() and "Steps left: 11." in shown[-1].words()


def test_an_answer_that_stays_wrong_is_put_right_without_the_model(tmp_path: Path) -> None:
    events, _ = run(tmp_path, "There are 5 cups.", count(5), "Still five.", count(5))
    last = events[-1]
    assert last.type == "answered" and last.answer == "There are 2 cups."
    (claim,) = last.claims
    assert (claim.verdict, claim.text, claim.was) == ("corrected", "2 cups", "5 cup")
    assert len(claim.evidence) == 2


def test_a_wrong_answer_that_no_words_put_right_is_unsupported(tmp_path: Path) -> None:
    events, _ = run(tmp_path, "A handful of them.", count(5), "Still five.", count(5))
    last = events[-1]
    assert last.type == "answered" and last.answer == "A handful of them."
    assert [c.verdict for c in last.claims] == ["unsupported"]
    assert [e.again for e in events if isinstance(e, Verified)] == [True, False]


def test_a_second_answer_that_claims_nothing_is_taken(tmp_path: Path) -> None:
    events, _ = run(tmp_path, "Five cups.", count(5), "I cannot tell.", "[]")
    assert events[-1].type == "answered" and events[-1].answer == "I cannot tell."
    assert events[-1].claims == ()


def test_the_model_may_call_tools_again_after_a_contradiction(tmp_path: Path) -> None:
    again = calls(call("detect", image="img1"))
    events, _ = run(tmp_path, "Five cups.", count(5), again, "Two cups.", count(2))
    assert [e.type for e in events].count("observed") == 1
    assert events[-1].type == "answered" and events[-1].answer == "Two cups."


def test_an_answer_at_the_end_of_the_budget_is_verified_too(tmp_path: Path) -> None:
    lines = [calls(call("double", number=1)), "Five cups.", count(5), "Two cups.", count(2)]
    events, model = run(tmp_path, *lines, budget=Budget(steps=1))
    assert events[-1].type == "answered" and events[-1].answer == "Two cups."
    assert "No steps left: answer now." in model.seen[4][-1].words()


def test_a_failing_expert_leaves_the_answer_standing(tmp_path: Path) -> None:
    @tool(name="detect")
    def broken(image: Image, labels: list[str] | None = None) -> Boxes:
        """Find objects.

        Args:
            image: Where to look.
            labels: What to look for.
        """
        raise RuntimeError("no weights")

    model = Scripted(["plan", "Two cups.", count(2)])
    events = list(Agent(model, [broken], runs=tmp_path).stream("How many cups?", [white()]))
    (verified,) = [e for e in events if isinstance(e, Verified)]
    assert "no weights" in verified.error
    assert events[-1].type == "answered" and events[-1].answer == "Two cups."


def test_experts_that_cannot_tell_leave_a_claim_unsupported(tmp_path: Path) -> None:
    @tool(name="detect")
    def blind(image: Image, labels: list[str] | None = None) -> Boxes:
        """Find objects.

        Args:
            image: Where to look.
            labels: What to look for.
        """
        raise ToolError("Labels of another world.")

    model = Scripted(["plan", "Two cups.", count(2)])
    result = Agent(model, [blind], runs=tmp_path).run("How many cups?", [white()])
    assert [c.verdict for c in result.claims] == ["unsupported"]
