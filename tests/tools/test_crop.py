from __future__ import annotations

import pytest
from PIL import Image as PILImage
from PIL import ImageDraw

from tests.tools.conftest import Context, box
from tools.crop import Crop, Zoom
from tools.protocol import Image, Picture, ToolError


@pytest.fixture
def picture(context: Context) -> Image:
    image = PILImage.new("RGB", (256, 256), "white")
    ImageDraw.Draw(image).rectangle((100, 50, 139, 69), fill="red")
    return context.add_image(image)


def test_a_crop_holds_the_boxes_and_a_small_margin(context: Context, picture: Image) -> None:
    context.add_boxes(picture, box((100, 50, 140, 70)))
    (got,) = Crop().call({"image": "img1", "region": "boxes1"}, context)
    assert isinstance(got, Picture)
    assert (got.parent, got.name) == ("img1", "crop")
    assert got.image.size == (46, 26)  # 6 % of 40 is 2.4, rounded outwards
    assert got.image.getpixel((3, 3)) == (255, 0, 0)
    assert got.image.getpixel((0, 0)) == (255, 255, 255)


def test_several_boxes_are_enclosed_and_the_picture_is_the_limit(
    context: Context, picture: Image
) -> None:
    context.add_boxes(picture, box((-20, -20, 10, 10)), box((200, 250, 300, 290)))
    (got,) = Crop().call({"image": "img1", "region": "boxes1"}, context)
    assert isinstance(got, Picture)
    assert got.image.size == (256, 256)


def test_zoom_enlarges_by_a_factor_or_until_details_show(context: Context, picture: Image) -> None:
    context.add_boxes(picture, box((100, 50, 140, 70)))
    (got,) = Zoom().call({"image": "img1", "region": "boxes1", "factor": 3}, context)
    assert isinstance(got, Picture)
    assert (got.image.size, got.name) == ((138, 78), "zoom")
    (got,) = Zoom().call({"image": "img1", "region": "boxes1"}, context)
    assert isinstance(got, Picture)
    assert min(got.image.size) == 448


def test_zoom_never_makes_a_giant(context: Context, picture: Image) -> None:
    context.add_boxes(picture, box((0, 0, 256, 256)))
    (got,) = Zoom().call({"image": "img1", "region": "boxes1", "factor": 32}, context)
    assert isinstance(got, Picture)
    assert got.image.size == (4096, 4096)
    for factor in (0.5, 33, float("nan")):
        with pytest.raises(ToolError, match="between 1 and 32"):
            Zoom().call({"image": "img1", "region": "boxes1", "factor": factor}, context)


def test_regions_that_cannot_be_cut(context: Context, picture: Image) -> None:
    context.add_boxes(picture)
    context.add_boxes(picture, box((400, 400, 500, 500)))
    other = context.add_image(PILImage.new("RGB", (50, 50)))
    context.add_boxes(other, box((0, 0, 5, 5), artifact="img2"))
    for region, message in (
        ("boxes1", "boxes1 holds no box"),
        ("boxes2", r"boxes2 lies outside img1 \(256x256 pixels\)"),
        ("boxes3", "boxes3 lie on img2, not on img1; use img2"),
    ):
        with pytest.raises(ToolError, match=message):
            Crop().call({"image": "img1", "region": region}, context)
