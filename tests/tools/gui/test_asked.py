"""A claim that leaves out what the task names is doubted."""

from __future__ import annotations

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.gui.actions import PointAt, Type
from tools.gui.asked import Asked
from tools.gui.failures import Failure
from tools.gui.observation import Element, Snapshot
from tools.protocol import ToolError

MENU = """<button onclick="out.textContent='Saved!'">Copy</button>
  <button onclick="out.textContent='Saved!'">Copy link</button><p id=out></p>"""
SAVED = [{"text": "Saved!"}]


def page(*names: str, on: str = "") -> Snapshot:
    """A page of buttons; ``on`` is the pressed one."""
    rows = tuple(
        Element(f"e{i}", "button", name, state=("pressed",) if name == on else ())
        for i, name in enumerate(names)
    )
    return Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), rows)


def doubt(
    task: str, offered: Snapshot, *used: str, typed: str = "", shown: str = "", seen: str = ""
) -> str:
    asked = Asked(task)
    asked.see(offered)
    for name in used:
        action = PointAt(name="click", target=name)
        asked.use(action, next(e for e in offered.elements if e.name == name))
    if typed:
        asked.use(Type(name="type", target="field", text=typed), None)
    try:
        return asked.doubt(offered, shown, [seen])
    except Failure as failure:
        return str(failure)


def test_the_page_says_saved_after_a_wrong_act(surf: Surfer, site: Site) -> None:
    surf.context.task = "Use Copy link on this page"
    surf.open(site.put(MENU))
    surf("click", target="Copy", expect={"text": "Saved!"})
    with pytest.raises(ToolError, match='not_done: .*"Copy link" was not used'):
        surf("done", evidence=SAVED)
    surf("click", target="Copy link")
    assert "done: verified" in surf("done", evidence=SAVED)


def test_who_insists_is_let_through_without_being_believed(surf: Surfer, site: Site) -> None:
    surf.context.task = "Use Copy link on this page"
    surf.open(site.put(MENU))
    surf("click", target="Copy")
    with pytest.raises(ToolError, match="say done again"):
        surf("done", evidence=SAVED)
    assert 'done: unverified (the task names what was left out: "Copy link"' in surf(
        "done", evidence=SAVED
    )


@pytest.mark.parametrize(
    ("task", "used"),
    [
        ("Press Archive all, then Send", ["Archive all", "Send"]),
        ("Press Archive all but not Send now", ["Archive all"]),
        ("send now the list to Ada", ["Archive all"]),  # words that are called like a button
        ("Send now what is there", ["Archive all"]),
        ("请点“发送”按钮", ["发送"]),
        ("不要点“发送”，点“存档”", ["存档"]),
        ('Press "Archive all"', ["Archive all"]),
    ],
)
def test_what_was_used_or_is_not_named_is_not_doubted(task: str, used: list[str]) -> None:
    offered = page("Archive all", "Archive", "Send", "Send now", "发送", "存档")
    assert doubt(task, offered, *used, seen="Ada") == ""


@pytest.mark.parametrize(
    ("task", "used", "left"),
    [
        ("Press Archive all, then Send", ["Archive all"], "Send"),
        ("先点稍后发送再走", ["发送"], "稍后发送"),
        ("you press Archive all", ["Archive"], "Archive all"),
        ("请点“发送”按钮", ["存档"], "发送"),
        ("press 'Send'", ["Archive"], "Send"),
    ],
)
def test_what_is_named_and_was_not_used_is_doubted(task: str, used: list[str], left: str) -> None:
    offered = page("Archive all", "Archive", "Send", "Send now", "发送", "稍后发送", "存档")
    assert f'left out: "{left}" was not used' in doubt(task, offered, *used)


@pytest.mark.parametrize(
    ("task", "role", "name", "left"),
    [
        ("the city should be Rome, submit", "textbox", "City", True),
        ("the city should be Rome, submit", "button", "City", False),
        ("亮度要正好是五，应用", "slider", "亮度", True),
        ("say the capacity", "textbox", "City", False),
    ],
)
def test_a_field_is_named_in_any_case(task: str, role: str, name: str, left: bool) -> None:
    value = "50" if role == "slider" else "" if role == "textbox" else None
    rows = (Element("e1", role, name, value), Element("e2", "button", "OK"))
    offered = Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), rows)
    said = doubt(task, offered, "OK", seen="Rome")
    assert (f'left out: "{name}" was not used' in said) is left
    assert doubt(task, offered, "OK", name, seen="Rome") == ""


