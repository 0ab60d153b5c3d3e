"""What a call may be, given the page as the model was told of it."""

from __future__ import annotations

import time
from typing import Any

import jsonschema
import pytest

from tests.tools.gui.conftest import Site, Surfer

PAGE = """<label>Name <input id=name></label> <label>Age <input type=number></label>
  <label><input type=checkbox>I agree</label>
  <label>Day <select><option>Friday<option>Sunday</select></label>
  <button>Cup</button> <button>Cup</button> <button onclick="this.remove()">Hide me</button>
  <p>Cups are in stock</p>"""


@pytest.fixture
def schema(surf: Surfer, site: Site) -> dict[str, Any]:
    surf.open(site.put(PAGE))
    return possible(surf)


def possible(surf: Surfer) -> dict[str, Any]:
    found = surf.browser.possible(surf.context.run)
    assert found is not None
    return found


def fits(schema: dict[str, Any], name: str, **arguments: Any) -> bool:
    called = {"action": {"name": name, **arguments}}
    return jsonschema.Draft202012Validator(schema).is_valid(called)


def test_a_target_is_there(schema: dict[str, Any], surf: Surfer) -> None:
    assert fits(schema, "click", target="Hide me") and fits(schema, "click", target="I agree")
    assert fits(schema, "click", target=surf.ref("Hide me"))
    assert fits(schema, "scroll", direction="up")
    assert not fits(schema, "click", target="Show me") and not fits(schema, "click", target="e9999")
    assert not fits(schema, "click", target="Cup")  # two are called so: their references tell
    assert fits(schema, "goto", url="x.example")


def test_an_action_takes_what_it_is_for(schema: dict[str, Any]) -> None:
    assert fits(schema, "type", target="Name", text="x") and fits(schema, "clear", target="Age")
    assert not any(fits(schema, "type", target=t, text="x") for t in ("Hide me", "Day", "I agree"))
    assert fits(schema, "check", target="I agree") and not fits(schema, "check", target="Name")
    assert fits(schema, "select", target="Day", options=["Sunday"])
    assert not fits(schema, "select", target="Day", options=["Monday"])
    assert not fits(schema, "select", target="Name", options=["Sunday"])


def test_a_long_list_is_told_in_part_and_may_be_chosen_from_whole(surf: Surfer, site: Site) -> None:
    days = "".join(f"<option>{n}</option>" for n in range(1, 45))
    lands = "".join(f"<option>Land {n}</option>" for n in range(1, 250))
    said = surf.open(
        site.put(
            f"<label>Nights <select>{days}</select></label>"
            f"<label>Land <select>{lands}<option>Zimbabwe</select></label>"
        )
    )
    first = "|".join(f"Land {n}" for n in range(1, 41))[:160]
    assert f' of "{first}" e' in said and '|39|40" e' in said  # as models learnt rows
    assert fits(possible(surf), "select", target="Land", options=["Zimbabwe"])
    assert 'of "Zimbabwe" e' in surf.look(find="zimbabwe")
    assert 'of "Land 77|Land 177" e' in surf.look(find="77")
    assert f' of "{first}" e' in surf.look(find="land 1|land 2|")  # a row as it is told
    assert "Land 249" in surf.look(find="land")
    said = surf("extract", target="Land")
    assert "(it holds 'Land 1')" in said and said.partition("> Land 249")[2].startswith("\n> Zimb")
    assert "changed" not in said
    said = surf("select", target="Land", options=["Zimbabwe"])
    assert "verified (it holds 'Zimbabwe')" in said and f'of "{first}" e' in said


def test_points_lie_on_screenshots(schema: dict[str, Any], surf: Surfer) -> None:
    assert not fits(schema, "click", target="screen1:10,20")  # none was taken
    surf.look()
    assert fits(possible(surf), "click", target="screen1:10,20")
    assert not fits(possible(surf), "click", target="e2:10,20")


def test_it_follows_what_was_told(schema: dict[str, Any], surf: Surfer, site: Site) -> None:
    surf("click", target="Hide me")
    assert not fits(possible(surf), "click", target="Hide me")
    surf.open(site.put("<p>Nothing to fill in"))
    assert not fits(possible(surf), "type", target="Name", text="x")
    assert fits(possible(surf), "done", evidence=[{"text": "Nothing"}])


def test_what_was_looked_for_can_be_used(surf: Surfer, site: Site) -> None:
    late = "document.body.insertAdjacentHTML('beforeend', '<button>Late</button>')"
    surf.open(site.put(f"<p>Wait</p><script>setTimeout(() => {late}, 1500)</script>"))
    end = time.monotonic() + 20
    while 'button "Late"' not in surf.look(find="Late") and time.monotonic() < end:
        assert not fits(possible(surf), "click", target="Late")
    assert fits(possible(surf), "click", target="Late")


def test_another_run_was_told_nothing(schema: dict[str, Any], surf: Surfer) -> None:
    assert surf.browser.possible("another") is None
