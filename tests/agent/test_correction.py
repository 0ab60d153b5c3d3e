"""The loop around the verifier: contradicted answers come back to the model."""

from __future__ import annotations

import json
from pathlib import Path

from agent import Agent, Budget, Result
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
    events, _ = run(tmp_path, "Five cups.", count(5), "There are 5 cups.", count(5))
    last = events[-1]
    assert last.type == "answered" and last.answer == "There are 2 cups."
    (claim,) = last.claims
    assert (claim.verdict, claim.text, claim.was) == ("corrected", "2 cups", "5 cup")
    assert len(claim.evidence) == 2


def test_what_was_right_at_first_is_not_lost_by_a_second_answer_that_is_wrong_too(
    tmp_path: Path,
) -> None:
    both = json.dumps(
        [{"kind": "count", "object": "book", "value": "2"}]
        + [{"kind": "count", "object": "cup", "value": "5"}]
    )
    said = ["There are 2 books and 5 cups.", both, "There are 6 cups.", count(6), both]
    agent = Agent(Scripted(["plan", *said]), [scene], runs=tmp_path)
    result = agent.run("What is there?", [white()])
    assert result.answer == "There are 2 books and 3 cups."
    assert [c.verdict for c in result.claims] == ["supported", "corrected"]


def test_a_wrong_answer_that_no_words_put_right_is_unsupported(tmp_path: Path) -> None:
    events, _ = run(tmp_path, "A handful of them.", count(5), "Still five.", count(5))
    last = events[-1]
    assert last.type == "answered" and last.answer == "A handful of them."
    assert [c.verdict for c in last.claims] == ["unsupported"]
    assert [e.again for e in events if isinstance(e, Verified)] == [True, False]


@tool(name="detect")
def scene(image: Image, labels: list[str] | None = None) -> Boxes:
    """Find objects: a red car, a blue cup right of a laptop, two above it, and two books.

    Args:
        image: Where to look.
        labels: What to look for.
    """
    places = {"car": [(0, 30)], "laptop": [(20, 30)], "cup": [(50, 30), (21, 5), (22, 5)],
              "book": [(5, 2), (55, 2)]}  # fmt: skip
    a = image.artifact
    assert a.width is not None and a.height is not None
    boxes = tuple(
        Box(artifact=a.id, width=a.width, height=a.height, x0=x, y0=y, x1=x + 9, y1=y + 9,
            label=label, color="red" if label == "car" else "blue")
        for label, found in places.items() for x, y in found
        if labels is None or label in labels or label + "s" in labels
    )  # fmt: skip
    return Boxes(artifact=a.id, boxes=boxes)


def insisted(tmp_path: Path, answer: str, *claims: dict[str, str]) -> Result:
    """A run of which both answers are the same; a claim a sentence."""
    lines = [json.dumps([claim]) for claim in claims]
    model = Scripted(["plan", answer, *lines, answer, *lines])
    return Agent(model, [scene], runs=tmp_path).run("What is there?", [white()])


def test_a_word_changes_only_in_the_sentence_of_the_claim(tmp_path: Path) -> None:
    said = "The car is red. The cup has the same colour."
    red = {"kind": "attribute", "value": "red"}
    result = insisted(tmp_path, said, {**red, "object": "car"}, {**red, "object": "cup"})
    assert result.answer == said
    assert [claim.verdict for claim in result.claims] == ["supported", "unsupported"]


def test_what_is_claimed_twice_and_holds_once_does_not_change(tmp_path: Path) -> None:
    said = "There is a cup left of the laptop and there is a cup right of the car."
    cup = {"kind": "existence", "object": "cup", "value": "yes"}
    places = [{"relation": "left of", "of": "laptop"}, {"relation": "right of", "of": "car"}]
    lines = [json.dumps([{**cup, **place} for place in places])]
    model = Scripted(["plan", said, *lines, said, *lines])
    result = Agent(model, [scene], runs=tmp_path).run("What is there?", [white()])
    assert result.answer == said
    assert [claim.verdict for claim in result.claims] == ["unsupported", "supported"]


def test_a_word_that_two_things_share_does_not_change(tmp_path: Path) -> None:
    said = "The car and the cup are red."
    claims = [{"kind": "attribute", "object": name, "value": "red"} for name in ("car", "cup")]
    model = Scripted(["plan", *[said, json.dumps(claims)] * 2])
    result = Agent(model, [scene], runs=tmp_path).run("What is there?", [white()])
    assert result.answer == said


def test_a_word_of_one_claim_changes_beside_other_claims(tmp_path: Path) -> None:
    said = "There are 2 books and the cup is red."
    claims = [{"kind": "count", "object": "books", "value": "2"},
              {"kind": "attribute", "object": "cup", "value": "red"}]  # fmt: skip
    model = Scripted(["plan", *[said, json.dumps(claims)] * 2])
    result = Agent(model, [scene], runs=tmp_path).run("What is there?", [white()])
    assert result.answer == "There are 2 books and the cup is blue."


def test_the_evidence_of_an_answer_that_was_put_right_has_ids_of_its_own(tmp_path: Path) -> None:
    side = {"kind": "relation", "object": "cup", "relation": "left of", "of": "laptop"}
    result = insisted(
        tmp_path,
        "The cup is left of the laptop. There are 2 books.",
        {**side, "value": "yes"},
        {"kind": "count", "object": "books", "value": "2"},
    )
    assert result.answer == "The cup is right of the laptop. There are 2 books."
    first, second = result.claims
    assert (first.verdict, second.verdict) == ("corrected", "supported")
    ids = [evidence.id for claim in result.claims for evidence in claim.evidence]
    assert len(ids) == len(set(ids)) == len(result.evidence)
    assert {evidence.box.label for evidence in second.evidence if evidence.box} == {"book"}


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
