from __future__ import annotations

import random

import pytest
from PIL import Image, ImageDraw

from mllm.content import Box
from mllm.data.scenes import render, sample_scene
from tests.tools.conftest import box
from tools.color import TERMS, color_term, dominant_color

SHADES = {
    "red": (200, 30, 30),
    "orange": (240, 130, 20),
    "yellow": (245, 215, 40),
    "green": (40, 150, 60),
    "blue": (40, 90, 200),
    "purple": (130, 50, 170),
    "pink": (245, 150, 190),
    "brown": (120, 75, 40),
    "black": (22, 22, 25),
    "white": (245, 245, 245),
    "gray": (128, 128, 130),
}


@pytest.mark.parametrize("jitter", [0.0, 0.08])
@pytest.mark.parametrize("style", ["train", "twemoji"])
def test_tinted_objects_of_scenes_are_named_right(style: str, jitter: float) -> None:
    rng = random.Random(3)
    right = total = 0
    for index in range(25):
        scene = sample_scene(4, index, style=style)
        image = render(scene)
        for thing in scene.objects:
            if thing.color is None:
                continue
            x0, y0, x1, y1 = thing.box
            off = [rng.uniform(-jitter, jitter) for _ in range(4)]
            wide, high = x1 - x0, y1 - y0
            found = dominant_color(
                image,
                box(
                    (x0 + off[0] * wide, y0 + off[1] * high, x1 + off[2] * wide, y1 + off[3] * high)
                ),
            )
            right += found == thing.color
            total += 1
    assert total > 30
    assert right >= 0.97 * total


@pytest.mark.parametrize(("color", "background"), [(c, b) for c in TERMS for b in TERMS if c != b])
def test_every_term_before_every_background(color: str, background: str) -> None:
    image = Image.new("RGB", (120, 120), SHADES[background])
    ImageDraw.Draw(image).polygon([(30, 90), (90, 90), (60, 30)], fill=SHADES[color])
    assert dominant_color(image, box((28, 28, 92, 92))) == color


def test_a_coloured_part_names_a_grey_object() -> None:
    image = Image.new("RGB", (120, 120), SHADES["white"])
    draw = ImageDraw.Draw(image)
    draw.rectangle((30, 30, 90, 90), fill=SHADES["gray"])
    draw.rectangle((30, 30, 90, 50), fill=SHADES["blue"])
    assert dominant_color(image, box((30, 30, 91, 91))) == "blue"


def test_a_plain_picture_is_named_by_what_there_is() -> None:
    image = Image.new("RGB", (40, 40), SHADES["green"])
    assert dominant_color(image, box((0, 0, 40, 40))) == "green"
    assert dominant_color(image, box((10, 10, 30, 30))) == "green"


def test_boxes_over_the_edge_and_outside() -> None:
    image = Image.new("RGB", (100, 100), SHADES["white"])
    ImageDraw.Draw(image).rectangle((60, 60, 100, 100), fill=SHADES["red"])
    assert dominant_color(image, box((60, 60, 140, 140))) == "red"
    assert dominant_color(image, box((200, 200, 240, 240))) is None
    assert (
        dominant_color(image, Box(artifact="i", width=9, height=9, x0=5, y0=5, x1=5, y1=5)) is None
    )


@pytest.mark.parametrize(
    ("word", "term"),
    [("grey", "gray"), ("Violet", "purple"), ("红色", "red"), ("红", "red"), ("粉红色", "pink"),
     (" blue ", "blue"), ("turquoise", None), ("cup", None)],
)  # fmt: skip
def test_colour_words_mean_terms(word: str, term: str | None) -> None:
    assert color_term(word) == term
