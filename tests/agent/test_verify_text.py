"""Text from any source against a real picture, with the shipped detector and text reader.

The model that writes claims and corrections is scripted: under test is what becomes of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import InputError
from agent.verify import VerifiedAnswer, verify, verify_many
from agent.verify.sentences import sentences
from mllm.backends.scripted import Scripted
from mllm.data.scenes import render, sample_scene
from tools import Detect, ReadText

SCENE = sample_scene(1_000_003, 3, style="twemoji")
"""A purple sign that says EXIT 28, a pig and two red cars, of a design never trained on."""

Draft = dict[str, str]


class Counting(Detect):
    """The detector, counting its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def call(self, *given: Any) -> Any:
        self.calls += 1
        return super().call(*given)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    render(SCENE).save(path)
    return path


def cars(value: str) -> list[Draft]:
    return [{"kind": "count", "object": "cars", "color": "red", "value": value}]


def check(text: str, picture: Path, *turns: str | list[Draft], **given: Any) -> VerifiedAnswer:
    model = Scripted([t if isinstance(t, str) else json.dumps(t) for t in turns])
    tools = given.pop("tools", None) or [Detect(), ReadText()]
    return verify(text, [picture], model=model, tools=tools)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ('The sign says "MR. X. 5" here. It is 2.5 m tall, see desk.png.', 2),
        ("图中有两辆车。牌子上写着“出口。左”！还有一头猪", 3),
        ("A line\n\nanother  \n", 2),
        ('A 15" laptop is here. There are two cups.', 2),
        ('There is a "cup. And no dog.', 2),
        ('He said "Stop." There are 2 cups.', 2),
        ('It says "Stop." in red.', 1),
        ("1. A cup.\n2. A dog.", 2),
        ("   ", 1),
        ("", 0),
    ],
)
def test_sentences_join_up_again(text: str, count: int) -> None:
    assert "".join(sentences(text)) == text
    assert len(sentences(text)) == count


def test_only_the_sentence_that_fails_is_rewritten(picture: Path) -> None:
    detect = Counting()
    verified = check(
        "There are 3 red cars.  What a day! A pig stands there.",
        picture,
        cars("3"),
        [],
        [{"kind": "existence", "object": "pig", "value": "yes"}],
        tools=[detect, ReadText()],
    )
    assert verified.answer == "There are 2 red cars.  What a day! A pig stands there."
    assert [c.verdict for c in verified.claims] == ["corrected", "supported"]
    first, second, _ = verified.sentences
    assert [c.verdict for c in first.claims] == ["contradicted", "corrected"]
    assert second.claims == () and second.text == second.said
    assert detect.calls == 1, "the detector looks once for everything that is claimed"
    ids = [e.id for e in verified.evidence]
    assert len(ids) == len(set(ids)) == 3
    for e in verified.evidence:
        assert e.box is not None and e.artifact == "img1"
        assert 0 <= e.box.x0 < e.box.x1 <= SCENE.width and 0 <= e.box.y0 < e.box.y1 <= SCENE.height


@pytest.mark.parametrize("read", [cars("3"), [], "no list of claims"])
def test_what_a_model_leaves_out_of_a_list_is_checked(
    picture: Path, read: str | list[Draft]
) -> None:
    verified = check("The picture shows 3 red cars, 1 dog and 1 pig.", picture, read)
    assert verified.answer == "The picture shows 2 red cars and 1 pig."
    assert [(c.text, c.was) for c in verified.claims] == [
        ("2 red cars", "3 red cars"),
        ("0 dogs", "1 dog"),
        ("1 pig", ""),
    ]


@pytest.mark.parametrize(
    ("reply", "claims"),
    [
        ("A quartet of red cars.", cars("4")),  # wrong again
        ("Red cars.", []),  # says nothing that can be checked
        ("A trio of red cars.", cars("3")),  # changes nothing
        (
            "There is a pig.",
            [{"kind": "existence", "object": "pig", "value": "yes"}],
        ),  # not of cars
    ],
)
def test_a_correction_that_does_not_hold_is_not_taken(
    picture: Path, reply: str, claims: list[Draft]
) -> None:
    verified = check("A trio of red cars.", picture, cars("3"), reply, claims)
    assert verified.answer == "A trio of red cars."
    (claim,) = verified.claims
    assert (claim.verdict, claim.value, claim.found) == ("unsupported", "3", "2 red cars")


def test_a_correction_keeps_what_was_right(picture: Path) -> None:
    pig = [{"kind": "existence", "object": "pig", "value": "yes"}]
    said = "A trio of red cars, a pig."
    verified = check(said, picture, cars("3") + pig, "A pair of red cars.", cars("2"))
    assert verified.answer == said
    assert [(c.object, c.verdict) for c in verified.claims][1:] == [("pig", "supported")]


def test_a_sentence_that_is_said_again_is_taken_apart_once(picture: Path) -> None:
    verified = check("There are 2 red cars. There are 2 red cars.", picture, cars("2"))
    assert [c.verdict for c in verified.claims] == ["supported", "supported"]


def test_words_on_nothing_in_particular_are_a_claim(picture: Path) -> None:
    exit = [{"kind": "text", "object": "", "value": "EXIT"}]
    (claim,) = check('It says "EXIT".', picture, exit).claims
    assert (claim.kind, claim.value) == ("text", "EXIT")


PIGS, PIG = ([{"kind": "count", "object": "pigs", "value": n}] for n in "21")
NUMBERED = [
    ("c1", "contradicted"), ("c2", "corrected"), ("c3", "contradicted"), ("c4", "corrected")
]  # fmt: skip


