"""Evidence can be looked up: its artifact is in the run folder, its box inside, its mark drawn.

Every run of the demo is walked, as nano does it, and a run that has what the demo may not have: a
second picture, a claim about a line of text, one that nothing was found for.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from agent import Agent, log, store
from agent.cli import app
from agent.demo import examples
from agent.events import Observed
from agent.result import Run
from agent.store import MediaStore
from mllm.backends.scripted import Scripted
from mllm.content import Artifact
from mllm.data.scenes import render, sample_scene
from tests.agent.helpers import call, calls
from tests.tools.gui.conftest import Site, server, site
from tools import Browser, Detect, ReadText

__all__ = ["server", "site"]  # fixtures

Rectangle = tuple[float, ...]
"""x, y, width, height in pixels, as a report rounds them."""


class Page(HTMLParser):
    """The pictures that a report embeds, and what is drawn on each for which claim or row."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.embedded: dict[str, Image.Image] = {}
        self.drawn: defaultdict[str, set[tuple[str, Rectangle]]] = defaultdict(set)
        """By claim: the picture's key and the rectangle."""
        self.shown: defaultdict[str, set[str]] = defaultdict(set)
        """By run: keys of the pictures beside the answer."""
        self._key = self._run = ""
        self._links: list[str] = []
        self._gallery = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        match tag:
            case "article":
                self._run = about["id"]
            case "div" if "class" in about:
                if about["class"] in ("gallery", "verdict"):
                    self._gallery = about["class"] == "gallery"
            case "symbol":
                self._key = about["id"]
            case "image":
                data = base64.b64decode(about["href"].partition("base64,")[2])
                self.embedded[self._key] = Image.open(io.BytesIO(data))
            case "use":
                self._key = about["href"].removeprefix("#")
                if self._gallery:
                    self.shown[self._run].add(self._key)
            case "g":
                self._links = about.get("data-link", "").split()
            case "rect":
                corners = tuple(float(about[n]) for n in ("x", "y", "width", "height"))
                for link in self._links:
                    self.drawn[link].add((self._key, corners))

    def handle_endtag(self, tag: str) -> None:
        if tag == "g":
            self._links = []


def as_json(run: Run) -> Any:
    """What `corvid run --json` printed, or would have: that of a run that is done."""
    said = CliRunner().invoke(app, ["resume", run.id, "--runs", str(run.folder.parent), "--json"])
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def artifacts(run: Run) -> dict[str, Artifact]:
    """Everything that the run's record names."""
    events = [e for e in log.read(run.folder) if isinstance(e, Observed)]
    found = [*store.info(run).inputs, *(a for event in events for a in event.artifacts)]
    return {artifact.id: artifact for artifact in found}


def check(run: Run, page: Page, key: str) -> list[dict[str, Any]]:
    """That all evidence of the run resolves. ``key`` is the run's in the report. Returns it."""
    result, known, media = as_json(run), artifacts(run), MediaStore(run.folder)
    assert Path(result["run"]) == run.folder
    found: list[dict[str, Any]] = []
    for claim in result["claims"]:
        found += claim["evidence"]
        assert claim["verdict"] in ("supported", "corrected", "unsupported")
        assert claim["evidence"] or claim["verdict"] == "unsupported"
        marks = set()
        for evidence in claim["evidence"]:
            artifact, box = known[evidence["artifact"]], evidence["box"]
            picture = f"m-{artifact.sha256[:16]}"
            assert media.image(artifact).size == (artifact.width, artifact.height)
            assert page.embedded[picture].size == (artifact.width, artifact.height)
            assert picture in page.shown[key]
            if box is not None:
                assert box["artifact"] == artifact.id
                assert (box["width"], box["height"]) == (artifact.width, artifact.height)
                assert 0 <= box["x0"] < box["x1"] <= box["width"]
                assert 0 <= box["y0"] < box["y1"] <= box["height"]
                marks.add((picture, rectangle(box)))
        assert page.drawn[f"{key}-{claim['id']}"] == marks
    ids = [evidence["id"] for evidence in found]
    assert len(ids) == len(set(ids))
    assert result["evidence"] == found
    return found


def rectangle(box: dict[str, Any]) -> Rectangle:
    x0, y0, x1, y1 = (box[corner] for corner in ("x0", "y0", "x1", "y1"))
    return tuple(round(n, 1) for n in (x0, y0, x1 - x0, y1 - y0))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The runs' folder of a demo, and its report."""
    runs = tmp_path_factory.mktemp("demo")
    said = CliRunner().invoke(app, ["demo", "--runs", str(runs)])
    assert said.exit_code == 0, said.output
    (report,) = runs.glob("demo-*.html")
    yield runs, report


def test_nano_answers_the_demo(demo: tuple[Path, Path]) -> None:
    made = sorted(store.every(demo[0]), key=lambda run: store.info(run).created)
    truths = ("3 purple", "4P1B", "4只", "green", "Yes", "cannot tell")
    for run, truth in zip(made, truths, strict=True):
        assert truth in as_json(run)["answer"]
    chains = [[call["name"] for s in as_json(run)["steps"] for call in s["calls"]] for run in made]
    assert ["detect", "select"] in chains, "one needs two tools in sequence"


def test_all_evidence_of_the_demo_resolves(demo: tuple[Path, Path]) -> None:
    runs, report = demo
    made = sorted(store.every(runs), key=lambda run: store.info(run).created)
    assert [store.info(run).task for run in made] == [example.task for example in examples()]
    page = Page(report)
    found = [check(run, page, f"run{number}") for number, run in enumerate(made, 1)]
    assert sum(any(e["box"] for e in one) for one in found) >= 3, "there was something to check"


