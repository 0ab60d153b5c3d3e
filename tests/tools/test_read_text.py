from __future__ import annotations

import re

import pytest
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont
from skimage import data

from mllm.content import Boxes
from mllm.data.scenes import render, sample_scene
from tests.tools.conftest import Context, box
from tools.protocol import ToolError
from tools.read_text import ReadText, merge_lines


def read(context: Context, **arguments: str) -> Boxes:
    (got,) = ReadText().call({"image": "img1", **arguments}, context)
    assert isinstance(got, Boxes)
    return got


def plain(text: str) -> str:
    return re.sub(r"\s", "", text).lower()


def page(*lines: tuple[tuple[int, int], str]) -> PILImage.Image:
    image = PILImage.new("RGB", (400, 240), "white")
    for corner, text in lines:
        ImageDraw.Draw(image).text(corner, text, "black", ImageFont.load_default(26))
    return image


def test_signs_of_scenes_are_read_where_they_stand(context: Context) -> None:
    right = total = index = 0
    while total < 8:
        scene = sample_scene(91, index, style="twemoji")
        index += 1
        signs = [o for o in scene.objects if o.text]
        if not signs:
            continue
        context.artifacts.clear()
        context.add_image(render(scene))
        lines = read(context).boxes
        for sign in signs:
            x0, y0, x1, y1 = sign.box
            there = [b for b in lines if x0 <= b.center[0] <= x1 and y0 <= b.center[1] <= y1]
            right += plain("".join(b.text or "" for b in there)) == plain(sign.text or "")
            total += 1
    assert right >= total - 1


def test_a_photographed_page_is_read_whole_and_in_order(context: Context) -> None:
    context.add_image(PILImage.fromarray(data.page()).convert("RGB"))  # type: ignore[no-untyped-call]
    lines = [b.text or "" for b in read(context).boxes]
    assert lines[0] == "Region-based segmentation"
    assert plain(lines[4]) == plain("the markers are found at the two extreme parts of the")
    assert len(lines) == 7


def test_a_region_limits_what_is_read(context: Context) -> None:
    image = context.add_image(page(((30, 30), "NORTH GATE"), ((200, 160), "TICKETS")))
    size = {"width": 400, "height": 240}
    context.add_boxes(
        image, box((190, 150, 330, 200), "sign", **size), box((0, 200, 20, 220), "cup", **size)
    )
    got = read(context, region="boxes1.1")
    assert [b.text for b in got.boxes] == ["TICKETS"]
    line = got.boxes[0]
    assert 190 < line.x0 < 215 and 150 < line.y0 < 175
    assert (line.artifact, line.width, line.label) == ("img1", 400, None)
    assert line.score is not None and line.score > 0.7
    nothing = read(context, region="boxes1.2")
    assert nothing.words().endswith("text: 0")


def test_a_picture_without_text_is_a_result(context: Context) -> None:
    context.add_image(PILImage.new("RGB", (64, 64), "gray"))
    assert read(context).words() == "boxes on img1: text: 0"


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (2600, 40)])
def test_odd_sizes(context: Context, size: tuple[int, int]) -> None:
    context.add_image(PILImage.new("RGB", size, "white"))
    assert read(context).boxes == ()


def test_reading_a_region_of_another_picture_is_refused(context: Context) -> None:
    context.add_image(page())
    other = context.add_image(page())
    context.add_boxes(other, box((0, 0, 5, 5), artifact="img2"))
    with pytest.raises(ToolError, match="boxes1 lie on img2"):
        read(context, region="boxes1")


def test_words_of_a_line_are_merged_and_lines_ordered() -> None:
    def word(corners: tuple[float, float, float, float], text: str, score: float = 0.9) -> object:
        return box(corners, text=text, score=score)

    words = [
        word((60, 12, 90, 32), "TWO", 0.8),
        word((10, 60, 50, 80), "second"),
        word((200, 12, 240, 30), "far"),
        word((10, 10, 52, 30), "ONE"),
        word((10, 90, 50, 110), "你好"),
        word((54, 90, 90, 110), "世界"),
        word((10, 120, 30, 126), "small"),
        word((32, 115, 90, 140), "LARGE"),
    ]
    lines = merge_lines(words)  # type: ignore[arg-type]
    assert [b.text for b in lines] == ["ONE TWO", "far", "second", "你好世界", "small", "LARGE"]
    assert (lines[0].x0, lines[0].y0, lines[0].x1, lines[0].y1) == (10, 10, 90, 32)
    assert lines[0].score == 0.8


def test_words_that_are_looked_for_are_counted_first(context: Context) -> None:
    context.add_image(page(((20, 20), "PLATFORM 11"), ((20, 120), "EXIT")))
    found = {w: read(context, find=w).words().splitlines()[0] for w in ("exit", "PLATFORM 1")}
    assert '"exit": 1, reading "PLATFORM 11 EXIT"' in found["exit"]
    assert '"PLATFORM 1": 0, reading' in found["PLATFORM 1"]
