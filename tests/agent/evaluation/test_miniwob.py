"""MiniWoB++ in the real browser: scored by its pages, from words alone, and never the run's end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

pytest.importorskip("playwright", reason="the extra gui is not installed")
from agent.errors import InputError  # noqa: E402
from agent.evaluation import miniwob, miniwob_lessons, miniwob_runner  # noqa: E402
from agent.evaluation.miniwob_runner import OPEN, MiniWob, Played  # noqa: E402
from agent.evaluation.miniwob_teacher import TEACHERS, teacher  # noqa: E402
from agent.evaluation.pages_site import Site  # noqa: E402
from mllm.backends.scripted import Line, Scripted  # noqa: E402
from mllm.content import Message, ToolCall, Turn  # noqa: E402
from mllm.episode import Episode  # noqa: E402
from tools.gui.session import NAMES  # noqa: E402

pytestmark = pytest.mark.skipif(
    find_spec("miniwob") is None or not any(map(shutil.which, NAMES)),
    reason="Chromium or the extra miniwob is not installed",
)


@pytest.fixture(scope="module")
def wob() -> Iterator[MiniWob]:
    with MiniWob() as opened:
        yield opened


def do(**action: object) -> Turn:
    return Turn(calls=(ToolCall(id="", name="browser", arguments={"action": action}),))


def play(wob: MiniWob, *lines: Line, task: str = "enter-text", seed: int = 3) -> tuple[Played, str]:
    """How a script does, and all that its model was shown."""
    model = Scripted(["Go.", *lines])
    played = wob.play(task, seed, lambda _: model)
    assert len(model.seen) <= 1 + len(lines)
    return played, "\n".join(m.words() for m in model.seen[-1])


@pytest.mark.parametrize(
    "task",
    ["click-checkboxes", "login-user-popup", "click-tab", "enter-date", "drag-sort-numbers"]
    + ["click-checkboxes-soft", "form-sequence", "order-food", "text-editor"],
)
def test_a_teacher_wins_the_episode(wob: MiniWob, task: str) -> None:
    played = wob.play(task, miniwob_lessons.FIRST, lambda asked: teacher(task, asked))
    assert (played.ending, played.reward) == ("success", 1.0)
    assert min(played.times.observe, played.times.act) > 0  # each is counted to its own share


def test_what_a_teacher_plays_is_a_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = ["click-link", "enter-text", "focus-text"]
    monkeypatch.setattr(miniwob_lessons, "TEACHERS", {task: TEACHERS[task] for task in short})
    out = tmp_path / "episodes.jsonl"
    assert miniwob_lessons.write_episodes(out, 2, 5) == 2
    assert miniwob_lessons.write_episodes(out, 3, 5) == 1  # what is there is not played again
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["kind"] for row in rows] == short
    for row in rows:
        assert row["success"] and row["id"].endswith("-1000005")
        episode = Episode.model_validate(row["episode"])
        assert row["learn"] == [False] + [True] * (len(episode.steps) - 1)
        assert row["goal"] in episode.task


def test_the_page_ends_the_run_and_says_when_it_was_wrong(wob: MiniWob) -> None:
    played, _ = play(wob, do(name="click", target="Submit"), do(name="click", target="Submit"))
    assert (played.ending, played.reward, played.failed["not_done"]) == ("wrong", -1.0, 1)


def test_the_task_is_what_the_page_asks_for_and_nothing_around_it_is_shown(wob: MiniWob) -> None:
    played, shown = play(wob, do(name="click", target="e99"), "I cannot.")
    assert (played.ending, played.steps, played.failed["not_found"]) == ("gave_up", 1, 1)
    task, *_ = (line for line in shown.splitlines() if line.startswith('Enter "'))
    assert task.endswith("into the text field and press Submit.")
    assert 'button "Submit"' in shown and 'page ""' in shown
    assert not any(said in shown for said in ("Last reward", "START", "Time left", "enter-text"))


def test_a_seed_is_an_episode(wob: MiniWob) -> None:
    asked: list[str] = []

    def stop(words: str) -> Scripted:
        asked.append(words)
        return Scripted(["Go.", "I stop."])

    for seed in (1, 2, 1):
        assert wob.play("enter-text", seed, stop).ending == "gave_up"
    assert asked[0] == asked[2] != asked[1]


def test_an_episode_that_breaks_off_is_one_that_failed(wob: MiniWob) -> None:
    def break_down(_: Sequence[Message]) -> str:
        raise RuntimeError("out of memory")

    assert play(wob, break_down)[0].ending == "crashed"
    wob.browser.close()
    played, _ = play(wob, do(name="click", target="Submit"), do(name="click", target="Submit"))
    assert played.ending == "wrong"


def test_rows_have_the_shape_of_the_design() -> None:
    result = miniwob.evaluate(1, 5, None, ["focus-text", "visual-addition"], quiet=True)
    assert json.loads(json.dumps(result)) == result
    assert (result["suite"], result["model"], result["seed"]) == ("miniwob", "none", 5)
    rows = result["rows"]
    assert list(rows) == ["random", "oracle"]
    luck, knows = rows["random"], rows["oracle"]
    assert {"success.focus-text", "success.visual-addition"} < set(luck)
    assert knows["success"]["n"] == knows["strict"]["n"] == 1
    assert knows["success.focus-text"]["value"] == 1.0
    assert "success.visual-addition" not in knows
    endings = [value["value"] for name, value in luck.items() if name.startswith("failure.")]
    assert sum(endings) + luck["success"]["value"] == pytest.approx(1)
    parts = [luck[f"ms_{part}"]["value"] for part in ("observe", "decide", "act")]
    assert luck["ms_step"]["value"] == pytest.approx(sum(parts))


def test_what_cannot_be_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="0 to 9999"):
        miniwob.evaluate(20, 9_990, None)
    with pytest.raises(InputError, match="no task click-nothing"):
        miniwob.evaluate(1, 0, None, ["click-nothing"])
    monkeypatch.setattr(miniwob_runner, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install --no-deps miniwob"):
        miniwob.evaluate(1, 0, None)


def test_every_task_of_the_list_is_there() -> None:
    wob = MiniWob()
    assert len(set(OPEN)) == len(OPEN) == 65
    assert all(map(wob.knows, OPEN)) and set(TEACHERS) <= set(OPEN)


def test_beside_a_page_no_other_page_is_served(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("another task")
    (tmp_path / "core.css").write_text("p {}")
    with Site(beside=tmp_path) as site:
        url = site.put("page", "this task")
        assert urlopen(url).read() == b"this task"
        home = url.removesuffix("page.html")
        with urlopen(f"{home}core.css") as answer:
            assert answer.headers["Content-Type"].startswith("text/css")
        for path in ("other.html", "../secret", "nothing.css"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(home + path)