@pytest.mark.parametrize(
    ("task", "used", "left"),
    [
        ("Mark the row that belongs to Vera", ["Rosa"], "Vera"),
        ("Mark the row that belongs to Vera", ["Vera"], ""),
        ("Mark the row that belongs to Vera", ["Rosa", "Vera"], ""),
        ("Mark all rows except Vera", ["Rosa"], ""),
        ("Tell Rosa the number of Vera", ["Rosa"], ""),
        ("Choose any name with a, not vera", ["Rosa"], ""),
        ("Mark any row of Eva", ["Vera"], ""),
        ("Read how old Vera is", [], ""),
    ],
)
def test_of_several_called_alike_the_one_near_what_is_named_is_meant(
    task: str, used: list[str], left: str
) -> None:
    names = ("Vera", "Rosa")
    rows = [Element(f"e{i}", "button", "Select", near=name) for i, name in enumerate(names)]
    asked = Asked(task)
    offered = Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), tuple(rows))
    asked.see(offered)
    for name in used:
        row = next(row for row in rows if row.near == name)
        asked.use(PointAt(name="click", target=row.words), row)
    if left:
        with pytest.raises(Failure, match=f'left out: "Select near {left}" was not used'):
            asked.doubt(offered, "Vera Rosa Eva")
    else:
        assert asked.doubt(offered, "Vera Rosa Eva") == ""


def test_a_field_that_holds_something_need_not_be_filled_in() -> None:
    source = Element("e1", "textbox", "Text", "what is to be copied")
    offered = Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), (source,))
    assert doubt("copy the text to the field and submit", offered) == ""


def test_what_is_on_already_need_not_be_used() -> None:
    offered = page("Send now", "Weekly news", on="Weekly news")
    assert doubt("Turn on Weekly news", offered, "Send now") == ""


@pytest.mark.parametrize(
    ("task", "typed", "missing"),
    [
        ("Log in as 5Gn4S", "5Gn4", "5Gn4S"),
        ("Write to ada@post.example", "ada@post", "ada@post.example"),
        ("邮箱ada@post.example", "ada@post", "ada@post.example"),
        ("Set it to 35", "5", "35"),
        ('Reply "I am late"', "I am", "I am late"),
        ("回复“我晚点到”", "我到", "我晚点到"),
    ],
)
def test_what_is_to_be_entered_must_have_been(task: str, typed: str, missing: str) -> None:
    assert f'"{missing}" was not entered' in doubt(task, page("Send"), typed=typed)
    assert doubt(task, page("Send"), typed=missing) == ""
    assert doubt(task, page("Send"), shown=f"it says: {missing}") == ""


@pytest.mark.parametrize(
    "task",
    [
        "Be there at 10am",
        "Take the 3rd one",
        "Open http://a.example/55/x7y9z",
        "1,200 kg",
        'Choose "August 14, 2028"',
        'Fill it in and press "Submit"',
        '欢迎 "勾选"，然后提交',
    ],
)
def test_what_may_be_written_otherwise_is_not_asked_for(task: str) -> None:
    assert doubt(task, page("Send"), typed="1200 on 2028-08-14") == ""


@pytest.mark.parametrize(
    ("task", "met", "missing"),
    [
        ("the city should be Rome; take it from the list", "be ", "Rome"),
        ("Vera wants to eat here, book for Vera's friend Thea", "Vera", "Thea"),
        ("book a table for Ada, not for Boris", "ada", ""),
        ("Book it on Friday in May", "", ""),
        ("Press send. Then wait", "", ""),
        ("Click On The Big Button", "", ""),
        ("Write to Ada.Byron@post.example or mail/Ada", "Ada.Byron@post.example", ""),
    ],
)
def test_a_name_of_the_task_that_was_met_nowhere_is_missing(
    task: str, met: str, missing: str
) -> None:
    said = f'"{missing}" was not entered' if missing else ""
    assert said in doubt(task, page("Send"), typed=met)
    if missing:
        assert doubt(task, page("Send"), typed=met, seen=f"those of {missing}, too") == ""
    else:
        assert doubt(task, page("Send"), typed=met) == ""


@pytest.mark.parametrize(
    ("task", "value", "said"),
    [
        ("Set Brightness to 5 and apply", "50", '"Brightness" is at 50'),
        ("把“Brightness”调到5", "50", '"Brightness" is at 50'),
        ("Set Brightness to 5 and apply", "5", ""),
        ("Set Brightness to 5 and apply", "5.0 %", ""),
        ("Make the Brightness high", "50", ""),
        ("Set the volume to 5", "50", ""),
        ("Set the volume to 5, but not Brightness", "50", ""),
    ],
)
def test_a_slider_holds_a_number_of_the_task(task: str, value: str, said: str) -> None:
    rows = (Element("e1", "slider", "Brightness", value), Element("e2", "button", "OK"))
    offered = Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), rows)
    doubts = doubt(task, offered, "Brightness")
    assert f"left out: {said}. Do" in doubts if said else doubts == ""
