"""The verifier on a real picture, with the shipped detector and the real text reader.

Only the model that writes the claims is scripted: what is under test is what becomes of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent import Agent, report
from agent.events import RunStarted, Verified
from agent.result import Claim, Result
from mllm.backends.scripted import Scripted
from mllm.data.scenes import render, sample_scene
from mllm.geometry import iou
from tools import Detect, ReadText

SCENE = sample_scene(1_000_003, 3, style="twemoji")
"""A purple sign that says EXIT 28, a pig and two red cars, of a design never trained on."""

Draft = dict[str, str]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert sorted(o.label for o in SCENE.objects) == ["car", "car", "pig", "sign"]
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    render(SCENE).save(path)
    return path


def verified(picture: Path, runs: Path, *answers: tuple[str, list[Draft]]) -> Result:
    """A run whose model gives these answers one after the other, each with its claims."""
    turns = [turn for text, drafts in answers for turn in (text, json.dumps(drafts))]
    agent = Agent(Scripted(["Look.", *turns]), [Detect(), ReadText()], runs=runs)
    return agent.run("What is in the picture?", images=[picture])


def claim(result: Result) -> Claim:
    (only,) = result.claims
    return only


@pytest.mark.parametrize(
    "draft",
    [
        {"kind": "existence", "object": "pig", "value": "yes"},
        {"kind": "count", "object": "cars", "value": "2"},
        {"kind": "count", "object": "汽车", "value": "2"},
        {"kind": "count", "object": "cars", "color": "red", "value": "2"},
        {"kind": "attribute", "object": "car", "value": "red"},
        {
            "kind": "relation",
            "object": "cars",
            "relation": "more than",
            "of": "pigs",
            "value": "yes",
        },
        {"kind": "text", "object": "sign", "value": "exit 28"},
    ],
)
def test_true_claims_are_supported_and_shown(picture: Path, tmp_path: Path, draft: Draft) -> None:
    result = verified(picture, tmp_path, ("So it is.", [draft]))
    assert claim(result).verdict == "supported"
    assert claim(result).evidence
    for evidence in claim(result).evidence:
        box = evidence.box
        assert box is not None and evidence.artifact == box.artifact == "img1"
        near = [o.box for o in SCENE.objects]
        # a line of text is smaller than the sign that it stands on
        assert max(iou(box.corners, other) for other in near) > (
            0.1 if evidence.tool == "read_text" else 0.6
        )


@pytest.mark.parametrize(
    ("draft", "found"),
    [
        ({"kind": "existence", "object": "dog", "value": "yes"}, "0 dog"),
        ({"kind": "existence", "object": "pig", "value": "no"}, "1 pig"),
        ({"kind": "count", "object": "cars", "value": "3"}, "2 cars"),
        ({"kind": "attribute", "object": "car", "value": "blue"}, "red"),
        ({"kind": "text", "object": "sign", "value": "OPEN"}, "EXIT 28"),
        ({"kind": "text", "object": "sign", "value": "EXIT 2"}, "EXIT 28"),
    ],
)
def test_a_wrong_claim_that_is_repeated_stays_unsupported_and_says_what_was_found(
    picture: Path, tmp_path: Path, draft: Draft, found: str
) -> None:
    result = verified(picture, tmp_path, ("Wrong.", [draft]), ("Wrong.", [draft]))
    assert claim(result).verdict == "unsupported"
    assert found in claim(result).found


def test_a_wrong_claim_goes_back_to_the_model_and_comes_back_corrected(
    picture: Path, tmp_path: Path
) -> None:
    result = verified(
        picture,
        tmp_path,
        ("There are 3 cars.", [{"kind": "count", "object": "cars", "value": "3"}]),
        ("There are 2 cars.", [{"kind": "count", "object": "cars", "value": "2"}]),
    )
    assert result.answer == "There are 2 cars."
    assert claim(result).verdict == "corrected"
    assert "2 cars" in result.steps[-1].note


def test_what_no_expert_can_tell_is_unsupported_and_costs_the_others_nothing(
    picture: Path, tmp_path: Path
) -> None:
    drafts = [
        {"kind": "existence", "object": "sphinx", "value": "yes"},
        {"kind": "existence", "object": "pig", "value": "yes"},
    ]
    result = verified(picture, tmp_path, ("A sphinx and a pig.", drafts))
    assert [c.verdict for c in result.claims] == ["unsupported", "supported"]
    assert result.claims[0].found == "" and not result.claims[0].evidence


def test_absence_is_seen_in_the_whole_picture(picture: Path, tmp_path: Path) -> None:
    draft = {"kind": "existence", "object": "dog", "value": "no"}
    result = verified(picture, tmp_path, ("No dog.", [draft]))
    assert claim(result).verdict == "supported"
    assert [(e.artifact, e.box) for e in claim(result).evidence] == [("img1", None)]


def test_an_answer_without_claims_passes_untouched(picture: Path, tmp_path: Path) -> None:
    result = verified(picture, tmp_path, ("I cannot tell.", []))
    assert result.answer == "I cannot tell." and result.claims == ()


def test_a_sentence_that_is_not_taken_apart_is_marked_and_costs_the_others_nothing(
    picture: Path, tmp_path: Path
) -> None:
    pig = {"kind": "existence", "object": "pig", "value": "yes"}
    script = ["Look.", "It rains. A pig. So it is.", "not json", json.dumps([pig]), "[]"]
    agent = Agent(Scripted(script), [Detect(), ReadText()], runs=tmp_path)
    events = list(agent.stream("What is in the picture?", images=[picture]))
    (event,) = [e for e in events if isinstance(e, Verified)]
    assert event.answer == "It rains. A pig. So it is." and not event.error
    assert [c.verdict for c in event.claims] == ["supported"]
    assert event.asked.labels == ("pig",) and event.asked.unread == ("It rains.",)


def test_an_answer_is_taken_apart_sentence_by_sentence_each_claim_once(
    picture: Path, tmp_path: Path
) -> None:
    cars, pig = (
        {"kind": "count", "object": "cars", "value": "2"},
        {"kind": "existence", "object": "pig", "value": "yes"},
    )
    model = Scripted(
        ["Look.", "2 cars. What a day! A pig, 2 cars.", *map(json.dumps, ([cars], [], [pig, cars]))]
    )
    agent = Agent(model, [Detect(), ReadText()], runs=tmp_path)
    result = agent.run("What is in the picture?", images=[picture])
    assert [(c.id, c.text) for c in result.claims] == [("c1", "2 cars"), ("c2", "pig: yes")]
    ids = [e.id for claim in result.claims for e in claim.evidence]
    assert ids == ["e1", "e2", "e3"]
    asked = [messages[-1].words() for messages in model.seen[-3:]]
    for sentence, words in zip(("2 cars.", "What a day!", "A pig, 2 cars."), asked, strict=True):
        assert words.endswith(f"Answer: {sentence}") and "What is in the picture?" in words


def test_what_the_experts_were_asked_is_kept_each_once(picture: Path, tmp_path: Path) -> None:
    drafts = [
        {"kind": "existence", "object": "pig", "value": "yes"},
        {"kind": "relation", "object": "pig", "relation": "left of", "of": "car", "value": "no"},
        {"kind": "attribute", "object": "car", "value": "red"},
        {"kind": "attribute", "object": "car", "value": "broken"},
        {"kind": "text", "object": "sign", "value": "EXIT 28"},
    ]
    model = Scripted(["Look.", "So it is.", json.dumps(drafts)])
    agent = Agent(model, [Detect(), ReadText()], runs=tmp_path)
    events = list(agent.stream("What is in the picture?", images=[picture]))
    (asked,) = [e.asked for e in events if isinstance(e, Verified)]
    assert asked.labels == ("pig", "car", "sign") and asked.words
    assert asked.looks == ("Is the car broken? Answer yes or no.",)
    (folder,) = [Path(e.folder) for e in events if isinstance(e, RunStarted)]
    page = report.write(folder).read_text(encoding="utf-8")
    assert "Asked the detector for pig, car, sign; the reader for the text" in page


def test_what_one_sign_says_is_not_what_a_sign_of_another_colour_says(
    picture: Path, tmp_path: Path
) -> None:
    draft = {"kind": "text", "object": "sign", "color": "yellow", "value": "EXIT 28"}
    result = verified(picture, tmp_path, ("Wrong.", [draft]), ("Wrong.", [draft]))
    assert claim(result).verdict == "unsupported"
