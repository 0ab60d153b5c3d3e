from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image as PILImage

from agent import Agent, Budget
from agent.result import Result
from mllm.content import ToolCall, ToolResult, Turn
from tests.agent.helpers import after, call, calls, cut, double, find, white
from tools import Picture, ReadText, Tool, ToolError, tool
from tools.pool import ExpertPool


def run(tmp_path: Path, tools: list[Tool], *steps: Turn, lang: str = "en") -> Result:
    it = Agent(after([*steps, "Done."]), tools, runs=tmp_path, verify=False)
    return it.run("Go on." if lang == "en" else "继续。", [white()])


def one(tmp_path: Path, made: ToolCall, *tools: Tool) -> ToolResult:
    """The result of one call; the run itself must go on to its answer."""
    result = run(tmp_path, list(tools), calls(made))
    assert result.answer == "Done."
    return result.steps[0].results[0]


def test_unknown_tool_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    told = one(tmp_path, call("fly"), find, double)
    assert told.error and told.words() == "There is no tool 'fly'. Tools: find, double."


def test_unknown_ids_are_answered_with_the_known_ones(tmp_path: Path) -> None:
    told = one(tmp_path, call("find", image="img9"), find)
    assert told.error and "img9" in told.words() and "img1" in told.words()
    told = one(tmp_path, call("cut", image="img1", region="boxes3"), cut)
    assert told.error and "boxes3" in told.words() and "none yet" in told.words()


def test_unknown_row(tmp_path: Path) -> None:
    step = calls(call("cut", image="img1", region="boxes1.7"))
    result = run(tmp_path, [find, cut], calls(call("find", image="img1")), step)
    assert "it has 2 rows" in result.steps[1].results[0].words()


def test_wrong_arguments_are_explained(tmp_path: Path) -> None:
    told = one(tmp_path, call("double", number="many"), double)
    assert told.error and "number" in told.words()


@tool
def fail() -> str:
    """Fail."""
    raise ValueError("the plug is out\nsecond line")


@tool
def leave() -> str:
    """Try to end the process."""
    sys.exit(3)


@tool
def refuse() -> str:
    """Refuse."""
    raise ToolError("Ask for something smaller.")


def test_a_tool_that_raises_is_an_observation(tmp_path: Path) -> None:
    told = one(tmp_path, call("fail"), fail)
    assert told.error and told.words() == "fail failed: ValueError: the plug is out"
    (folder,) = tmp_path.iterdir()
    assert "second line" in (folder / "events.jsonl").read_text()
    assert one(tmp_path, call("leave"), leave).error
    assert one(tmp_path, call("refuse"), refuse).words() == "Ask for something smaller."


def test_a_tool_that_hangs_is_left_alone(tmp_path: Path) -> None:
    begun = []

    @tool(timeout=0.2)
    def hang() -> str:
        """Hang."""
        begun.append(1)
        threading.Event().wait(30)
        return "late"

    told = one(tmp_path, call("hang"), hang)
    assert told.error and "no result in 0.2 s" in told.words()
    assert len(begun) == 1


def test_an_effect_that_nobody_saw_end_is_told_as_unknown(tmp_path: Path) -> None:
    charged, goes_on = [], threading.Event()

    @tool(side_effect=True, timeout=0.2)
    def charge() -> str:
        """Charge."""
        charged.append(1)
        goes_on.wait(30)
        return "late"

    result = run(tmp_path, [charge, double], calls(call("charge")), calls(call("double", number=1)))
    goes_on.set()
    told = result.steps[0].results[0]
    assert told.error and "may or may not have happened" in told.words()
    assert charged == [1]


def test_a_library_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)  # as if not installed
    monkeypatch.setattr("agent.drive.default_pool", lambda: ExpertPool(2**30))
    told = one(tmp_path, call("read_text", image="img1"), ReadText())
    assert told.error and "rapidocr_onnxruntime, which is not installed" in told.words()
    assert "corvid doctor" in told.words()


