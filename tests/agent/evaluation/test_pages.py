"""Page tasks in the real browser: the oracle can do each kind, and claims alone are no success."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the extra gui is not installed")
from agent.evaluation import pages  # noqa: E402
from agent.evaluation.pages_policies import at_random  # noqa: E402
from agent.evaluation.pages_runner import Theatre, says_so, write_episodes  # noqa: E402
from mllm.backends.scripted import Scripted  # noqa: E402
from mllm.content import ToolCall, Turn  # noqa: E402
from mllm.data.pages import KINDS, PageTask, make  # noqa: E402
from mllm.data.pages.task import Split  # noqa: E402
from mllm.episode import Episode, messages  # noqa: E402
from tools.gui.session import NAMES  # noqa: E402

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
SPLITS: tuple[Split, ...] = ("train", "eval")


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with Theatre() as opened:
        yield opened


def first(**wanted: str) -> PageTask:
    """The first task that is so."""
    kind = wanted.pop("kind")
    tasks = (make(2, i, "train", kind) for i in range(400))
    return next(t for t in tasks if all(getattr(t, k) == v for k, v in wanted.items()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_oracle_does_a_task_of_each_kind(theatre: Theatre, kind: str) -> None:
    played = theatre.play_oracle(first(kind=kind, ending="done"))
    assert played.success and played.claimed
    first_seen = played.episode.steps[0].results[0].words()
    assert " e1" in first_seen


@pytest.mark.parametrize(("kind", "ending"), [("menu", "missing"), ("booking", "refused")])
def test_what_cannot_be_done_is_told_and_not_claimed(
    theatre: Theatre, kind: str, ending: str
) -> None:
    played = theatre.play_oracle(first(kind=kind, ending=ending))
    assert played.success and not played.claimed


def test_an_answer_to_what_cannot_be_done_must_say_so(theatre: Theatre) -> None:
    task = first(kind="menu", ending="missing")
    lost = task.evidence
    for answer in ("I booked it.", "Done.", f"I chose {lost}.", f"{lost} is set. No errors."):
        assert not says_so(task, answer)
    for answer in (task.answer, f"I couldn’t find {lost}.", f"{lost}, as asked for, is missing."):
        assert says_so(task, answer)
    refused = first(kind="booking", ending="refused")
    assert says_so(refused, refused.answer) and says_so(refused, "The booking was rejected.")
    assert not says_so(refused, "I booked it.")

    def liar(url: str) -> Scripted:
        opened = {"action": {"name": "goto", "url": url}}
        call = ToolCall(id="call1", name="browser", arguments=opened)
        return Scripted(["Go.", Turn(calls=(call,)), "I booked it."])

    assert not theatre.play(task, liar).success


def test_the_answers_of_the_oracle_say_what_cannot_be_done() -> None:
    tasks = [make(2, i, split, KINDS[i % len(KINDS)]) for i in range(300) for split in SPLITS]
    rare = [task for task in tasks if task.ending != "done"]
    assert {task.lang for task in rare} == {"en", "zh"}
    assert all(says_so(task, task.answer) for task in rare)


def test_a_slip_is_recovered_from_and_not_learnt(tmp_path: Path) -> None:
    index = next(i for i in range(99) if any(a.wrong for a in make(2, i, "train", "tab").acts))
    out = tmp_path / "episodes.jsonl"
    assert write_episodes(out, index + 1, 2, kind="tab") == index + 1
    *before, line = out.read_text("utf-8").splitlines()
    row = json.loads(line)
    wrong = [act.wrong for act in make(2, index, "train", "tab").acts]
    assert row["success"] and row["learn"] == [not w for w in (False, *wrong, False)]
    assert messages(Episode.model_validate(row["episode"]))[-1].content
    out.write_text("\n".join([*before, line[:50]]), "utf-8")  # as a kill leaves it
    assert write_episodes(out, index + 1, 2, kind="tab") == 1
    assert json.loads(out.read_text("utf-8").splitlines()[-1])["id"] == row["id"]


def test_who_sends_too_early_is_told_what_was_left_out_and_goes_on(theatre: Theatre) -> None:
    tasks = (make(2, i, "train", "form") for i in range(99))
    early = [t for t in tasks if [a.name for a in t.acts if a.wrong] == ["click", "done"]][:3]
    assert len(early) == 3
    for task in early:
        played = theatre.play_oracle(task)
        told = [r.words() for step in played.episode.steps for r in step.results]
        assert played.success and any(text.startswith("not_done") for text in told)


def test_saying_so_is_no_success(theatre: Theatre) -> None:
    task = first(kind="button", ending="done")

    def liar(url: str) -> Scripted:
        opened = {"action": {"name": "goto", "url": url}}
        call = ToolCall(id="call1", name="browser", arguments=opened)
        return Scripted(["Go.", Turn(calls=(call,)), "It is done."])

    played = theatre.play(task, liar)
    assert not played.success and not played.claimed
    luck = theatre.play(task, lambda url: at_random(task.goal, task.lang, random.Random(1), url))
    assert luck.success <= luck.claimed


def test_controls_are_measured_by_kind() -> None:
    rows = pages.evaluate(2, 1, None, ["button", "tab"], quiet=True)["rows"]
    assert rows["oracle"]["success"]["value"] == 1.0
    assert rows["oracle"]["success.tab"]["n"] == 1
    assert rows["random"]["false_success"]["n"] == 2
