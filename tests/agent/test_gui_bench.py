"""The gui bench: what it counts, what it refuses to count, and a page of 6,000 elements."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.bench import gui
from agent.bench.drivers.gui_task import PAGES, Script
from tools.gui.observation import BUDGET


@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
def test_corvid_on_a_page_of_6000_elements() -> None:
    pytest.importorskip("playwright", reason="the extra gui is not installed")
    result = gui.run(("table",), systems=("corvid",), repetitions=1)
    assert json.loads(json.dumps(result)) == result
    assert (result["suite"], result["model"]) == ("gui", "scripted")
    row = {name: metric["value"] for name, metric in result["rows"]["corvid"].items()}
    names, alone = {"ms_step", "prompt_chars"}, {"observation_bytes.table", "schema_chars"}
    assert set(row) == names | {f"{n}.table" for n in names} | alone
    assert 1000 < row["observation_bytes.table"] <= BUDGET < row["prompt_chars"]
    assert row["ms_step"] == row["ms_step.table"] > 0


def test_peers_that_cannot_be_installed_have_rows_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corvid").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = gui.run(systems=("browser_use", "browsergym"))["rows"]
    assert set(rows) == {"browser_use", "browsergym"}
    assert all("cannot be installed" in row["error"] for row in rows.values())


def test_a_page_counts_only_when_all_of_it_was_done() -> None:
    moves, proof = PAGES["shop"]
    script = Script("shop")
    for move in moves:
        script.arrive()
        assert script.move("a prompt", "seen", "{}") == move
        script.leave()
    with pytest.raises(AssertionError, match="of 4 steps"):
        script.figures()
    script.arrive()
    with pytest.raises(AssertionError, match="does not say"):
        script.move("Nothing was ordered.", "")
    assert script.move(f"> {proof}", "") is None
    figures = script.figures()
    assert figures["chars"] == [len("a prompt{}")] * 4
    assert (figures["schema"], figures["bytes"]) == (2, len("seen"))
    assert len(figures["ms"]) == 4


@pytest.mark.parametrize("page", PAGES)
def test_every_page_lies_beside_the_drivers(page: str) -> None:
    folder = Path(gui.__file__).parent / "drivers" / "pages"
    text = (folder / f"{page}.html").read_text("utf-8")
    assert "<title>" in text
