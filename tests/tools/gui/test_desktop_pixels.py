"""The same desktop, read from its pixels alone: no window tells anything to AT-SPI."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from mllm.content import Box
from mllm.yolo import ELEMENTS
from tests.tools.conftest import Context
from tests.tools.gui.desk import SECRETS, Desk, programs, skip_where_missing
from tools.protocol import PersonNeeded

pytest.importorskip("rapidocr_onnxruntime", reason="the extra vision is not installed")
skip_where_missing()
from tools import Desktop  # noqa: E402
from tools.gui.approval import Request  # noqa: E402
from tools.gui.desktop.pixels import Drawn, elements, outlined  # noqa: E402

GREY, WHITE, EDGE = (246, 245, 244), (255, 255, 255), (160, 160, 160)


def text(words: str, x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(artifact="screen", width=400, height=300, x0=x0, y0=y0, x1=x1, y1=y1, text=words)


def test_rectangles_are_told_apart_by_what_is_in_them() -> None:
    picture = Image.new("RGB", (400, 300), GREY)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((120, 20, 360, 50), WHITE, EDGE)  # a field with text
    pen.rectangle((120, 70, 360, 100), WHITE, EDGE)  # an empty one
    pen.rectangle((120, 120, 360, 150), GREY, EDGE)  # a list with an arrow
    pen.polygon([(336, 132), (350, 132), (343, 139)], "black")
    pen.rectangle((20, 170, 36, 186), WHITE, EDGE)  # two checkboxes
    pen.rectangle((20, 200, 36, 216), WHITE, EDGE)
    pen.line([(23, 208), (27, 212), (33, 203)], "black", 2)
    pen.rectangle((280, 250, 370, 284), GREY, EDGE)  # a button
    lines = [
        text("Name", 20, 27, 60, 43),
        text("Ada", 128, 27, 152, 43),
        text("Code", 20, 77, 60, 93),
        text("Guests", 20, 127, 70, 143),
        text("4", 128, 127, 138, 143),
        text("Bread", 46, 170, 90, 186),
        text("Water", 46, 200, 90, 216),
        text("OK", 315, 258, 335, 274),
    ]
    found = {e.name: e for e in elements(picture, lines, outlined) if e.acts}
    assert {name: (e.role, e.value, e.state) for name, e in found.items()} == {
        "Name": ("textbox", "Ada", ()),
        "Code": ("textbox", "", ()),
        "Guests": ("combobox", "4", ()),
        "Bread": ("checkbox", None, ()),
        "Water": ("checkbox", None, ("checked",)),
        "OK": ("button", None, ()),
    }
    x0, y0, x1, y1 = found["OK"].corners or (0, 0, 0, 0)
    assert max(abs(x0 - 280), abs(y0 - 250), abs(x1 - 370), abs(y1 - 284)) <= 3
    told = [e.name for e in elements(picture, lines, outlined) if e.role == "text"]
    assert told == ["Name", "Code", "Guests", "Bread", "Water"]  # and what a field holds is no text


def test_links_that_are_read_as_one_line_have_their_own_words() -> None:
    picture = Image.new("RGB", (400, 300), WHITE)
    links = [(20, 20, 60, 40), (65, 20, 125, 40), (130, 20, 170, 40)]
    drawn = [Drawn(tuple(map(float, place)), "link") for place in links]
    drawn += [Drawn((20.0, 60.0, 36.0, 76.0), "radio"), Drawn((300.0, 10.0, 324.0, 34.0), "button")]
    lines = [text("Home Contact Help", 20, 20, 170, 40), text("By train", 46, 60, 110, 76)]
    found = elements(picture, lines, lambda _: drawn)
    told = {(e.role, e.name) for e in found}
    assert told == {
        ("link", "Home"), ("link", "Contact"), ("link", "Help"), ("button", ""),
        ("radio", "By train"), ("text", "By train"),
    }  # fmt: skip


@pytest.mark.skipif(not ELEMENTS.is_file(), reason="no weights of the detector of controls")
def test_the_detector_sees_what_has_no_outline() -> None:
    """A link and an icon: outlines are no way to see them."""
    picture = Image.new("RGB", (400, 300), WHITE)
    pen = ImageDraw.Draw(picture)
    large = ImageFont.load_default(16)
    pen.text((40, 40), "Read more", (0, 0, 238), large)
    pen.line([(40, 59), (118, 59)], (0, 0, 238))
    for y in (104, 110, 116):  # three bars
        pen.line([(40, y), (58, y)], "black", 2)
    lines = [text("Read more", 40, 40, 118, 60)]
    assert not [e for e in elements(picture, lines, outlined) if e.acts]
    found = [e for e in elements(picture, lines) if e.acts]
    assert ("link", "Read more") in {(e.role, e.name) for e in found}
    assert any(e.corners and e.corners[1] < 110 < e.corners[3] for e in found)


def test_a_form_is_filled_and_verified_from_pixels(context: Context, tmp_path: Path) -> None:
    def agree(request: Request) -> bool:
        return True

    with Desktop(
        programs(tmp_path, deaf=True),
        allowed=("zenity",),
        secrets=SECRETS,
        approve=agree,
        size=(640, 480),
        pictures=False,
        pixels=True,
    ) as desktop:
        desk = Desk(desktop, context, tmp_path)
        said = desk("goto", url="form", expect={"text": "Book a table"})
        assert "goto form: verified" in said and 'combobox "Guests"' in said
        name = desk.ref('textbox "Name"')
        said = desk("type", target="Name", text="Grace Hopper")
        assert "verified (it reads 'Grace" in said and desk.ref('textbox "Name"') == name
        said = desk("type", target="Code", text="<secret:CODE>")
        assert "contradicted" not in said and SECRETS["CODE"] not in said
        said = desk("select", target="Guests", options=["4 people"])
        assert "verified (it holds '4" in said
        said = desk("click", target="OK", expect={"gone": "Book a table"})
        assert 'verified (gone "Book a table")' in said
        assert desk.given("form") == f"Grace Hopper|{SECRETS['CODE']}|4 people\nstatus 0\n"
        assert "done: verified" in desk("done", evidence=[{"gone": "Book a table"}])


def test_a_person_is_asked_by_what_is_read(context: Context, tmp_path: Path) -> None:
    with Desktop(programs(tmp_path, deaf=True), size=(480, 320), pixels=True) as desktop:
        desk = Desk(desktop, context, tmp_path)
        desk("goto", url="sure", expect={"text": "Delete all of it?"})
        for name, how in (("press", {"keys": "Enter"}), ("click", {"target": "Delete everything"})):
            with pytest.raises(PersonNeeded, match="delete: .*nobody to ask"):
                desk(name, **how)
        assert not desk.so_far("sure")