def test_ten_megabytes_are_cut_and_kept(tmp_path: Path) -> None:
    text = "start " + "x" * 10_000_000 + " end"

    @tool
    def pour() -> str:
        """Say much."""
        return text

    told = one(tmp_path, call("pour"), pour)
    assert len(told.words()) < 5_000
    assert told.words().startswith("start ") and told.words().endswith(" end")
    (folder,) = tmp_path.iterdir()
    assert (folder / "outputs" / "call1.txt").read_text() == text
    assert (folder / "events.jsonl").stat().st_size < 20_000


def test_independent_calls_run_together(tmp_path: Path) -> None:
    met = threading.Barrier(3, timeout=10)

    @tool
    def meet(who: int) -> int:
        """Meet the others.

        Args:
            who: A number.
        """
        met.wait()  # passes only when three calls are at work at once
        return who

    result = run(tmp_path, [meet], calls(*[call("meet", who=n) for n in range(3)]))
    assert [r.words() for r in result.steps[0].results] == ["0", "1", "2"]


def test_side_effects_run_alone_and_in_order(tmp_path: Path) -> None:
    at_work, order = threading.Semaphore(1), []

    @tool(side_effect=True)
    def push(n: int) -> str:
        """Push.

        Args:
            n: A number.
        """
        assert at_work.acquire(blocking=False), "two at once"
        time.sleep(0.02)
        order.append(n)
        at_work.release()
        return "pushed"

    result = run(tmp_path, [push], calls(*[call("push", n=n) for n in range(4)]))
    assert order == [0, 1, 2, 3]
    assert not any(r.error for r in result.steps[0].results)


def test_the_same_call_is_not_made_a_third_time(tmp_path: Path) -> None:
    step = calls(call("find", image="img1"))
    result = run(tmp_path, [find], step, step, step, step)
    told = [s.results[0] for s in result.steps]
    assert [r.error for r in told] == [False, False, True, True]
    assert "made twice before" in told[2].words()


def test_a_call_whose_result_changes_may_be_repeated(tmp_path: Path) -> None:
    count = iter(range(9))

    @tool
    def clock() -> int:
        """The time."""
        return next(count)

    result = run(tmp_path, [clock], *[calls(call("clock"))] * 4)
    assert [s.results[0].words() for s in result.steps] == ["0", "1", "2", "3"]


def test_a_side_effect_makes_the_same_call_worth_repeating(tmp_path: Path) -> None:
    @tool(side_effect=True)
    def click() -> str:
        """Click."""
        return "clicked"

    look = calls(call("double", number=1))
    steps = [look, look, calls(call("click")), look, *[calls(call("click"))] * 3]
    result = run(tmp_path, [double, click], *steps)
    assert not any(s.results[0].error for s in result.steps)


def test_notes_to_a_chinese_task_are_chinese(tmp_path: Path) -> None:
    step = calls(call("double", number=1))
    result = run(tmp_path, [double], step, step, step, lang="zh")
    assert "同样的调用" in result.steps[2].results[0].words()


def test_encoded_pictures_are_kept_byte_for_byte(tmp_path: Path) -> None:
    source = tmp_path / "shot.jpeg"
    white(40, 30).save(source, "JPEG")

    @tool
    def shoot() -> Picture:
        """Take a screenshot."""
        return Picture(PILImage.open(source), "", "shot", source.read_bytes())

    told = one(tmp_path / "runs", call("shoot"), shoot)
    assert told.words() == "[shot1 40x30]"
    kept = [p.read_bytes() for p in (tmp_path / "runs").glob("*/media/*.jpeg")]
    assert kept == [source.read_bytes()]


def test_pictures_count_against_the_budget(tmp_path: Path) -> None:
    find_and_cut = [
        calls(call("find", image="img1")),
        calls(*[call("cut", image="img1", region="boxes1.1")] * 2),
    ]
    model = after([*find_and_cut, "Done."])
    budget = Budget(steps=9, pictures=2)
    it = Agent(model, [find, cut], runs=tmp_path, verify=False, budget=budget)
    result = it.run("Cut.", [white()])
    assert [m.artifact.id for r in result.steps[1].results for m in r.content] == [  # type: ignore[union-attr]
        "img1.crop1",
        "img1.crop2",
    ]
    assert result.steps[1].note == "No pictures left: answer now."
