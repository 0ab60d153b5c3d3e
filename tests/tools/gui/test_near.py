"""Controls that are called alike are told apart by what stands near them, fields without a name by
what stands beside them."""

from __future__ import annotations

import time

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tests.tools.gui.test_elements import rows
from tools.protocol import ToolError

TABLE = "<table><tr><th>Guest<th>Age<th></tr>{}</table><p id=out></p>".format(
    "".join(
        f"<tr><td>{name}<td>36<td><button onclick=\"out.textContent='Chosen {name}'\">Select"
        "</button></tr>"
        for name in ("Stefan", "Vera", "Rosa")
    )
)
CARD = """<div><h3>{}</h3><p>21 EUR</p><label>Quantity <input value=0></label>
  <button>Add</button></div>"""
QUESTION = """<fieldset><legend>{}</legend><label><input type=radio name={}>Yes</label>
  <label><input type=radio name={}>No</label></fieldset>"""


def acting(surf: Surfer, site: Site, body: str) -> list[str]:
    told = rows(surf, site, body)
    return [row for row in told if not row.startswith(('text "', "heading"))]


def test_one_of_several_is_told_by_the_title_of_its_row(surf: Surfer, site: Site) -> None:
    assert acting(surf, site, TABLE) == [
        f'button "Select" near "{name}"' for name in ("Stefan", "Vera", "Rosa")
    ]


def test_links_are_told_apart_too(surf: Surfer, site: Site) -> None:
    row = "<tr><td>{}<td><a href=x>Edit</a></tr>"
    assert acting(surf, site, f"<table>{row.format('Vera')}{row.format('Rosa')}</table>") == [
        'link "Edit" near "Vera"',
        'link "Edit" near "Rosa"',
    ]


def test_by_the_title_of_its_card_or_question(surf: Surfer, site: Site) -> None:
    cards = CARD.format("Chair") + CARD.format("Knife")
    questions = QUESTION.format("Do you smoke?", "a", "a") + QUESTION.format("Tea?", "b", "b")
    assert acting(surf, site, cards + questions) == [
        'textbox "Quantity" near "Chair" = "0"',
        'button "Add" near "Chair"',
        'textbox "Quantity" near "Knife" = "0"',
        'button "Add" near "Knife"',
        'radio "Yes" near "Do you smoke?"',
        'radio "No" near "Do you smoke?"',
        'radio "Yes" near "Tea?"',
        'radio "No" near "Tea?"',
    ]


def test_side_by_side_by_what_stands_before(surf: Surfer, site: Site) -> None:
    body = "<div>{}<b>Ada</b><button>Buy</button><b>Bo</b><button>Buy</button></div>"
    expected = ['button "Buy" near "Ada"', 'button "Buy" near "Bo"']
    assert acting(surf, site, body.format("") + "<i>x</i>") == expected
    assert acting(surf, site, body.format("<h2>Guests</h2>")) == expected


def test_boxes_side_by_side_by_what_stands_behind(surf: Surfer, site: Site) -> None:
    body = """<fieldset><legend>Size</legend><input type=radio name=size><span>Small</span>
      <input type=radio name=size><span>Large</span></fieldset>"""
    assert acting(surf, site, body) == [
        'radio "size" near "Small"',
        'radio "size" near "Large"',
    ]


def test_names_come_before_numbers_that_may_change(surf: Surfer, site: Site) -> None:
    row = "<li><b>00:59</b><h3>{}</h3><button>Bid</button></li>"
    body = f"<ul>{row.format('Lamp')}{row.format('Desk').replace('59', '58')}</ul>"
    assert acting(surf, site, body) == ['button "Bid" near "Lamp"', 'button "Bid" near "Desk"']


def test_what_does_not_tell_them_apart_is_not_told(surf: Surfer, site: Site) -> None:
    same = "<div>Offer <button>Buy</button></div>" * 2
    assert acting(surf, site, same) == ['button "Buy"'] * 2
    bare = "<p>Choose</p><button>Buy</button><button>Buy</button>"
    assert acting(surf, site, bare) == ['button "Buy"'] * 2
    either = "<h2>All</h2><button>Play</button><b>One</b><button>Play</button><b>Two</b>"
    assert acting(surf, site, either) == ['button "Play"'] * 2
    unlike = "<header><i>Acme</i> <button>Log in</button></header>{}<footer>{}</footer>".format(
        "<p>Hello</p>", "<i>Press</i> <button>Log in</button>"
    )
    assert acting(surf, site, unlike) == ['button "Log in"'] * 2
    assert acting(surf, site, "<p>Ada</p><button>Buy</button><button>Sell</button>") == [
        'button "Buy"',
        'button "Sell"',
    ]


