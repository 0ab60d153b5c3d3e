from __future__ import annotations

import pytest
from PIL import Image as PILImage
from PIL import ImageChops

from mllm.content import Box
from tests.tools.conftest import Context, box
from tools import annotate
from tools.annotate import PALETTE, Annotate, draw_boxes
from tools.protocol import Picture, ToolError

GRAY = PILImage.new("RGB", (800, 600), (128, 128, 128))


def at(corners: tuple[float, float, float, float], label: str | None = None, text: str = "") -> Box:
    x0, y0, x1, y1 = corners
    return Box(
        artifact="img1", width=800, height=600, x0=x0, y0=y0, x1=x1, y1=y1, label=label,
        text=text or None,
    )  # fmt: skip


def changed(a: PILImage.Image, b: PILImage.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(a, b).getbbox()


def shades(image: PILImage.Image, corners: tuple[int, int, int, int]) -> set[tuple[int, ...]]:
    colors = image.crop(corners).getcolors(1 << 20) or []
    return {c for _, c in colors if isinstance(c, tuple)}


def test_the_frame_is_where_the_box_is_and_the_inside_stays() -> None:
    drawn = draw_boxes(GRAY, [at((200, 200, 400, 300))], numbered=False)
    assert drawn.size == GRAY.size
    assert GRAY.getcolors() == [(480000, (128, 128, 128))], "the original is untouched"
    x0, y0, x1, y1 = changed(drawn, GRAY) or (0, 0, 0, 0)
    assert max(abs(x0 - 200), abs(y0 - 200), abs(x1 - 400), abs(y1 - 300)) <= 5
    assert shades(drawn, (210, 210, 390, 290)) == {(128, 128, 128)}
    assert drawn.getpixel((300, 201)) == PALETTE[0]


def test_one_colour_a_label() -> None:
    boxes = [at((50, 100, 150, 200), "cup"), at((250, 100, 350, 200), "cat"),
             at((450, 100, 550, 200), "cup")]  # fmt: skip
    drawn = draw_boxes(GRAY, boxes)
    first, second, third = (drawn.getpixel((x, 150)) for x in (51, 251, 451))
    assert first == third != second


def test_numbers_and_labels_can_be_told_apart() -> None:
    plain = draw_boxes(GRAY, [at((200, 200, 400, 300), "cup")], numbered=False)
    numbered = draw_boxes(GRAY, [at((200, 200, 400, 300), "cup")])
    other = draw_boxes(GRAY, [at((200, 200, 400, 300), "cat")])
    assert changed(plain, numbered)
    assert changed(other, numbered)


def test_labels_stay_in_the_picture_and_apart() -> None:
    corner = draw_boxes(GRAY, [at((780, 0, 799, 15), "refrigerator")])
    assert PALETTE[0] in shades(corner, (640, 0, 780, 60)), "moved left, not cut off"
    one = draw_boxes(GRAY, [at((200, 200, 400, 300), "cup")])
    two = draw_boxes(GRAY, [at((200, 200, 400, 300), "cup"), at((200, 200, 410, 300), "cat")])
    label = (205, 170, 240, 190)
    assert shades(one, label) == shades(two, label), "the second label does not hide the first"


def test_small_pictures_are_enlarged_and_large_ones_get_larger_labels() -> None:
    small = draw_boxes(PILImage.new("RGB", (64, 32)), [box((0, 0, 128, 128), "cup")])
    assert small.size == (640, 320)
    large = PILImage.new("RGB", (3200, 2400), (128, 128, 128))
    x0, y0, x1, y1 = (
        changed(draw_boxes(large, [at((200, 200, 400, 300), "cup")]), large) or (0,) * 4
    )
    assert y0 < 800 - 25, "the label stands above the box and is higher than on a small picture"
    assert abs(x1 - 1600) < 20


def test_chinese_labels_are_written_or_become_english(monkeypatch: pytest.MonkeyPatch) -> None:
    chinese, english = at((200, 200, 400, 300), "杯子"), at((200, 200, 400, 300), "cup")
    monkeypatch.setattr(annotate, "_han_font", lambda: None)
    assert changed(draw_boxes(GRAY, [chinese]), draw_boxes(GRAY, [english])) is None


def test_odd_input_does_not_stop_it() -> None:
    boxes = [
        at((-50, -50, 900, 900), "everything " * 20),
        at((5, 5, 5, 5), "point"),
        at((790, 590, 2000, 2000)),
        at((100, 100, 200, 150), text="EXIT\nNOW"),
    ]
    assert draw_boxes(GRAY, boxes).size == GRAY.size
    assert draw_boxes(PILImage.new("L", (1, 1)), boxes).mode == "RGB"


def test_as_a_tool(context: Context) -> None:
    image = context.add_image(PILImage.new("RGB", (256, 256), "white"))
    context.add_boxes(image, box((20, 50, 80, 90), "cup"))
    (got,) = Annotate().call({"image": "img1", "boxes": "boxes1"}, context)
    assert isinstance(got, Picture)
    assert (got.parent, got.name, got.image.size) == ("img1", "marked", (640, 640))
    context.add_image(PILImage.new("RGB", (9, 9)))
    with pytest.raises(ToolError, match="boxes1 lie on img1, not on img2"):
        Annotate().call({"image": "img2", "boxes": "boxes1"}, context)
