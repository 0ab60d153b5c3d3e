"""What is said of a claim when the detector is not sure of all that it sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as PILImage

from agent.verify import Experts
from agent.verify.checks import Finding
from agent.verify.correction import edited
from agent.verify.findings import weigh, weigh_all
from agent.verify.questions import questions
from mllm.claims import ClaimDraft
from mllm.content import Box, Boxes
from tests.tools.conftest import Context, Files
from tools.protocol import Image, Tool, ToolContext, ToolError

SIZE = 100


def cup(artifact: str, x: float, label: str = "cup") -> Box:
    return Box(
        artifact=artifact, width=SIZE, height=SIZE, x0=x, y0=40, x1=x + 9, y1=50, label=label,
        color="red",
    )  # fmt: skip


class Unsure(Tool):
    """Sees a cup, a dog and what is hardly a hat, and what may be another cup and a frog on the
    right of them."""

    name = "detect"

    def run(self, image: Image, context: ToolContext, labels: list[str]) -> Boxes:
        """Find objects."""
        id = image.artifact.id
        hat = cup(id, 70, "hat").model_copy(update={"score": 0.3})
        return Boxes(
            artifact=id,
            boxes=(cup(id, 10), cup(id, 30, "dog"), hat),
            unsure=(cup(id, 60), cup(id, 80, "frog")),
            counts={label: int(label in ("cup", "dog", "hat")) for label in labels},
        )


def related(object: str, relation: str, of: str) -> ClaimDraft:
    return ClaimDraft(kind="relation", object=object, relation=relation, of=of, value="yes")


class Printed(Tool):
    """Reads a line of print where the other cup may be."""

    name = "read_text"

    def run(self, image: Image) -> Boxes:
        """Read."""
        line = cup(image.artifact.id, 58).model_copy(update={"label": "text", "text": "2 cups"})
        return Boxes(artifact=image.artifact.id, boxes=(line.model_copy(update={"x1": 75}),))


class Plural(Tool):
    """Says how many there are in words that only it knows."""

    name = "detect"

    def run(self, image: Image, labels: list[str]) -> Boxes:
        """Find objects."""
        id = image.artifact.id
        boxes = (cup(id, 10, "suitcase"), cup(id, 30, "suitcase"))
        return Boxes(artifact=id, boxes=boxes, counts={"suitcases": 2})


def finding(
    tmp_path: Path, draft: ClaimDraft, detect: Tool | None = None, reader: Tool | None = None
) -> Finding:
    context = Context(Files(tmp_path))
    shown = context.add_image(PILImage.new("RGB", (SIZE, SIZE))).artifact
    experts = Experts(context, detect=detect or Unsure(), read_text=reader)
    experts.answer([shown], questions([draft], []))
    return weigh(draft, [shown], experts)


class Foreign(Unsure):
    """Refuses the pictures that are higher than they are wide."""

    def run(self, image: Image, context: ToolContext, labels: list[str]) -> Boxes:
        """Find objects."""
        if image.artifact.height > image.artifact.width:
            raise ToolError("this looks like a photo")
        return super().run(image, context, labels)


@pytest.mark.parametrize(
    ("object", "value", "holds"),
    [("cup", "yes", True), ("pig", "yes", None), ("pig", "no", None), ("cup", "no", False)],
)
def test_a_thing_may_be_in_a_picture_that_nobody_could_judge(
    tmp_path: Path, object: str, value: str, holds: bool | None
) -> None:
    context = Context(Files(tmp_path))
    sizes = (SIZE, SIZE), (SIZE, 2 * SIZE)
    shown = [context.add_image(PILImage.new("RGB", size)).artifact for size in sizes]
    experts = Experts(context, detect=Foreign(), read_text=None)
    draft = ClaimDraft(kind="existence", object=object, value=value)
    experts.answer(shown, questions([draft], []))
    assert weigh(draft, shown, experts).holds is holds


@pytest.mark.parametrize(
    ("color", "said", "right"),
    [
        ("blue", "Yes, there is a blue dog.", "No, there is no blue dog, but there is a red dog."),
        ("蓝色", "有，图中有蓝色的狗。", "没有，图中没有蓝色的狗，但有红色的狗。"),
    ],
)
def test_of_what_is_there_in_another_colour_that_is_said(
    tmp_path: Path, color: str, said: str, right: str
) -> None:
    object = "狗" if color == "蓝色" else "dog"
    draft = ClaimDraft(kind="existence", object=object, color=color, value="yes")
    found = finding(tmp_path, draft)
    assert found.holds is False and [box.label for box in found.boxes] == ["dog"]
    correction = edited(said, [(draft, found)])
    assert correction is not None and correction.text == right
    assert [(d.color == color, d.value) for d in correction.true or ()] == [
        (True, "no"),
        (False, "yes"),
    ]


class Cups(Tool):
    """Sees as many cups as a picture is high in hundreds of pixels, the second one blue."""

    name = "detect"

    def run(self, image: Image, labels: list[str]) -> Boxes:
        """Find objects."""
        id, number = image.artifact.id, (image.artifact.height or 0) // 100 - 1
        boxes = [cup(id, 10 * n) for n in range(number)]
        boxes[1:2] = [box.model_copy(update={"color": "blue"}) for box in boxes[1:2]]
        return Boxes(artifact=id, boxes=tuple(boxes), counts={"cup": number, "cups": number})


def in_pictures(tmp_path: Path, numbers: list[int], *drafts: ClaimDraft) -> list[Finding]:
    """The findings on pictures with so many cups."""
    context = Context(Files(tmp_path))
    sizes = [(SIZE, 100 * (number + 1)) for number in numbers]
    shown = [context.add_image(PILImage.new("RGB", size)).artifact for size in sizes]
    experts = Experts(context, detect=Cups(), read_text=None)
    experts.answer(shown, questions(drafts, []))
    return [finding for _, finding in weigh_all(drafts, shown, experts)]


def test_of_several_pictures_those_count_that_show_the_thing(tmp_path: Path) -> None:
    three, none, two = (ClaimDraft(kind="count", object="cups", value=n) for n in "302")
    found = in_pictures(tmp_path, [0, 2], three, none, two)
    assert [finding.holds for finding in found] == [False, False, True]
    assert found[0].instead == two
    (unclear,) = in_pictures(tmp_path, [1, 2], three)
    assert unclear.holds is False and unclear.instead is None


def test_what_is_said_of_all_does_not_hold_of_some(tmp_path: Path) -> None:
    red, blue, green = (
        ClaimDraft(kind="attribute", object="cups", value=color)
        for color in ("red", "blue", "green")
    )
    assert [f.holds for f in in_pictures(tmp_path, [2], red)] == [None]
    assert [f.holds for f in in_pictures(tmp_path, [1], red, green)] == [True, None]  # two-toned?
    assert [f.holds for f in in_pictures(tmp_path, [1], blue, green)] == [False, False]


def test_a_shade_that_has_no_name_is_not_denied(tmp_path: Path) -> None:
    dark = ClaimDraft(kind="existence", object="cup", color="dark red", value="yes")
    assert [f.holds for f in in_pictures(tmp_path, [1], dark)] == [None]


@pytest.mark.parametrize(
    ("draft", "holds"),
    [
        (ClaimDraft(kind="count", object="cup", value="1"), True),
        (ClaimDraft(kind="count", object="cup", value="2"), None),
        (ClaimDraft(kind="count", object="cup", value="3"), False),
        (ClaimDraft(kind="count", object="cup", value="0"), False),
        (ClaimDraft(kind="existence", object="frog", value="yes"), None),
        (ClaimDraft(kind="existence", object="frog", value="no"), True),
        (ClaimDraft(kind="existence", object="pig", value="yes"), False),
        (ClaimDraft(kind="existence", object="hat", value="yes"), True),
        (ClaimDraft(kind="existence", object="hat", value="no"), None),
        (ClaimDraft(kind="count", object="hat", value="1"), True),
        (ClaimDraft(kind="count", object="hat", value="0"), None),
        (ClaimDraft(kind="existence", object="cup", value="no"), False),
        (ClaimDraft(kind="existence", object="cup", color="blue", value="yes"), False),
        (ClaimDraft(kind="attribute", object="frog", value="red"), None),
        (ClaimDraft(kind="attribute", object="cup", value="blue"), False),
        (related("cup", "right of", "dog"), None),
        (related("cup", "left of", "frog"), None),
        (related("dog", "left of", "cup"), None),
        (related("cup", "above", "dog"), False),
        (related("hat", "right of", "dog").model_copy(update={"value": "no"}), None),
        (related("cup", "left of", "dog").model_copy(update={"value": "no"}), False),
        (related("cup", "more than", "dog"), None),
        (related("dog", "more than", "cup"), False),
    ],
)
def test_no_claim_is_contradicted_that_what_is_unsure_would_make_true(
    tmp_path: Path, draft: ClaimDraft, holds: bool | None
) -> None:
    found = finding(tmp_path, draft)
    assert found.holds is holds
    if holds is None:
        assert "perhaps" in found.found and not found.boxes


def test_print_makes_nothing_possible(tmp_path: Path) -> None:
    two = ClaimDraft(kind="count", object="cup", value="2")
    assert finding(tmp_path, two).holds is None
    assert finding(tmp_path, two, reader=Printed()).holds is False


def test_what_is_counted_in_words_that_nobody_knows_is_not_absent(tmp_path: Path) -> None:
    many = ClaimDraft(kind="count", object="suitcases", value="3")
    assert finding(tmp_path, many, detect=Plural()).holds is None


class Dimly(Unsure):
    """Is hardly sure of the other cup and of the frog."""

    def run(self, image: Image, context: ToolContext, labels: list[str]) -> Boxes:
        """Find objects."""
        seen = super().run(image, context, labels)
        dim = tuple(box.model_copy(update={"score": 0.05}) for box in seen.unsure)
        return seen.model_copy(update={"unsure": dim})


@pytest.mark.parametrize(
    ("draft", "holds"),
    [
        (ClaimDraft(kind="existence", object="frog", value="yes"), False),
        (ClaimDraft(kind="count", object="frog", value="1"), False),
        (ClaimDraft(kind="attribute", object="frog", value="red"), None),
        (ClaimDraft(kind="count", object="cup", value="2"), None),
        (related("cup", "right of", "dog"), None),
        (related("cup", "left of", "frog"), None),
    ],
)
def test_that_a_thing_is_there_at_all_takes_more_than_what_is_said_of_one(
    tmp_path: Path, draft: ClaimDraft, holds: bool | None
) -> None:
    assert finding(tmp_path, draft, Dimly()).holds is holds
