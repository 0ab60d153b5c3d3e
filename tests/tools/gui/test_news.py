"""What changed on a page is told with whatever comes of an action."""

from __future__ import annotations

import time

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.gui import view
from tools.gui.observation import BUDGET, read
from tools.gui.wish import PIECE
from tools.protocol import ToolError

MORE = "and 30 more, not shown: scroll, or find them by their words"
OFFER = """<button id=buy>Buy</button><p id=old>Cups are in stock</p>
  <label>Name <input id=f></label><script>f.onfocus = () => {
    f.blur(); old.remove(); buy.disabled = true;
    document.body.insertAdjacentHTML("beforeend", "<div role=dialog><h2>Offer</h2>ROWS</div>");
  }</script>"""


def failed(surf: Surfer, name: str, **arguments: str) -> list[str]:
    """The lines of the failure."""
    with pytest.raises(ToolError) as failure:
        surf(name, **arguments)
    return str(failure.value).splitlines()


def test_a_failure_tells_what_is_new_changed_and_gone(surf: Surfer, site: Site) -> None:
    surf.open(site.put(OFFER.replace("ROWS", "<button>Close</button>")))
    gone = surf.ref("Cups")
    first, *news = failed(surf, "type", target="Name", text="Ada")
    assert first.startswith("no_effect: textbox ") and first.endswith("so nothing was typed.")
    told = "\n".join(news)
    assert news[0].startswith('page "Test"') and f"gone {gone}" in news
    assert 'changed button "Buy" disabled' in told and 'new button "Close"' in told
    assert failed(surf, "click", target="Nothing") == [
        "not_found: nothing on the page is called 'Nothing'. Look at the page, or scroll."
    ]
    assert "as before" in surf("hover", target="Close")  # all of it is told


def test_what_a_failure_tells_is_not_cut(surf: Surfer, site: Site) -> None:
    rows = "".join(f"<button>Offer number {n}</button> " for n in range(200))
    surf.open(site.put(OFFER.replace("ROWS", rows)))
    *lines, last = failed(surf, "type", target="Name", text="Ada")
    assert len("\n".join((*lines, last))) <= PIECE
    assert any('new button "Offer number 5"' in line for line in lines)
    assert last.endswith("more, not shown: scroll, or find them by their words")


def test_a_failure_on_a_page_as_it_was_told_is_one_line(surf: Surfer, site: Site) -> None:
    rows = "".join(f"<button>A rather long name of number {n}</button> " for n in range(300))
    said = surf.open(site.put(f"<style>button{{font:3px serif}}</style>{rows}"))
    assert "more, not shown" in said
    for target in ("Nothing", "e999999"):
        assert len(failed(surf, "click", target=target)) == 1


def test_what_an_action_causes_is_told_within_the_budget(surf: Surfer, site: Site) -> None:
    page = """<button onclick="for (let i = 0; i < 300; i++) fetch(`{{evil}}${i}/${'x'.repeat(90)}`)
      .catch(() => 0); document.body.append('Done')">Count</button>"""
    surf.open(site.put(site.filled(page)))
    said = surf("click", target="Count")
    assert len(said.encode()) <= BUDGET and "more characters are left out" in said


def test_a_document_that_is_late_keeps_its_numbers(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "FRAME_PATIENCE", 0.3)
    monkeypatch.setattr(view, "SILENCE", 0.1)
    slow = site.put(
        "<button>Busy</button><script>onmessage = () => { const end = Date.now() + 1500;"
        "document.body.insertAdjacentHTML('beforeend', '<button>Frame</button>');"
        "while (Date.now() < end); }</script>"
    ).replace("127.0.0.1", "localhost")
    surf.open(
        site.put(
            f"<iframe src='{slow}'></iframe><button onclick=\"frames[0].postMessage(1, '*');"
            "document.body.insertAdjacentHTML('beforeend', '<button>Main</button>')\">Both</button>"
        )
    )
    surf("click", target="Both")
    time.sleep(2)
    rows = [e for e in map(read, surf.look().splitlines()) if e]
    assert {"Main", "Frame"} <= {e.name for e in rows}
    assert len({e.ref for e in rows}) == len(rows)


def test_new_rows_out_of_view_are_counted(surf: Surfer, site: Site) -> None:
    page = """<button onclick="for (let n = 0; n < 40; n++) document.body.insertAdjacentHTML(
      'beforeend', `<p style='margin:${n === 10 ? 900 : 0}px 0 0'>Row ${n}`)">More</button>"""
    surf.open(site.put(page))
    said = surf("click", target="More").splitlines()
    assert sum(line.startswith("new text") for line in said) == 10
    assert said[-1] == MORE
    assert "more, not shown" not in surf("hover", target="More")


def test_rows_in_another_order_are_told(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<h1>Sort</h1><ul id=l><li>Ada<li>Bo<li>Cy<li>Di</ul><button onclick="
            "'l.insertBefore(l.children[2],l.children[1])'>Swap</button>"
            "<button onclick='l.prepend(document.createElement(`hr`))'>Line</button><p>End</p>"
        )
    )
    refs = {name: surf.ref(name) for name in ("Ada", "Bo", "Cy", "Di")}
    said = surf("click", target="Swap")
    rows = [line for line in said.splitlines() if line.startswith("moved ")]
    assert rows == [f'moved text "Cy" {refs["Cy"]}', f'moved text "Bo" {refs["Bo"]}']
    assert 'text "Ada"' not in said and 'text "Di"' not in said
    assert "moved" not in surf("click", target="Line")
