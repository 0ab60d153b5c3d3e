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
    with pytest.raises(ToolError, match='disabled: .*button "Continue".*"I accept the house'):
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
    with pytest.raises(ToolError, match="^not_done: .*contradicted: POST .*answered 409"):
        surf("done", evidence=[{"text": "Check and confirm"}])
    site.refusal = ""
    said = surf("click", target="Confirm booking", expect={"text": "Your table is booked"})
    assert ': verified (text "Your table is booked")' in said
    assert "Ada, 4 guests, Friday at 20:00" in said
    assert ": verified" in surf("done", evidence=[{"text": "Your table is booked"}])
    (booking,) = site.booked
    assert json.loads(booking) == {"guests": 4, "day": "Friday", "time": "20:00", "name": "Ada"}


def test_what_is_in_the_way_is_refused_not_agreed_to(surf: Surfer, site: Site) -> None:
    surf.open(site.url("restaurant.html"))
    said = surf("click", target="Continue", expect={"text": "Please choose the number of guests"})
    assert "recovered from covered: clicked button" in said and '"Only what is needed"' in said
    assert ": verified (text" in said


def test_the_button_that_misleads_is_no_success(surf: Surfer, site: Site) -> None:
    surf.open(site.url("restaurant.html"))
    said = surf("click", target="Book now and save 10 %", expect={"text": "is booked"})
    assert ': contradicted (not so: text "is booked")' in said
    with pytest.raises(ToolError, match="^not_done: .*contradicted: not so: text .*is booked"):
        surf("done", evidence=[{"text": "Your table is booked"}])
    assert not site.booked