def test_a_field_without_a_name_is_called_by_what_stands_beside_it(
    surf: Surfer, site: Site
) -> None:
    body = """<p>User name <input></p><p>Password</p><input type=password>
      <div><input type=checkbox> Remember me</div>
      <table><tr><td>Phone<td><input></tr><tr><td>Fax<td><input></tr></table>
      <div><div><input><span>Year</span></div><div><input><span>Genre</span></div></div>"""
    assert acting(surf, site, body) == [
        'textbox "" near "User name" = ""',
        'textbox "" near "Password" = ""',
        'checkbox "" near "Remember me"',
        'textbox "" near "Phone" = ""',
        'textbox "" near "Fax" = ""',
        'textbox "" near "Year" = ""',
        'textbox "" near "Genre" = ""',
    ]
    assert "checked" in surf("check", target="Remember me")
    surf("type", target="fax", text="12", expect={"value": "12"})


def test_of_fields_side_by_side_all_have_it_on_one_side(surf: Surfer, site: Site) -> None:
    assert acting(surf, site, "<div>Year: <input> Genre: <input></div>") == [
        'textbox "" near "Year" = ""',
        'textbox "" near "Genre" = ""',
    ]
    assert acting(surf, site, "<div><input> Year <input> Genre</div>") == [
        'textbox "" near "Year" = ""',
        'textbox "" near "Genre" = ""',
    ]
    assert acting(surf, site, "<p><textarea></textarea><span>0/140</span></p>") == [
        'textbox "" = ""'
    ]


def test_a_link_keeps_its_name_beside_a_box(surf: Surfer, site: Site) -> None:
    row = "<tr><td><input type=checkbox><td><a href='#{0}'>{0}</a></tr>"
    told = acting(surf, site, f"<table>{row.format('Invoice')}{row.format('Letter')}</table>")
    assert told[:2] == ['checkbox "" near "1st checkbox"', 'link "Invoice"']
    assert "#Invoice" in surf("click", target="Invoice")


def test_fields_that_nothing_tells_apart_are_told_by_their_number(
    surf: Surfer, site: Site
) -> None:
    body = """<label>City <input></label><input><input value=b>
      <input type=radio name=size><input type=radio name=size><input type=checkbox>
      <button onclick="document.body.prepend(document.createElement('input'))">More</button>"""
    assert acting(surf, site, body)[:-1] == [
        'textbox "City" = ""',
        'textbox "" near "2nd textbox" = ""',
        'textbox "" near "3rd textbox" = "b"',
        'radio "size" near "1st radio"',
        'radio "size" near "2nd radio"',
        'checkbox ""',
    ]
    ref = surf.ref('textbox "" near "3rd textbox"')
    assert f"{ref}: verified" in surf("type", target="3rd textbox", text="c")
    assert 'near "4th textbox"' in surf("click", target="More")  # it is the same field
    assert f"{ref}: verified" in surf("type", target=ref, text="d")


def test_another_row_in_the_same_element_is_not_used(surf: Surfer, site: Site) -> None:
    cell = "<tr><td>{}<td><button onclick=\"out.textContent='Gone'\">Delete</button></tr>"
    later = """<p id=out></p><script>setTimeout(() => {
      const [a, b] = document.querySelectorAll("td:first-child");
      [a.textContent, b.textContent] = [b.textContent, a.textContent]; }, 1500)</script>"""
    surf.open(site.put(f"<table>{cell.format('Vera')}{cell.format('Rosa')}</table>{later}"))
    ref = surf.ref('button "Delete" near "Vera"')
    time.sleep(1.6)
    with pytest.raises(ToolError, match='stale: .*"Vera" e.* is another one now, .*"Rosa" e'):
        surf("click", target=ref)
    assert "click button" in surf("click", target="Delete near Vera")


def test_it_is_used_by_its_name_and_what_stands_near(surf: Surfer, site: Site) -> None:
    surf.open(site.put(TABLE))
    surf("click", target="select near vera", expect={"text": "Chosen Vera"})
    with pytest.raises(ToolError, match='ambiguous: 3 .*button "Select" near "Stefan" e'):
        surf("click", target="Select")
    with pytest.raises(ToolError, match='Similar: button "Select" near "Vera"'):
        surf("click", target="Select near Ver")


def test_through_shadow_roots(surf: Surfer, site: Site) -> None:
    body = """<x-card title=Ada></x-card><x-card title=Bo></x-card><script>
      customElements.define("x-card", class extends HTMLElement { connectedCallback() {
        this.attachShadow({mode: "open"}).innerHTML = `<b>${this.title}</b><p><button>Buy</button>`;
      }})</script>"""
    assert acting(surf, site, body) == ['button "Buy" near "Ada"', 'button "Buy" near "Bo"']
