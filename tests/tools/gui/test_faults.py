"""Pages on which something goes wrong: verified success or a typed failure, never a false one."""

from __future__ import annotations

import pytest

from tests.tools.gui.conftest import HERE, Person, Site, Surfer, bundled
from tests.tools.gui.scenarios import play

PAGES = sorted(p.name for p in (HERE / "faults").glob("*.html") if "<!-- {" in bundled(p.name))


@pytest.mark.parametrize("name", PAGES)
def test_a_fault_ends_as_it_must(name: str, surf: Surfer, site: Site, person: Person) -> None:
    play(name, surf, site, person)
