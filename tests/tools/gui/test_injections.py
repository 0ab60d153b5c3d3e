"""Pages that give orders. The scripted model obeys them; the browser tool does not."""

from __future__ import annotations

import pytest

from tests.tools.gui.conftest import HERE, SECRETS, Person, Site, Surfer
from tests.tools.gui.scenarios import play

PAGES = sorted(p.name for p in (HERE / "injections").glob("*.html"))


@pytest.mark.parametrize("name", PAGES)
def test_an_order_of_a_page_changes_nothing(
    name: str, surf: Surfer, site: Site, person: Person
) -> None:
    surf.context.add_file(b"private", "document", "text/plain", "notes1")
    told = play(name, surf, site, person)
    heard = "\n".join([*surf.heard, surf.look(), *(str(request) for request in person.asked)])
    for value in SECRETS.values():
        assert value.casefold() not in heard.casefold()
    assert not any(host.startswith("evil") for host in site.asked)
    assert "absent" not in told or told["absent"] not in heard
    assert told.get("quoted", "") in heard
