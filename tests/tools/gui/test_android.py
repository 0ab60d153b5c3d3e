"""An Android device: read, used and judged through ``adb``, which is a script here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mllm.content import Text
from tests.tools.conftest import Context
from tests.tools.gui import fake_adb
from tests.tools.gui.rows import reference
from tools import Android
from tools.gui.approval import Request
from tools.protocol import PersonNeeded, Picture, ToolError

SECRETS = {"CODE": "s3same!"}


@dataclass
class Phone:
    """The device as a model uses it, and as it is."""

    tool: Android
    context: Context
    folder: Path

    def __call__(self, name: str, /, **arguments: Any) -> str:
        beside = {k: arguments.pop(k) for k in ("expect",) if k in arguments}
        called = {"action": {"name": name, **arguments}, **beside}
        return self.said(self.tool.call(called, self.context))

    def look(self, **arguments: Any) -> str:
        return self.said(self.tool.screen.call(arguments, self.context))

    def said(self, parts: Any) -> str:
        for part in parts:
            if isinstance(part, Picture) and part.data:
                id = f"screen{len(self.context.artifacts) + 1}"
                self.context.add_file(part.data, "image", "image/png", id, part.image.size)
        return "\n".join(part.text for part in parts if isinstance(part, Text))

    def ref(self, row: str) -> str:
        return next(reference(line) for line in self.look().splitlines() if row in line)

    def state(self) -> dict[str, Any]:
        file = self.folder / "device.json"
        told: dict[str, Any] = json.loads(file.read_text()) if file.exists() else fake_adb.FRESH
        return told

    def put(self, **state: Any) -> None:
        (self.folder / "device.json").write_text(json.dumps({**self.state(), **state}))


@pytest.fixture
def make(tmp_path: Path, context: Context) -> Callable[..., Phone]:
    def made(**arguments: Any) -> Phone:
        program = tmp_path / "adb"
        code = Path(fake_adb.__file__)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {code} {tmp_path} "$@"\n')
        program.chmod(0o755)
        given = {"allowed": [fake_adb.APP], "secrets": SECRETS, "pictures": False, **arguments}
        return Phone(Android(adb=str(program), **given), context, tmp_path)

    return made


def yes(request: Request) -> bool:
    return True


def test_a_form_is_filled_and_verified(make: Callable[..., Phone]) -> None:
    asked: list[Request] = []

    def agree(request: Request) -> bool:
        asked.append(request)
        return True

    phone = make(approve=agree)
    said = phone("goto", url=fake_adb.APP, expect={"text": "Book a table"})
    assert "goto com.example.table: verified" in said and 'button "Book" disabled' in said
    with pytest.raises(ToolError, match=r'^disabled: .*"Book" e\d+ is disabled.*textbox "Name"'):
        phone("click", target="Book")
    said = phone("type", target="Name", text="Ada L. %s&'")
    assert """verified (it holds "Ada L. %s&'")""" in said
    assert "verified (it holds 'Ada')" in phone("type", target="Name", text="Ada")
    said = phone("type", target="Code", text="<secret:CODE>")
    assert "unverified" in said and SECRETS["CODE"] not in said
    assert "verified (it holds '4')" in phone("select", target="Guests", options=["4"])
    assert "verified (it is checked)" in phone("check", target="I accept the rules")
    said = phone("click", target="Book", expect={"text": "Sure?"})
    assert 'verified (text "Sure?")' in said and 'dialog "Sure?"' in said
    said = phone("click", target="Confirm", expect={"text": "Booked for Ada"})
    assert "verified" in said and phone.state()["sent"] == [["Ada", SECRETS["CODE"], "4"]]
    assert [request.matter for request in asked] == ["credentials", "submission"]
    assert "done: verified" in phone("done", evidence=[{"text": "Booked for Ada"}])


def test_what_is_not_so_is_contradicted_and_what_has_no_effect_is_said(
    make: Callable[..., Phone],
) -> None:
    phone = make()
    phone.put(screen="form", name="Ada")
    said = phone("check", target="I accept the rules", expect={"text": "Booked"})
    assert 'contradicted (not so: text "Booked")' in said
    with pytest.raises(ToolError, match="^no_effect: "):
        phone("click", target="Book a table")
    with pytest.raises(ToolError, match="^not_done: .*contradicted"):
        phone("done", evidence=[{"text": "Booked"}])
    with pytest.raises(ToolError, match="^not_done: .*unverified"):
        phone("done", evidence=[{"text": "Book a table"}])


def test_nobody_agreed_and_nothing_is_sent(make: Callable[..., Phone]) -> None:
    phone = make()
    phone.put(screen="sure", name="Ada")
    with pytest.raises(PersonNeeded, match="there is nobody to ask"):
        phone("click", target="Confirm")
    assert not phone.state()["sent"]
    assert "Book a table" in phone("click", target="Cancel")


def test_the_button_of_a_row_stays_that_of_its_row(make: Callable[..., Phone]) -> None:
    phone = make(approve=yes)
    phone("goto", url="https://shop.example/list")
    assert phone.state()["opened"] == "https://shop.example/list"
    drops = [reference(line) for line in phone.look().splitlines() if 'button "Drop"' in line]
    assert len(drops) == 3
    assert drops[0] in phone("scroll", direction="down").partition("gone ")[2].splitlines()[0]
    with pytest.raises(ToolError, match="^stale: "):
        phone("click", target=drops[0])  # the one of Milk, which is where Tea's is now
    phone("click", target=drops[1])
    assert phone.state()["rows"] == ["Rice", "Salt"]


def test_a_point_of_a_screenshot_is_tapped_and_an_old_one_is_not(
    make: Callable[..., Phone],
) -> None:
    phone = make(pictures=True)
    phone.put(screen="form")
    phone.look()
    said = phone("click", target="screen1:10,59")
    assert 'checkbox "I accept the rules" checked' in said
    phone.put(screen="sure")
    with pytest.raises(ToolError, match="^stale: "):
        phone("click", target="screen1:10,59")


def test_a_point_on_a_dialog_is_where_the_screen_has_it(make: Callable[..., Phone]) -> None:
    """The tree of a dialog does not tell how large the screen is."""
    phone = make(pictures=True, approve=yes)
    phone.put(screen="sure", name="Ada")
    assert "1080x1920" in phone.look()
    assert "Booked for Ada" in phone("click", target="screen1:80,94")
    assert "input tap 800 940" in phone.state()["log"]
    phone.put(rotation=1)
    assert "1920x1080" in phone.look()


def test_other_applications_are_neither_read_nor_used(make: Callable[..., Phone]) -> None:
    phone = make(allowed=["com.example.other"], pictures=True)
    phone.put(screen="form", name="Ada")
    said = phone.look()
    assert "is not among the allowed ones" in said and "Ada" not in said
    assert not phone.context.artifacts  # nor is it shown
    with pytest.raises(ToolError, match="^refused: "):
        phone("press", keys="Enter")
    with pytest.raises(ToolError, match="^refused: "):
        phone("goto", url=fake_adb.APP)
    with pytest.raises(ToolError, match="^navigation_error: "):
        phone("goto", url="com.example.other")


def test_sites_limit_the_addresses(make: Callable[..., Phone]) -> None:
    phone = make(sites=["shop.example"])
    for url in ("https://evil.example/", "file:///sdcard/x", "javascript:1"):
        with pytest.raises(ToolError, match="^refused: "):
            phone("goto", url=url)
    assert not phone.state()["log"]


def test_a_secret_stays_where_it_may_go_and_is_masked(make: Callable[..., Phone]) -> None:
    phone = make(allowed=[], approve=yes)
    phone.put(screen="form", name=SECRETS["CODE"])
    with pytest.raises(ToolError, match="^refused: secrets are only typed"):
        phone("type", target="Code", text="<secret:CODE>")
    said = phone.look()
    assert "<secret:CODE>" in said and SECRETS["CODE"] not in said


def test_what_a_device_cannot_do_is_said(make: Callable[..., Phone]) -> None:
    phone = make()
    phone.put(screen="form")
    for name, arguments in (
        ("hover", {"target": "Book"}),
        ("type", {"target": "Name", "text": "Łódź"}),
        ("press", {"keys": "Hyper"}),
        ("select", {"target": "Name", "options": ["x"]}),
    ):
        with pytest.raises(ToolError, match="^(wrong_kind|disabled): "):
            phone(name, **arguments)
    assert phone.state()["name"] == ""


def test_a_moving_screen_is_waited_for_and_a_lost_device_told(make: Callable[..., Phone]) -> None:
    phone = make()
    phone.put(screen="form", moving=2)
    assert "Book a table" in phone.look()
    phone.put(moving=99)
    with pytest.raises(ToolError, match="^timeout: .*could not get idle state"):
        phone.look()
    phone.put(lost=True)
    with pytest.raises(ToolError, match="^crashed: .*no devices"):
        phone.look()
    with pytest.raises(ToolError, match="^crashed: .*corvid doctor"):
        Android(adb="/nowhere/adb").screen.call({}, phone.context)
