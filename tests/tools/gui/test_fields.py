"""What is put into a field is read back."""

from __future__ import annotations

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.protocol import ToolError


def test_typing_replaces_and_clearing_empties(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<label>City <input value=Rome></label>"))
    said = surf("type", target="City", text="Łódź 波")
    assert "verified (it holds 'Łódź 波')" in said and '= "Łódź 波"' in said
    assert "verified" in surf("clear", target="City", expect={"value": ""})


def test_a_field_that_refuses_is_a_contradiction(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<label>Age <input type=number></label>"
            "<label>Code <input maxlength=3></label>"
            '<label>Phone <input oninput="this.value=this.value'
            ".replace(/^(\\d{3})-?(\\d)/,'$1-$2')\">"
        )
    )
    assert "contradicted (it holds '')" in surf("type", target="Age", text="old")
    assert "contradicted (it holds 'ABC')" in surf("type", target="Code", text="ABCD")
    assert "verified (it holds '030-123')" in surf("type", target="Phone", text="030123")


def test_a_password_is_typed_and_never_shown(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<label>Password <input type=password></label><button>Sign in</button>"))
    said = surf("type", target="Password", text="hunter22")
    assert "verified" in said
    assert "hunter22" not in said + surf.look()


def test_fields_of_all_kinds(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<label>Day <input type=date></label><label>Level <input type=range max=10></label>"
            "<div contenteditable aria-label=Note>old</div><textarea placeholder=Memo></textarea>"
            "<input readonly aria-label=Fixed value=7>"
        )
    )
    assert "verified (it holds '2026-11-20')" in surf("type", target="Day", text="2026-11-20")
    assert "verified (it holds '7')" in surf("type", target="Level", text="7")
    assert "verified (it holds 'new words')" in surf("type", target="Note", text="new words")
    assert "verified" in surf("type", target="Memo", text="one\ntwo")
    said = surf("type", target="Day", text="Friday")
    assert "contradicted (it holds ''; write it like 2026-11-20)" in said
    with pytest.raises(ToolError, match="^disabled: "):
        surf("type", target="Fixed", text="8")


def test_dates_and_times_are_taken_as_people_write_them(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put("<label>Day <input type=date></label><label>Hour <input type=time></label>")
    )
    for said, held in (("11/30/2026", "2026-11-30"), ("30.11.2026", "2026-11-30")):
        assert f"verified (it holds '{held}')" in surf("type", target="Day", text=said)
    for said, held in (("6:30 PM", "18:30"), ("12:05 am", "00:05"), ("9:15", "09:15")):
        assert f"verified (it holds '{held}')" in surf("type", target="Hour", text=said)
    for field, said in (("Day", "13/13/2026"), ("Day", "1/2/26"), ("Hour", "25:30")):
        assert "contradicted (it holds ''" in surf("type", target=field, text=said)


def test_options_are_chosen_by_their_text(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<label>Size <select><option>Small<option>Large<option>Extra large</select></label>"
            "<label>Tags <select multiple><option>a<option>b<option>c</select></label>"
            "<button>Fake list</button>"
        )
    )
    assert "verified (it holds 'Large')" in surf("select", target="Size", options=["large"])
    assert "verified (it holds 'a, c')" in surf("select", target="Tags", options=["c", "a"])
    with pytest.raises(ToolError, match=r"no option 'Huge'; its options: Small\|Large"):
        surf("select", target="Size", options=["Huge"])
    with pytest.raises(ToolError, match="^wrong_kind: "):
        surf("select", target="Fake list", options=["x"])
    with pytest.raises(ToolError, match="^wrong_kind: "):
        surf("type", target="Size", text="Large")


