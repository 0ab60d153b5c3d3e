"""Tabs, the claim to be done, and loops, apart from what the fault pages show."""

from __future__ import annotations

import pytest

from tests.tools.conftest import Context
from tests.tools.gui.conftest import Site, Surfer
from tools.gui.session import TABS
from tools.protocol import ToolError


def test_tabs_are_listed_switched_and_closed(surf: Surfer, site: Site) -> None:
    there = site.put("<p>Other tab")
    surf.open(site.put(f"<a href='{there}' target=_blank>Open</a><p>First tab"))
    first = surf.ref('"Open"')
    said = surf("click", target="Open", expect={"text": "Other tab"})
    assert "a new tab is in front" in said
    with pytest.raises(ToolError, match=f"^not_found: {first} is in another tab; switch to t"):
        surf("click", target=first)
    rows = [row for row in surf("tabs").splitlines() if row.startswith("t") and '"Test"' in row]
    assert len(rows) == 2 and rows[1].endswith("(in front)")
    tab = rows[0].split()[0]
    said = surf("tabs", do="switch", tab=tab)
    assert f"switch to {tab}: verified" in said and '"First tab"' in said
    with pytest.raises(ToolError, match="^not_found: there is no tab t0; open are: t"):
        surf("tabs", do="switch", tab="t0")
    assert '"Other tab"' in surf("tabs", do="close", tab=tab)
    with pytest.raises(ToolError, match="^wrong_kind: .* is the only tab"):
        surf("tabs", do="close")


def test_a_page_cannot_open_tabs_without_end(surf: Surfer, site: Site) -> None:
    page = (
        "<button onclick='for (let i = 0; i < 20; i++) window.open(\"about:blank\")'>Flood</button>"
    )
    surf.open(site.put(page))
    said = surf("click", target="Flood")
    assert f"{TABS} tabs are open already" in said
    listed = surf("tabs")
    assert f"tabs: verified ({TABS} open)" in listed
    mine = next(row.split()[0] for row in listed.splitlines() if '"Test"' in row)
    assert "Flood" in surf("tabs", do="switch", tab=mine)
    while "1 open" not in surf("tabs"):
        other = next(
            row.split()[0]
            for row in surf("tabs").splitlines()
            if "about:blank" in row and row.startswith("t")
        )
        surf("tabs", do="close", tab=other)


def test_a_tab_that_leads_elsewhere_is_no_tab(surf: Surfer, site: Site) -> None:
    surf.open(site.put(f"<button onclick=\"window.open('{site.evil()}')\">Open</button>"))
    with pytest.raises(ToolError, match="^refused: .*evil.localhost is denied"):
        surf("click", target="Open")
    assert "tabs: verified (1 open)" in surf("tabs")


def test_looking_at_a_page_is_told_apart_from_doing_something(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p>Open from six"))
    with pytest.raises(ToolError, match='^not_done: .*contradicted: not so: text "from five"'):
        surf("done", evidence=[{"text": "from five"}])
    surf("hover", target="Open from six")
    with pytest.raises(ToolError, match="^not_done: .*unverified: .*nothing was acted on"):
        surf("done", evidence=[{"text": "Open from six"}])


def test_fields_are_evidence_by_their_values(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<label>Name <input></label><label>City <input value=Rome></label>"))
    with pytest.raises(ToolError, match="^not_done: "):
        surf("done", evidence=[{"value": "Ada", "target": "Name"}])
    surf("type", target="Name", text="Ada")
    with pytest.raises(ToolError, match="^not_done: .*unverified: .* before anything was done"):
        surf("done", evidence=[{"value": "Rome", "target": "City"}])
    facts = [{"value": "Rome", "target": "City"}, {"value": "Ada", "target": "Name"}]
    assert "done: verified" in surf("done", evidence=facts)


def test_what_comes_back_as_it_was_is_no_evidence(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p id=p>Prices</p><button onclick='p.hidden = !p.hidden'>Turn</button>"))
    surf("click", target="Turn", expect={"gone": "Prices"})
    assert "done: verified" in surf("done", evidence=[{"gone": "Prices"}])
    surf.open(site.put("<p id=p>Prices</p><button onclick='p.hidden = !p.hidden'>Turn</button>"))
    for _ in range(2):
        surf("click", target="Turn")
    for fact in ({"text": "Prices"}, {"gone": "Costs"}, {"gone": "e999999"}, {"url": "html"}):
        with pytest.raises(ToolError, match="^not_done: .*unverified"):
            surf("done", evidence=[fact])


def test_a_page_that_was_opened_proves_nothing_and_one_that_an_action_led_to_does(
    surf: Surfer, site: Site
) -> None:
    close = "<button onclick='this.remove()'>Close</button>"
    booked = site.put(f"<h1>Booked</h1>{close}")
    first = site.put(f"<a href='{booked}'>Book</a>{close}")
    surf.open(first)
    surf("click", target="Close")
    surf.open(booked)  # nobody booked
    surf("click", target="Close")
    with pytest.raises(ToolError, match="^not_done: .*unverified: .*before anything was done"):
        surf("done", evidence=[{"text": "Booked"}])
    other = Surfer(surf.browser, Context(surf.context.media))
    other.open(first)
    other("click", target="Book")
    other("click", target="Close")
    assert "done: verified" in other("done", evidence=[{"text": "Booked"}])


def test_another_run_begins_with_nothing_claimed_tried_or_told(
    surf: Surfer, site: Site, context: Context
) -> None:
    surf.open(site.put("<body onmousedown='event.preventDefault()'><button>Dead</button>"))
    for _ in range(2):
        with pytest.raises(ToolError, match="^no_effect"):
            surf("click", target="Dead")
    with pytest.raises(ToolError, match="^loop: click Dead was done twice"):
        surf("click", target="Dead")
    other = Surfer(surf.browser, Context(context.media))
    with pytest.raises(ToolError, match="^no_effect"):
        other("click", target="Dead")


def test_the_same_action_on_a_changed_page_is_no_loop(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button onclick='out.textContent += 1'>More</button><p id=out>"))
    for _ in range(5):
        surf("click", target="More")
    assert '"11111"' in surf.look()


def test_reading_the_same_again_is_a_loop(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p>Nothing new"))
    for _ in range(2):
        surf("extract")
    with pytest.raises(ToolError, match="^loop: "):
        surf("extract")
