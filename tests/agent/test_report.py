"""Reports of runs, as a reader of the file meets them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent import events as ev
from agent import media, report
from agent.errors import RunError
from mllm.content import Artifact, Text, ToolCall, ToolResult
from tests.agent.sample_run import ANSWER, TASK, picture, sample_events, write_run

HOSTILE = '</script><script>alert(1)</script><img src="https://example.org/x.png">'


class Page(HTMLParser):
    """What a page holds: its text, its elements, and the claims and boxes that are linked."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.links: dict[str, list[str]] = {}
        self.words = ""
        self._silent = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        for key in (dict(attrs).get("data-link") or "").split():
            self.links.setdefault(key, []).append(tag)
        self._silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words += f" {data}"


def image(tmp_path: Path) -> Artifact:
    return media.load_image(picture()).artifact.model_copy(update={"id": "img1"})


def test_a_report_tells_the_whole_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path, picture())
    path = report.write(folder)
    page = Page(path)
    assert path.parent == folder
    for expected in (
        TASK, ANSWER, "Two cell phones are right of the bus.", "supported", "corrected",
        "unsupported", "I need both kinds of object.", "There is no image img9", "boxes2",
        "Detect phones and the bus", "Budget left", "0.91", "nano",
    ):  # fmt: skip
        assert expected in page.words


def test_a_claim_is_linked_to_the_boxes_that_prove_it(tmp_path: Path) -> None:
    page = Page(report.write(write_run(tmp_path, picture())))
    assert page.links["run1-c1"].count("g") == 2  # two phones
    assert page.links["run1-c2"].count("g") == 1
    assert "g" not in page.links["run1-c3"]  # nothing proves it


def test_a_picture_is_embedded_once_and_nothing_is_fetched(tmp_path: Path) -> None:
    page = Page(report.write(write_run(tmp_path, picture())))
    embedded = [v for n, v in page.attributes if n == "href" and v.startswith("data:")]
    assert len(embedded) == 1
    assert page.tags.count("use") >= 3
    addresses = [v for n, v in page.attributes if n in ("src", "href", "action", "srcset")]
    assert all(v.startswith(("data:", "#")) for v in addresses)
    assert "link" not in page.tags


def test_what_tools_and_tasks_say_is_data(tmp_path: Path) -> None:
    artifact = image(tmp_path)
    call = ToolCall(id="call1", name="look", arguments={"image": "img1", "question": HOSTILE})
    said = ToolResult(call_id="call1", name="look", content=(Text(text=HOSTILE),))
    folder = write_run(
        tmp_path,
        picture(),
        [
            ev.Perceived(artifacts=(artifact,)),
            ev.Decided(step=1, thought=HOSTILE, calls=(call,)),
            ev.Observed(step=1, result=said),
            ev.Failed(error=HOSTILE),
        ],
        task=HOSTILE,
    )
    page = Page(report.write(folder))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.words.count("alert(1)") >= 4


@pytest.mark.parametrize(
    ("kept", "last", "status", "reason"),
    [
        (0, None, "interrupted", "cut off"),
        (5, None, "interrupted", "before this call came back"),
        (9, ev.Failed(error="The model gave up."), "failed", "The model gave up."),
        (9, ev.Interrupted(), "interrupted", "stopped from outside"),
    ],
)
def test_a_run_without_an_answer_has_a_report(
    tmp_path: Path, kept: int, last: ev.Event | None, status: str, reason: str
) -> None:
    record = sample_events(image(tmp_path))[:kept] + ([last] if last else [])
    page = Page(report.write(write_run(tmp_path, picture(), record)))
    assert status in page.words
    assert reason in page.words
    assert "No answer" in page.words


def test_a_lost_picture_costs_the_picture_only(tmp_path: Path) -> None:
    folder = write_run(tmp_path, picture())
    for file in (folder / "media").iterdir():
        file.unlink()
    page = Page(report.write(folder))
    assert ANSWER in page.words
    assert "use" not in page.tags


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    large = picture().resize((1500, 1500)).effect_spread(40)
    file = tmp_path / "large.png"
    large.save(file)
    path = report.write(write_run(tmp_path, file))
    assert path.stat().st_size < file.stat().st_size / 2


def test_an_album_holds_several_runs_and_a_shared_picture_once(tmp_path: Path) -> None:
    first = write_run(tmp_path, picture(), id="a")
    second = write_run(
        tmp_path, picture(), id="b", task="右边有几部手机？", answer="两部。", lang="zh"
    )
    page = Page(report.write_album([first, second], tmp_path / "album.html", "Two runs"))
    assert "Two runs" in page.words
    assert "右边有几部手机？" in page.words
    assert ("href", "#run2") in page.attributes
    assert ("id", "run2") in page.attributes
    assert len([v for _, v in page.attributes if v.startswith("data:image")]) == 1
    ids = [v for n, v in page.attributes if n == "id"]
    assert len(ids) == len(set(ids))


def test_colours_of_labels_are_defined(tmp_path: Path) -> None:
    text = report.write(write_run(tmp_path, picture())).read_text(encoding="utf-8")
    used = set(re.findall(r"\btone-\d", text.partition("</style>")[2]))
    defined = set(re.findall(r"\btone-\d", text.partition("</style>")[0]))
    assert used and used <= defined


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="run.json"):
        report.write(tmp_path)