def test_checkboxes_also_those_drawn_by_their_label(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<input type=checkbox id=c style='display:none'><label for=c>Breakfast</label>"
            "<label><input type=radio name=r> Suite</label>"
        )
    )
    assert "verified (it is checked)" in surf("check", target="Breakfast")
    assert 'checkbox "Breakfast" checked' in surf.look(find="Breakfast")
    assert "verified (it is checked)" in surf("check", target="Breakfast")  # left alone
    assert "verified (it is not checked)" in surf("check", target="Breakfast", on=False)
    assert "verified (it is checked)" in surf("check", target="Suite")
    assert "contradicted (it is checked)" in surf("check", target="Suite", on=False)


def test_keys(surf: Surfer, site: Site) -> None:
    page = """<input aria-label=Search
      onkeydown="if (event.key == 'Enter') out.textContent = 'found'"><p id=out>"""
    surf.open(site.put(page))
    surf("type", target="Search", text="x")
    assert "verified" in surf("press", keys="enter", target="Search", expect={"text": "found"})
    surf("press", keys="Ctrl+A")
    assert '= ""' in surf("press", keys="Backspace")
    with pytest.raises(ToolError, match="there is no key"):
        surf("press", keys="Launch")


def test_a_file_of_the_run_is_uploaded_and_no_other(surf: Surfer, site: Site) -> None:
    surf.context.add_file(b"%PDF", "document", "application/pdf", "page1")
    page = """<input type=file aria-label=CV style='display:none'>
      <button onclick="document.querySelector('input').click()">Choose</button>"""
    surf.open(site.put(page))
    assert "verified (it holds 'page1')" in surf("upload", target="CV", file="page1")
    said = surf("upload", target="Choose", file="page1")
    assert "upload page1" in said and "asks for a file" not in said
    assert "the page asks for a file" in surf("click", target="Choose")
    with pytest.raises(ToolError, match="there is no /etc/passwd"):
        surf("upload", target="CV", file="/etc/passwd")


def test_a_slider_that_keys_move_is_set_to_a_number(surf: Surfer, site: Site) -> None:
    said = "onkeydown=\"const by={ArrowRight:2,ArrowLeft:-2}[event.key]||0;now=Math.max(-10,"
    surf.open(
        site.put(
            "<script>let now = -10</script><p>Rooms: 3</p>"
            "<style>span{display:inline-block;width:9px;height:9px;background:red}</style>"
            f"<span tabindex=0 class=my-slider-handle {said}Math.min(10,now+by));"
            'document.querySelector(\'output\').textContent=now"></span><output>-10</output>'
        )
    )
    assert "verified (it is at 4)" in surf("type", target="slider", text="4")
    assert "verified (it is at -10)" in surf("type", target="slider", text="-10")
    assert "contradicted (it is at 10)" in surf("type", target="slider", text="44")
    assert "contradicted (it is at 4)" in surf("type", target="slider", text="5")
    with pytest.raises(ToolError, match="^wrong_kind: .*a number"):
        surf("type", target="slider", text="far")


def test_a_slider_may_say_itself_where_it_is(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<div role=slider tabindex=0 aria-label=Volume aria-valuenow=30 aria-valuemax=100 "
            "onkeydown=\"this.ariaValueNow=+this.ariaValueNow+5*((event.key==='ArrowRight')-"
            "(event.key==='ArrowLeft'))\">o</div><div role=slider tabindex=0 aria-label=Dead>o"
        )
    )
    said = surf("type", target="Volume", text="75")
    assert "verified (it is at 75)" in said and 'slider "Volume" = "75"' in said
    with pytest.raises(ToolError, match="^no_effect: "):
        surf("type", target="Dead", text="1")


def test_a_field_without_a_name_is_called_by_its_role(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p>Type your name</p><input><button>Clear the textbox</button>"))
    assert "verified (it holds 'Ada')" in surf("type", target="textbox", text="Ada")
    surf.open(site.put("<label>A <input></label><label>B <input></label>"))
    with pytest.raises(ToolError, match="^not_found: "):
        surf("type", target="textbox", text="Ada")
