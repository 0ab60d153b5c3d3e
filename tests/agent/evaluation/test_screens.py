"""Screenshots with labels: they repeat, labels hit what they name, and reading them is measured."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("playwright", reason="the extra gui is not installed")
pytest.importorskip("rapidocr_onnxruntime", reason="the extra vision is not installed")
from agent.cli import main  # noqa: E402
from agent.evaluation import screens  # noqa: E402
from agent.evaluation.screens import Tally, matches, measure  # noqa: E402
from agent.evaluation.screens_runner import Screen, Studio, lines, write_screens  # noqa: E402
from mllm.data.pages import make  # noqa: E402
from mllm.data.screens import KINDS, Folder  # noqa: E402
from tools.gui.session import NAMES  # noqa: E402

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
HIT = """(() => {
  const el = document.elementFromPoint(%f / devicePixelRatio, %f / devicePixelRatio);
  const at = el?.closest("button,a,input,select,textarea,[role],[onclick]") || el?.closest("label");
  return [at?.getAttribute("role"), at?.localName, at?.type];
})()"""
"""What stands at a place of the picture, asked in another way than the labels were made."""


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Studio() as opened:
        yield opened


@pytest.mark.parametrize("index", range(4))
def test_labels_lie_in_the_picture_and_hit_what_they_name(studio: Studio, index: int) -> None:
    screen = studio.screen(3, index, "train")
    wide, high = screen.picture.size
    for kind, (x0, y0, x1, y1) in screen.controls:
        assert 0 <= x0 < x1 <= wide and 0 <= y0 < y1 <= high
        role, tag, type_ = studio.look(HIT % ((x0 + x1) / 2, (y0 + y1) / 2))
        if kind in ("checkbox", "radio"):
            assert type_ == kind
        elif role:
            assert role in KINDS[kind]
        else:
            assert (kind, tag) in {
                ("button", "button"), ("link", "a"), ("textbox", "input"), ("slider", "input"),
                ("textbox", "textarea"), ("combobox", "select"),
            }  # fmt: skip


def test_a_screen_repeats(studio: Studio) -> None:
    for index in (3, 5):
        first, again = (studio.screen(3, index, "eval") for _ in range(2))
        assert first.picture.tobytes() == again.picture.tobytes()
        assert (first.controls, first.texts) == (again.controls, again.texts)


def test_what_is_covered_is_no_control(studio: Studio) -> None:
    """A banner lies over the page until it is refused, which is the first act."""
    for number in (i for i in range(400) if 'id="veil"' in make(3, i, "eval").html):
        screen = studio.screen(3, number, "eval")
        if studio.look("document.getElementById('veil').hidden") is False:
            assert [kind for kind, _ in screen.controls] in (["button"], ["button"] * 2, [])
            return
    raise AssertionError("no banner was ever in the way")


def test_writing_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert write_screens(tmp_path, 2, 3).name == "data.yaml"
    folder = Folder(tmp_path, "train")
    (tmp_path / "labels" / "train" / "000001.txt").unlink()
    first, second = (tmp_path / "images" / "train" / f"00000{n}.png" for n in range(2))
    before, picture = first.stat().st_mtime_ns, second.read_bytes()
    write_screens(tmp_path, 2, 3)
    assert folder.indices() == [0, 1]
    assert first.stat().st_mtime_ns == before and second.read_bytes() == picture


def test_pieces_of_a_line_are_one_line() -> None:
    there = [(0.0, 0.0, 40.0, 20.0), (44.0, 0.0, 80.0, 20.0), (200.0, 0.0, 240.0, 20.0)]
    below = (0.0, 22.0, 40.0, 42.0)
    assert sorted(lines([*there, below])) == sorted([(0.0, 0.0, 80.0, 20.0), there[2], below])


def test_a_box_is_matched_once() -> None:
    one, moved, far = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 8.0), (50.0, 0.0, 60.0, 10.0)
    assert matches([moved, one], [one]) == 1
    assert matches([one, far], [moved, far]) == 2
    assert matches([far], [one]) == matches([], [one]) == 0


def test_kinds_and_places_are_measured_apart() -> None:
    there = [("button", (10.0, 10.0, 90.0, 40.0)), ("link", (10.0, 60.0, 60.0, 80.0))]
    tally = Tally()
    tally.add([("button", there[0][1]), ("button", there[1][1])], there)
    rows = tally.metrics()
    assert rows["precision"]["value"] == rows["recall"]["value"] == 0.5
    assert rows["f1.boxes"]["value"] == 1.0
    assert rows["recall.link"]["value"] == 0.0 and rows["precision.button"]["value"] == 0.5


def test_outlines_find_a_drawn_button() -> None:
    picture = Image.new("RGB", (200, 100), "white")
    corners = (20.0, 20.0, 120.0, 50.0)
    picture.paste("black", tuple(map(int, corners)))
    picture.paste("white", (22, 22, 118, 48))
    tallies = {"outlines": Tally()}
    measure(Screen(picture, [("textbox", corners)], []), tallies)
    assert tallies["outlines"].metrics()["recall.textbox"]["value"] == 1.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eval", "screens", "--model", "nano"], "leave --model away"),
        (["data", "screens", "--out", "x", "--style", "noto"], "leave --style away"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["corvid", *words])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    assert said in capsys.readouterr().err


def test_without_weights_their_rows_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(screens, "ELEMENTS", tmp_path / "nano.pt")
    measured = screens.evaluate(1, 3, quiet=True)
    assert measured["rows"]["outlines"]["recall"]["n"] is not None
    assert "corvid train detector" in measured["rows"]["merged"]["error"]
