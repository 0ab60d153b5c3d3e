"""What is kept of an element, and whether it is found again by it."""

from __future__ import annotations

from typing import Any

import pytest

from mllm.content import Record
from tests.tools.gui.conftest import Site, Surfer
from tests.tools.gui.rows import reference
from tools.gui.deeds import Deed
from tools.gui.locators import Anchor, locate

FIELD = "<label>Name <input data-testid=who placeholder=Ada></label>"


def deed(surf: Surfer, **action: Any) -> Deed:
    parts = surf.browser.call({"action": action}, surf.context)
    (record,) = (part for part in parts if isinstance(part, Record))
    return Deed.model_validate(record.data)


def found(surf: Surfer, anchor: Anchor) -> str:
    async def look() -> str:
        return await locate(anchor, await surf.browser.session.view())

    return surf.browser.session.call(look, 10, "finding")


def test_words_before_ids_and_no_way_through_the_document(surf: Surfer, site: Site) -> None:
    surf.open(site.put(FIELD))
    done = deed(surf, name="type", target="Name", text="Grace")
    kept = done.anchors["target"].found
    assert [one.by for one in kept] == ["role", "label", "placeholder", "test_id"]
    assert done.verdict == "verified" and done.held is not None and done.held.value == "Grace"
    surf.open(site.put(f"<p>new</p><section>{FIELD.replace('Name', 'Your name')}</section>"))
    assert found(surf, done.anchors["target"]) == surf.ref('textbox "Your name"')


def test_twins_are_told_apart_by_their_place_which_is_not_robust(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button>Go</button><button onclick=\"title = 'x'\" id=b17>Go</button>"))
    target = reference(surf.look().splitlines()[2])
    (first, *_) = deed(surf, name="click", target=target).anchors["target"].found
    assert (first.by, first.nth, first.robust) == ("role", 1, False)


def test_a_name_that_is_gone_is_not_found_by_its_old_place(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button>Keep</button><button onclick='this.blur()'>Delete</button>"))
    kept = deed(surf, name="hover", target="Delete").anchors["target"]
    assert found(surf, kept)
    surf.open(site.put("<button>Keep</button><button>Erase all</button>"))
    assert found(surf, kept) == ""


@pytest.mark.parametrize("secret", ["PIN", "PASSWORD"])
def test_what_shows_a_secret_is_found_without_it(surf: Surfer, site: Site, secret: str) -> None:
    from tests.tools.gui.conftest import SECRETS

    value = SECRETS[secret]
    surf.open(site.put(f"<button onclick='this.blur()' id=mine>Send {value} now</button>"))
    done = deed(surf, name="hover", target=f"Send <secret:{secret}> now")
    assert value not in done.model_dump_json()
    assert [one.value for one in done.anchors["target"].found] == ["#mine"]