def test_sentences_are_corrected_together_and_numbered_in_their_order(picture: Path) -> None:
    detect = Counting()
    verified = check(
        "A trio of red cars stands here. A couple of pigs, too.", picture,
        cars("3"), PIGS, "A pair of red cars stands here.", "One of the pigs, too.",
        cars("2"), PIG,
        tools=[detect],
    )  # fmt: skip
    assert verified.answer == "A pair of red cars stands here. One of the pigs, too."
    assert [(c.id, c.verdict) for s in verified.sentences for c in s.claims] == NUMBERED
    assert detect.calls == 1, "what was found before is not looked for again"


def test_a_word_in_place_of_another_takes_no_model(picture: Path) -> None:
    verified = check("3 red cars stand here. 2 pigs, too.", picture, cars("3"), PIGS)
    assert verified.answer == "2 red cars stand here. 1 pig, too."
    assert [(c.id, c.verdict) for s in verified.sentences for c in s.claims] == NUMBERED
    assert [(c.text, c.was) for c in verified.claims] == [
        ("2 red cars", "3 red cars"), ("1 pig", "2 pigs")
    ]  # fmt: skip


def test_the_question_tells_what_a_bare_answer_claims(picture: Path) -> None:
    zebra = json.dumps([{"kind": "existence", "object": "zebra", "value": "yes"}])
    model = Scripted([lambda said: zebra if "Is there a zebra?" in said[-1].words() else "[]"] * 2)
    asked = verify("Yes.", [picture], question="Is there a zebra?", model=model, tools=[Detect()])
    assert asked.answer == "No."
    assert verify("Yes.", [picture], model=model, tools=[Detect()]).answer == "Yes."


def test_several_texts_are_verified_at_once_as_each_alone(picture: Path) -> None:
    said = {
        "Is there a pig?": [{"kind": "existence", "object": "pig", "value": "yes"}],
        "Yes.": [{"kind": "existence", "object": "zebra", "value": "yes"}],
        "3 red cars stand here.": cars("3"),
        "2 pigs, too.": PIGS,
        "What a day!": [],
    }

    def taken(messages: Any) -> str:
        told = messages[-1].words()
        return json.dumps(next(drafts for text, drafts in said.items() if text in told))

    texts = [
        ("Is there a zebra?", "Yes."),
        ("Is there a pig?", "Yes."),
        ("", "3 red cars stand here. 2 pigs, too."),
        ("", "What a day! 2 pigs, too."),
    ]
    detect = Counting()
    tools = [detect, ReadText()]
    together = verify_many(texts, [picture], model=Scripted([taken] * 9), tools=tools)
    assert [one.answer for one in together] == [
        "No.", "Yes.", "2 red cars stand here. 1 pig, too.", "What a day! 1 pig, too."
    ]  # fmt: skip
    calls, detect.calls = detect.calls, 0
    for (question, text), one in zip(texts, together, strict=True):
        model = Scripted([taken] * 9)
        alone = verify(text, [picture], question=question, model=model, tools=tools)
        assert one.model_copy(update={"tokens": alone.tokens}) == alone
    assert detect.calls == calls == len(texts)


def test_words_that_a_model_loses_letters_of_are_those_that_are_quoted(picture: Path) -> None:
    sign = [{"kind": "text", "object": "sign", "value": "EXIT 2"}]
    verified = check('It says "EXIT 28".', picture, sign)
    assert [(c.value, c.verdict) for c in verified.claims] == [("EXIT 28", "supported")]
    verified = check('The "mascot" says EXIT 28.', picture, [{**sign[0], "value": "EXIT 28"}])
    assert [(c.value, c.verdict) for c in verified.claims] == [("EXIT 28", "supported")]
    verified = check('The "mascot" says it. ...', picture, sign, "It says more.", sign)
    assert verified.claims[0].value == "EXIT 2"  # and nobody was asked about mere marks


@pytest.mark.parametrize(
    "said", ["There are 2 red cars.", "Two red cars are here.", "有2辆红色的汽车。", "有两辆汽车。"]
)
def test_of_a_number_that_a_model_misreads_the_one_that_is_said_counts(
    picture: Path, said: str
) -> None:
    color = "red" if "red" in said else "红色" if "红" in said else ""
    object = "汽车" if "汽车" in said else "cars"
    verified = check(said, picture, [{**cars("5")[0], "color": color, "object": object}])
    assert [(c.value, c.verdict) for c in verified.claims] == [("2", "supported")]


def test_a_sentence_that_is_not_taken_apart_is_marked(picture: Path) -> None:
    verified = check("Two cows! Nothing else.", picture, "cows, two", [])
    assert verified.answer == "Two cows! Nothing else." and verified.claims == ()
    assert [s.unread for s in verified.sentences] == [True, False]


def test_text_or_pictures_that_are_missing_are_said(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture"):
        verify("A pig.", [], model=Scripted([]))
    with pytest.raises(InputError, match="no text"):
        verify("  ", [picture], model=Scripted([]))
    with pytest.raises(InputError, match="gone.png"):
        verify("A pig.", [tmp_path / "gone.png"], model=Scripted([]))


def test_the_command_checks_with_nano(picture: Path) -> None:
    done = CliRunner().invoke(app, ["verify", "There is a pig.", "--image", str(picture), "--json"])
    assert done.exit_code == 0, done.output
    told = VerifiedAnswer.model_validate_json(done.output)
    assert "".join(s.said for s in told.sentences) == "There is a pig."
    shown = CliRunner().invoke(app, ["verify", "There is a pig.", "--image", str(picture)])
    assert shown.exit_code == 0 and "There is a pig." in shown.output
