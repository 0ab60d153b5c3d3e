"""A claim that leaves out what the task names is doubted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.gui import lacking
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
        ("put it there and press Submit", "", ""),
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


FORM = """<form onsubmit="out.textContent = 'Sent: ' + name.value; return false">
  <label>Name <input name=name></label>
  <label><input type=checkbox name=kiwi>kiwi</label>
  <label><input type=checkbox name=plum>plum</label>
  <button>Submit</button>
  <button type=button onclick="out.textContent='gone'">Cancel</button></form><p id=out></p>"""
WISH = 'Enter "Ada" as the name, check kiwi and press Submit'


@pytest.mark.parametrize(
    ("wish", "acts", "left"),
    [
        (WISH, ["Ada", "kiwi"], ""),
        (WISH, [], '"kiwi" was not used, "Ada" was not entered'),
        (WISH, ["Ada"], '"kiwi" was not used. Do'),
        (WISH, ["Adda", "kiwi"], '"Ada" was not entered. Do'),
        (WISH, ["Ada", "kiwi", "plum"], '"plum" is checked, which the task does not name. Do'),
        ("Send it with plum, not kiwi", ["plum"], ""),
        ("Check something and send it", ["kiwi"], ""),
        ("", [], ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["click", "press"])
def test_a_form_is_looked_at_before_it_is_sent(
    surf: Surfer, site: Site, wish: str, acts: list[str], left: str, by: str
) -> None:
    surf.context.task = wish
    surf.open(site.put(FORM))
    for act in acts:
        if act[0].isupper():
            surf("type", target="Name", text=act)
        else:
            surf("check", target=act, on=True)

    def send() -> str:
        if by == "click":
            return surf("click", target="Submit", expect={"text": "Sent:"})
        return surf("press", target="Name", keys="Enter", expect={"text": "Sent:"})

    if left:
        with pytest.raises(ToolError, match="not_done: it was not sent: .*") as told:
            send()
        assert left in str(told.value)
        assert "Sent:" not in surf.look()
    assert "verified" in send()


@pytest.mark.parametrize("label", ["Cancel", "Look", "Next"])
def test_what_sends_nothing_is_not_held_up(surf: Surfer, site: Site, label: str) -> None:
    surf.context.task = WISH
    other = "<button onclick=\"out.textContent='gone'\">%s</button>"
    surf.open(site.put(FORM + other % "Look" + other % "Next"))
    assert "verified" in surf("click", target=label, expect={"text": "gone"})


def test_what_is_left_for_a_later_page_is_not_asked_for(surf: Surfer, site: Site) -> None:
    surf.context.task = 'Search for "Ada" and reply "See you" to the letter'
    surf.open(site.put("""<form onsubmit="out.textContent='found'; return false">
      <input type=search aria-label=Words><button>Search</button></form><p id=out></p>"""))
    surf("type", target="Words", text="Ada")
    assert "verified" in surf("click", target="Search", expect={"text": "found"})


def row(role: str, name: str = "", value: str | None = None, **more: Any) -> Element:
    return Element(f"e{abs(hash((role, name, value, str(more)))) % 997}", role, name, value, **more)


@pytest.mark.parametrize(
    ("task", "rows", "left"),
    [
        ("Select Vera, Thea from the list and send it",
         [row("combobox", "", "Vera", options=("Vera", "Thea", "Rosa"))], '"Thea" was not used'),
        ("Fly to MOT on 12/23/2026", [row("textbox", "To", "Minot, ND - MOT"),
         row("textbox", "Day", "12/18/2026")], '"Day" is at 12/18/2026'),
        ("Fly to MOT on 12/23/2026", [row("textbox", "To", ""), row("date", "Day", "2026-12-23")],
         '"To" was not used, "MOT" was not entered'),
        ("Enter 9:37 PM and send it", [row("time", "", "13:37")], '"time" is at 13:37'),
        ("Enter 9:37 PM and send it", [row("time", "", "21:37")], ""),
        ("Select 4 with the slider", [row("slider", "", "0")], '"slider" is at 0'),
        ("Select 4 with the slider", [row("slider", "", "4")], ""),
        ("Write x into the 2nd textbox", [row("textbox", near="1st textbox", value="x"),
         row("textbox", near="2nd textbox", value="")], '"2nd textbox" was not used'),
        ("Check the 1st checkbox", [row("checkbox", near="1st checkbox", state=("checked",)),
         row("checkbox", near="2nd checkbox")], ""),
    ],
)  # fmt: skip
def test_of_what_is_sent_it_is_said_what_it_lacks(
    task: str, rows: list[Element], left: str
) -> None:
    asked, told = Asked(task), ""
    try:
        lacking.check(asked, Snapshot("http://a", "", 640, 480, (0, 0), (640, 480), tuple(rows)))
    except Failure as failure:
        told = str(failure)
    assert left in told if left else not told