def test_a_run_has_the_same_evidence_in_a_report_of_its_own(demo: tuple[Path, Path]) -> None:
    runs, _ = demo
    for run in store.every(runs):
        check(run, Page(run.report()), "run1")


def test_evidence_of_every_kind_resolves(tmp_path: Path) -> None:
    """Claims on two pictures: of a thing, of words, of absence, and one with nothing to show."""
    first, second = (render(sample_scene(1_000_003, index, style="twemoji")) for index in (3, 575))
    drafts = [
        {"kind": "count", "object": "cars", "value": "2"},
        {"kind": "text", "object": "sign", "value": "EXIT 28"},
        {"kind": "text", "object": "sign", "value": "QUIET DOWN"},
        {"kind": "existence", "object": "dog", "value": "no"},
        {"kind": "existence", "object": "sphinx", "value": "yes"},
    ]
    script = Scripted(["Look.", "Two cars, two signs and no dog.", json.dumps(drafts)])
    result = Agent(script, [Detect(), ReadText()], runs=tmp_path).run(
        "What is there?", images=[first, second]
    )
    found = check(result.run, Page(result.run.report()), "run1")
    assert found == json.loads(result.model_dump_json())["evidence"]
    assert [len(claim.evidence) for claim in result.claims] == [2, 1, 2, 1, 0]
    assert [e["box"] is None for e in found] == [False] * 5 + [True]
    assert {e["artifact"] for e in found} == {"img1", "img2"}
    assert all(re.fullmatch(r"e\d+", e["id"]) for e in found)


def test_what_an_interface_shows_is_evidence_too(site: Site, tmp_path: Path) -> None:
    """The facts with which a task was done, on the screenshot that shows them."""
    url = site.put(
        "<label>Name <input></label><button onclick=\"document.body.append('Saved for ' + "
        "document.querySelector('input').value)\">Save</button>"
    )
    actions: list[dict[str, Any]] = [
        {"name": "goto", "url": url},
        {"name": "type", "target": "Name", "text": "Ada"},
        {"name": "click", "target": "Save"},
        {"name": "done", "evidence": [{"text": "Saved for Ada"}, {"value": "Ada", "target": "Name"},
                                      {"url": url}]},
    ]  # fmt: skip
    turns = [calls(call("browser", action=action)) for action in actions]
    model = Scripted(["Save.", *turns, "It is saved.", "[]"])
    with Browser(("127.0.0.1",), size=(640, 480)) as browser:
        result = Agent(model, [browser], runs=tmp_path).run("Save it for Ada")
    found = check(result.run, Page(result.run.report()), "run1")
    assert [(claim.kind, claim.verdict) for claim in result.claims] == [("state", "supported")] * 3
    assert [claim.text for claim in result.claims[:2]] == ['text "Saved for Ada"', 'value "Ada"']
    assert [bool(evidence["box"]) for evidence in found] == [True, True, False]
    assert "textbox" in found[1]["element"] and "Saved for Ada" in found[0]["element"]
    assert {evidence["tool"] for evidence in found} == {"browser"}


def test_a_task_whose_words_were_left_out_is_not_proved(site: Site, tmp_path: Path) -> None:
    """The page says "Saved" after the wrong button too."""
    url = site.put(
        "<p id=out></p><button onclick=\"out.textContent='Saved'\">Save</button>"
        "<button onclick=\"out.textContent='Saved'\">Save as draft</button>"
    )
    actions: list[dict[str, Any]] = [
        {"name": "goto", "url": url},
        {"name": "click", "target": "Save"},
        {"name": "done", "evidence": [{"text": "Saved"}]},
        {"name": "done", "evidence": [{"text": "Saved"}]},
    ]
    turns = [calls(call("browser", action=action)) for action in actions]
    model = Scripted(["Save.", *turns, "It is saved.", "[]"])
    with Browser(("127.0.0.1",), size=(640, 480)) as browser:
        result = Agent(model, [browser], runs=tmp_path).run("Use Save as draft here")
    assert [step.results[0].error for step in result.steps] == [False, False, True, False]
    (claim,) = result.claims
    assert (claim.kind, claim.verdict, claim.evidence) == ("state", "unsupported", ())
    assert claim.text == 'the task names what was left out: "Save as draft" was not used'


def test_what_was_claimed_before_something_was_undone_is_no_evidence(
    site: Site, tmp_path: Path
) -> None:
    url = site.put("<label>Name <input></label>")
    actions: list[dict[str, Any]] = [
        {"name": "goto", "url": url},
        {"name": "type", "target": "Name", "text": "Ada"},
        {"name": "done", "evidence": [{"value": "Ada", "target": "Name"}]},
        {"name": "clear", "target": "Name"},
    ]
    turns = [calls(call("browser", action=action)) for action in actions]
    with Browser(("127.0.0.1",), size=(640, 480)) as browser:
        before = Agent(Scripted(["Write.", *turns[:3], "Written.", "[]"]), [browser], runs=tmp_path)
        assert [claim.text for claim in before.run("Write my name").claims] == ['value "Ada"']
        agent = Agent(Scripted(["Write.", *turns, "Written.", "[]"]), [browser], runs=tmp_path)
        result = agent.run("Write my name")
    assert [step.results[0].error for step in result.steps] == [False] * 4
    assert result.claims == ()
