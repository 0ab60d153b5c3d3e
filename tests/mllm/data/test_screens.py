"""Screens on disk, parts of them, and pages in other looks."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from mllm.data.pages import dressing, make
from mllm.data.pages.dressing import dressed
from mllm.data.screens import KINDS, NAMES, Control, Folder, kind, part

CONTROLS: list[Control] = [
    ("button", (700.0, 40.0, 780.0, 70.0)),
    ("checkbox", (20.0, 300.0, 33.0, 313.0)),
    ("link", (400.0, 620.0, 470.0, 640.0)),
]


def screen() -> Image.Image:
    picture = Image.new("RGB", (900, 700), "white")
    for name, corners in CONTROLS:
        ImageDraw.Draw(picture).rectangle(corners, (0, 0, 10 + NAMES.index(name)))
    return picture


def test_roles_are_told_apart_as_far_as_a_picture_can() -> None:
    assert [kind(role) for role in ("option", "searchbox", "clickable")] == [
        "menuitem", "textbox", "button",
    ]  # fmt: skip
    assert kind("heading") == kind("text") == ""
    assert all(kind(name) == name for name in KINDS)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "train")
    assert not folder.has(3)
    folder.write(3, screen(), CONTROLS)
    assert folder.has(3) and folder.indices() == [3]
    picture, controls = folder.read(3)
    assert picture.tobytes() == screen().tobytes()
    for (name, corners), (again, places) in zip(CONTROLS, controls, strict=True):
        assert name == again and places == pytest.approx(corners, abs=0.01)
    assert f"0: {NAMES[0]}" in folder.sheet().read_text()


def test_a_part_shows_controls_where_it_says() -> None:
    seen: set[str] = set()
    for number in range(20):
        picture, controls = part(random.Random(number), screen(), CONTROLS, 256)
        assert picture.size == (256, 256) and controls
        for name, (x0, y0, x1, y1) in controls:
            assert 0 <= x0 < x1 <= 256.01 and 0 <= y0 < y1 <= 256.01
            inner = picture.getpixel((int((x0 + x1) / 2), int((y0 + y1) / 2)))
            assert inner == (0, 0, 10 + NAMES.index(name))
            seen.add(name)
    assert seen == {name for name, _ in CONTROLS}
    first, again = (part(random.Random(7), screen(), CONTROLS, 256) for _ in range(2))
    assert first[0].tobytes() == again[0].tobytes() and first[1] == again[1]


def test_a_screen_smaller_than_a_part_is_whole_in_it() -> None:
    small: list[Control] = [("button", (10.0, 10.0, 60.0, 30.0))]
    picture, controls = part(random.Random(1), Image.new("RGB", (100, 50)), small, 256)
    assert len(controls) == 1
    assert picture.getpixel((255, 255)) == (114, 114, 114)


def test_a_dress_repeats_and_keeps_the_task() -> None:
    task = make(1, 4, "train", "form")
    for number in range(8):
        first, again = (dressed(task.html, random.Random(number), "train") for _ in range(2))
        assert first == again
        assert first.endswith(task.html[task.html.index("<script>") :])
    shares = [dressed(task.html, random.Random(n), "train") == task.html for n in range(200)]
    assert 0.2 < sum(shares) / 200 < 0.4


def test_looks_of_evaluation_are_not_drawn_in_training() -> None:
    html = make(1, 4, "train", "form").html
    trained, held_out = (
        "".join(dressed(html, random.Random(n), split) for n in range(150))
        for split in ("train", "eval")
    )
    for name in ("BUTTONS", "FIELDS", "MARKS", "TABS", "MENUS", "LINKS", "FONTS", "ICONS"):
        for look in getattr(dressing, name)["eval"]:
            assert look in held_out and look not in trained, (name, look)
