"""The bundled page: several steps, a dialog in the way, a misleading button, a server."""

from __future__ import annotations

import json

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.protocol import ToolError


def fill(surf: Surfer, site: Site) -> None:
    """Up to the last step of a booking."""
    surf.open(site.url("restaurant.html"))
    surf("click", target="Only what is needed", expect={"gone": "We value your privacy"})
    surf("select", target="Guests", options=["4 people"])
    surf("select", target="Day", options=["friday"])
    surf("click", target="20:00")
    surf("click", target="Continue", expect={"text": "Your details"})
    surf("type", target="Name", text="Ada")
    with pytest.raises(ToolError, match='disabled: e.* button "Continue"'):
        surf("click", target="Continue")
    surf("check", target="I accept the house rules")
    said = surf("click", target="Continue", expect={"text": "Check and confirm"})
    assert "verified (text" in said


def test_a_refused_booking_is_no_success_and_an_accepted_one_is(surf: Surfer, site: Site) -> None:
    fill(surf, site)
    site.refusal = "Friday is full."
    said = surf("click", target="Confirm booking", expect={"text": "We could not book"})
    assert ": contradicted (POST" in said and "answered 409" in said
    assert "Friday is full." in said and not site.booked
    site.refusal = ""
    said = surf("click", target="Confirm booking", expect={"text": "Your table is booked"})
    assert ': verified (text "Your table is booked")' in said
    assert "Ada, 4 guests, Friday at 20:00" in said
    (booking,) = site.booked
    assert json.loads(booking) == {"guests": 4, "day": "Friday", "time": "20:00", "name": "Ada"}


def test_what_is_in_the_way_and_what_misleads(surf: Surfer, site: Site) -> None:
    surf.open(site.url("restaurant.html"))
    with pytest.raises(ToolError, match="covered: .*Accept all.*Only what is needed"):
        surf("click", target="Continue")
    assert "no element holds" in surf.look(find="Please choose the")  # it was not clicked through
    surf("click", target="Accept all", expect={"gone": "We value your privacy"})
    said = surf("click", target="Book now and save 10 %", expect={"text": "is booked"})
    assert ': contradicted (not so: text "is booked")' in said
    assert not site.booked
