from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mllm.data import designs, signs
from mllm.data.canvas import LEAST_VISIBLE
from mllm.data.designs import COLORS
from mllm.data.lexicon import BY_NAME, INDEX, NAMES
from mllm.data.looks import LARGE_FROM, SMALL_BELOW
from mllm.data.scene_files import write_yolo, yolo_lines
from mllm.data.scenes import (
    MAX_COUNT,
    MAX_OBJECTS,
    SIGN_COLORS,
    Scene,
    owner_map,
    render,
    sample_scene,
)

STYLES = ("train", "twemoji", "noto")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(3, index, style=STYLES[index % 3]) for index in range(300)]


def digest() -> str:
    found = hashlib.sha256()
    for index in range(4):
        scene = sample_scene(9, index)
        found.update(repr(scene.objects).encode() + render(scene).tobytes())
    return found.hexdigest()


def test_same_seed_gives_same_pixels_in_a_fresh_process() -> None:
    code = "import test_scenes; print(test_scenes.digest())"
    fresh = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[3]}"},
        capture_output=True, text=True, check=True,
    )
    assert fresh.stdout.strip() == digest()
    assert sample_scene(9, 0) != sample_scene(9, 1) != sample_scene(8, 1)


def test_objects_are_inside_visible_and_of_a_clear_size(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert 1 <= len(scene.objects) <= MAX_OBJECTS
        assert sum(thing.label == "sign" for thing in scene.objects) <= 2
        for thing in scene.objects:
            x0, y0, x1, y1 = thing.box
            assert 0 <= x0 < x1 <= scene.width and 0 <= y0 < y1 <= scene.height
            assert LEAST_VISIBLE <= thing.visible <= 1
            ratio = ((x1 - x0) * (y1 - y0) / (scene.width * scene.height)) ** 0.5
            assert min(abs(ratio - SMALL_BELOW), abs(ratio - LARGE_FROM)) > 0.005
            assert (thing.size == "small") == (ratio < SMALL_BELOW)
            assert (thing.size == "large") == (ratio >= LARGE_FROM)


def test_boxes_are_tight_around_what_shows(scenes: list[Scene]) -> None:
    for scene in scenes[:60]:
        owners = owner_map(scene)
        for number, thing in enumerate(scene.objects):
            rows, columns = np.nonzero(owners == number)
            tight = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert thing.box == tuple(float(edge) for edge in tight)


def test_an_object_changes_the_picture_within_its_box_and_shadow() -> None:
    scene = next(s for s in (sample_scene(1, k) for k in range(50)) if len(s.objects) == 1)
    empty = Scene(scene.width, scene.height, scene.setting, (), "train", scene.seed, scene.index)
    changed = np.asarray(render(scene)) != np.asarray(render(empty))
    rows, columns = np.nonzero(changed.any(axis=2))
    x0, y0, x1, y1 = scene.objects[0].box
    assert x0 - 5 <= columns.min() and columns.max() < x1 + 5
    assert y0 - 5 <= rows.min() and rows.max() < y1 + 5


def test_counts_of_the_focus_are_near_uniform() -> None:
    counts: Counter[int] = Counter()
    for index in range(700):
        scene = sample_scene(4, index)
        counts.update(
            sum(thing.label == label for thing in scene.objects) for label in scene.focus
        )
    assert set(counts) == set(range(MAX_COUNT + 1))
    fair = sum(counts.values()) / (MAX_COUNT + 1)
    assert all(0.7 * fair < number < 1.3 * fair for number in counts.values()), counts


def test_tint_colours_are_right_on_the_pixels(scenes: list[Scene]) -> None:
    right = total = 0
    for scene in scenes:
        image = render(scene)
        for thing in scene.objects:
            tintable = BY_NAME[thing.label].tintable
            assert (thing.color is not None) == tintable
            if thing.label == "sign":
                assert thing.color in SIGN_COLORS
            if thing.color in COLORS:
                total += 1
                right += measured_color(image, thing.box) == thing.color
    assert total > 300 and right >= 0.98 * total


def measured_color(image: Image.Image, box: tuple[float, float, float, float]) -> str:
    """The tint whose hue most of the colourful pixels in the middle of the box are nearest to."""
    x0, y0, x1, y1 = (int(edge) for edge in box)
    across, down = (x1 - x0) // 5, (y1 - y0) // 5
    middle = image.crop((x0 + across, y0 + down, x1 - across, y1 - down)).convert("HSV")
    hue, saturation, value = np.asarray(middle).reshape(-1, 3).astype(int).T
    hues = hue[(saturation > 115) & (value > 70)] * 360 / 255
    centres = np.array([designs.TINTS[color][0] for color in COLORS])
    apart = np.abs((hues[:, None] - centres + 180) % 360 - 180)
    return COLORS[int(np.bincount(apart.argmin(axis=1), minlength=len(COLORS)).argmax())]


def test_evaluation_design_and_font_stay_out_of_training(scenes: list[Scene]) -> None:
    assert not set(designs.TRAINING) & set(designs.EVALUATION)
    for scene in scenes:
        parts = {thing.sprite.split("/")[0] for thing in scene.objects if thing.label != "sign"}
        fonts = {thing.sprite.split("/")[1] for thing in scene.objects if thing.label == "sign"}
        if scene.style == "twemoji":
            assert parts <= {"twemoji"} and fonts <= {signs.EVALUATION_FONT}
        else:
            assert "twemoji" not in parts and signs.EVALUATION_FONT not in fonts


def test_every_category_has_two_training_designs_and_the_evaluation_design() -> None:
    training, evaluation = designs.drawers("train"), designs.drawers("twemoji")[0]
    for name in set(NAMES) - {"sign"}:
        assert sum(name in drawer for drawer in training) >= 2, name
        assert name in evaluation, name


def test_signs_say_what_they_show(scenes: list[Scene]) -> None:
    texts = [t.text for scene in scenes for t in scene.objects if t.label == "sign"]
    assert len(texts) > 60 and all(texts)
    assert 0.2 < sum(any(t.text for t in s.objects) for s in scenes) / len(scenes) < 0.4
    for name in (*signs.TRAINING_FONTS, signs.EVALUATION_FONT):
        font = signs.font(name, signs.SMALLEST_FONT)
        assert isinstance(font, ImageFont.FreeTypeFont)
        _, top, _, bottom = font.getbbox("H")
        assert bottom - top >= 16, name


def test_a_folder_is_a_style(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (60, 40))
    ImageDraw.Draw(clear).ellipse((10, 5, 50, 35), fill=(200, 60, 60, 255))
    clear.save(tmp_path / "cat.png")
    plain = Image.new("RGB", (80, 120), (255, 255, 255))
    ImageDraw.Draw(plain).rectangle((20, 20, 59, 99), fill=(60, 60, 200))
    plain.save(tmp_path / "cup.png")
    (tmp_path / "notes.txt").write_text("not a category")
    assert designs.picture(str(tmp_path / "cup.png")).size == (48, 96)
    labels = set()
    for index in range(20):
        scene = sample_scene(0, index, style=tmp_path)
        assert render(scene).size == (scene.width, scene.height)
        labels |= {thing.label for thing in scene.objects}
    assert {"cat", "cup"} <= labels <= {"cat", "cup", "sign"}
    with pytest.raises(ValueError, match="neither a design nor a folder"):
        sample_scene(0, 0, style=tmp_path / "nowhere")


def test_yolo_files(tmp_path: Path) -> None:
    sheet = write_yolo(tmp_path, 3, seed=5, style="noto")
    assert f"  {INDEX['cup']}: cup\n" in sheet.read_text()
    assert "val: images/train" in sheet.read_text()
    scene = sample_scene(5, 2, style="noto")
    with Image.open(tmp_path / "images/train/000002.jpg") as image:
        assert image.size == (scene.width, scene.height)
    lines = (tmp_path / "labels/train/000002.txt").read_text().splitlines(keepends=True)
    assert lines == yolo_lines(scene)
    for line, thing in zip(lines, scene.objects, strict=True):
        number, x, y, wide, high = (float(part) for part in line.split())
        assert NAMES[int(number)] == thing.label
        assert (x - wide / 2) * scene.width == pytest.approx(thing.box[0], abs=0.01)
        assert (y + high / 2) * scene.height == pytest.approx(thing.box[3], abs=0.01)
    assert "val: images/val" in write_yolo(tmp_path, 1, seed=6, split="val").read_text()
