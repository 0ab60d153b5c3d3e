from __future__ import annotations

from typing import Any

import pytest
from PIL import Image as PILImage

from mllm.content import Boxes
from tests.tools.conftest import Context, box
from tools.protocol import ToolError
from tools.select import Select

ROWS = (
    box((10, 10, 30, 30), "cup", color="red"),  # row 1
    box((100, 12, 130, 42), "cup", color="blue"),
    box((60, 100, 120, 160), "laptop", color="gray"),
    box((70, 110, 90, 130), "cat", color="orange"),  # inside the laptop
    box((200, 200, 250, 250), "dog", color="brown"),
    box((150, 10, 190, 50), "cup", color="red"),
    box((5, 220, 60, 240), None, text="EXIT"),
)


@pytest.fixture
def scene(context: Context) -> Context:
    image = context.add_image(PILImage.new("RGB", (256, 256)))
    context.add_boxes(image, *ROWS)
    return context


def select(context: Context, **arguments: Any) -> Boxes:
    (got,) = Select().call({"boxes": "boxes1", **arguments}, context)
    assert isinstance(got, Boxes)
    assert got.artifact == "img1"
    return got


def rows(context: Context, **arguments: Any) -> list[int]:
    return [ROWS.index(b) + 1 for b in select(context, **arguments).boxes]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"label": "cup"}, [1, 2, 6]),
        ({"label": "Mugs"}, [1, 2, 6]),
        ({"label": "杯子"}, [1, 2, 6]),
        ({"label": "animals"}, [4, 5]),
        ({"label": "动物"}, [4, 5]),
        ({"color": "grey"}, [3]),
        ({"color": "红色"}, [1, 6]),
        ({"label": "cup", "color": "Red"}, [1, 6]),
        ({"label": "cup", "relation": "left of", "of": "laptop"}, [1]),
        ({"label": "cup", "relation": "right of", "of": "laptops"}, [2, 6]),
        ({"relation": "inside", "of": "laptop"}, [4]),
        ({"relation": "touching", "of": "laptop"}, [4]),
        ({"label": "cup", "relation": "right of", "of": "cup"}, [2, 6]),
        ({"label": "cup", "relation": "right of", "of": "boxes1.2"}, [6]),
        ({"label": "cup", "relation": "left of", "of": "red cup"}, [1, 2]),
        ({"relation": "below", "of": "dog"}, [7]),
        ({"label": "cup", "pick": "rightmost"}, [6]),
        ({"pick": "largest"}, [3]),
        ({"label": "cup", "color": "red", "pick": "leftmost"}, [1]),
        ({"label": "cup", "relation": "larger than", "of": "boxes1.1"}, [2, 6]),
    ],
)
def test_it_keeps_exactly_what_fits(
    scene: Context, arguments: dict[str, Any], expected: list[int]
) -> None:
    assert rows(scene, **arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"label": "zebra"}, "zebra: 0"),
        ({"label": "cups", "color": "green"}, "green cups: 0"),
        ({"label": "dog", "relation": "left of", "of": "laptop"}, "dog left of laptop: 0"),
        ({"color": "turquoise"}, "turquoise object: 0"),
        ({"label": "zebra", "pick": "largest"}, "largest zebra: 0"),
    ],
)
def test_nothing_found_is_a_result_that_says_what_was_wanted(
    scene: Context, arguments: dict[str, Any], words: str
) -> None:
    got = select(scene, **arguments)
    assert got.boxes == ()
    assert got.words().endswith(words)


def test_an_unknown_anchor_names_the_labels_there_are(scene: Context) -> None:
    with pytest.raises(ToolError, match="no zebra in boxes1; .*cup, laptop, cat, dog, text"):
        select(scene, relation="left of", of="zebra")


@pytest.mark.parametrize("half", [{"relation": "left of"}, {"of": "laptop"}])
def test_half_a_relation_is_refused(scene: Context, half: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="relation and of go together"):
        select(scene, **half)


def test_boxes_of_another_picture_are_no_anchor(scene: Context) -> None:
    other = scene.add_image(PILImage.new("RGB", (256, 256)))
    scene.add_boxes(other, box((0, 0, 9, 9), "cup", artifact="img2"))
    with pytest.raises(ToolError, match="boxes2 lies on img2, but boxes1 on img1"):
        select(scene, relation="left of", of="boxes2")


def test_a_row_and_an_unknown_relation(scene: Context) -> None:
    (got,) = Select().call({"boxes": "boxes1.3", "label": "laptop"}, scene)
    assert isinstance(got, Boxes)
    assert got.boxes == (ROWS[2],)
    with pytest.raises(ToolError, match='expected one of "left of", "right of"'):
        select(scene, relation="behind", of="laptop")


def test_labels_outside_the_lexicon_compare_as_text(context: Context) -> None:
    image = context.add_image(PILImage.new("RGB", (256, 256)))
    context.add_boxes(image, box((0, 0, 5, 5), "Fire Hydrant Cap"), box((0, 0, 6, 6), "cup"))
    assert len(select(context, label="fire hydrant cap").boxes) == 1
