"""The browser and its thread: large pages, pages that hang, browsers that die."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.tools.gui.conftest import Site, Surfer, browsers
from tools.gui import attempt, perform, session, view
from tools.protocol import ToolError


def test_six_thousand_elements_stay_within_the_budget(surf: Surfer, site: Site) -> None:
    cells = "".join(f"<button>Seat {n}</button>" for n in range(6000))
    said = surf.open(site.put(cells))
    assert len(said.encode()) <= 8192
    assert '"Seat 7"' in said and "more, not shown" in said
    assert '"Seat 5432"' in surf.look(find="seat 5432")
    with pytest.raises(ToolError, match="^not_found: there is no element e999999"):
        surf.look(after="e999999")


def test_texts_fit_into_the_pieces_that_a_run_does_not_shorten(surf: Surfer, site: Site) -> None:
    surf.open(site.put("".join(f"<p>Paragraph {n} {'x' * 60}" for n in range(300))))
    parts = surf.browser.page.call({}, surf.context)
    texts = [p.text for p in parts if hasattr(p, "text")]
    assert len(texts) > 1 and all(len(text) <= 4000 for text in texts)


def test_calls_come_from_any_thread_one_at_a_time(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button onclick='this.textContent = +this.textContent + 1'>0</button>"))
    ref = surf.ref("button")
    threads = [
        threading.Thread(target=surf, args=("click",), kwargs={"target": ref}) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'button "3"' in surf.look(find="button")


def test_a_page_that_hangs_is_told_and_left(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    surf.open(site.put("<button onclick='for(;;);'>Freeze</button>"))
    monkeypatch.setattr(attempt, "PATIENCE", 0.6)
    monkeypatch.setattr(view, "PATIENCE", 0.3)
    monkeypatch.setattr(perform, "ALIVE", 0.2)
    with pytest.raises(ToolError, match="^timeout: "):
        surf("click", target="Freeze")
    with pytest.raises(ToolError, match="^timeout: the page does not answer"):
        surf.look()
    alive = site.put("<p>Alive")
    monkeypatch.setattr(view, "PATIENCE", 5.0)
    monkeypatch.setattr(attempt, "PATIENCE", 20.0)
    assert "Alive" in surf.open(alive)


def test_a_killed_browser_is_told_and_replaced(surf: Surfer, site: Site) -> None:
    page = site.put("<button onclick='this.textContent=1'>Go</button>")
    surf.open(page)
    for process in browsers():
        os.kill(process, signal.SIGKILL)
    with pytest.raises(ToolError, match="^crashed: .*goto"):
        surf("click", target="Go")
    with pytest.raises(ToolError, match="no page is open. Begin with goto"):
        surf.look()
    assert 'button "Go"' in surf.open(page)


def test_a_browser_that_hangs_is_ended_and_replaced(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = site.put("<button>Go</button>")
    surf.open(page)
    stopped = browsers()
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    with monkeypatch.context() as quick:
        quick.setattr(attempt, "PATIENCE", 0.6)
        quick.setattr(view, "PATIENCE", 0.3)
        quick.setattr(perform, "ALIVE", 0.2)
        quick.setattr(session, "HANGS", 0.5)
        try:
            with pytest.raises(ToolError, match="^crashed: the browser did not answer .*goto"):
                surf.open(page)
        finally:
            for process in stopped & browsers():
                os.kill(process, signal.SIGCONT)
    with pytest.raises(ToolError, match="no page is open. Begin with goto"):
        surf.look()
    assert 'button "Go"' in surf.open(page)
    assert stopped.isdisjoint(browsers())


def test_a_tab_that_hangs_among_as_many_as_may_be_is_a_failure_that_says_so(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = site.put("<button onclick='for(;;);'>Freeze</button>")
    surf.open(alive)
    with monkeypatch.context() as quick:
        quick.setattr(session, "TABS", 1)
        quick.setattr(view, "PATIENCE", 0.3)
        quick.setattr(attempt, "PATIENCE", 0.6)
        quick.setattr(perform, "ALIVE", 0.2)
        with pytest.raises(ToolError, match="^timeout: "):
            surf("click", target="Freeze")
        quick.setattr(attempt, "PATIENCE", 20.0)
        with pytest.raises(ToolError, match="^failed: 1 tabs are open .*close one with tabs"):
            surf.open(alive)
    assert "Freeze" in surf.open(alive)
