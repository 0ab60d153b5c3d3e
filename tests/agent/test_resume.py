"""Kills, interrupts, approvals: what was done stays done, and nothing is done twice."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PILImage

from agent import Agent, Budget, NeedsApproval, RunFailed, log
from agent.errors import RunError
from agent.events import EVENT
from agent.result import Result
from mllm.content import Boxes, ToolResult
from tests.agent.helpers import (
    Sleepy,
    after,
    call,
    calls,
    cut,
    double,
    find,
    in_child,
    only_run,
    white,
)
from tools import Picture, Tool, tool

KILLS = int(os.environ.get("CORVID_KILLS", "8"))
STEPS = 6


def charging(account: Path, delay: float = 0.004) -> Tool:
    """A tool with a side effect that can be counted."""

    @tool(side_effect=True)
    def charge(amount: int) -> str:
        """Charge the account.

        Args:
            amount: How much.
        """
        time.sleep(delay * random.random())
        with account.open("a") as book:
            book.write(f"{amount}\n")
        time.sleep(delay * random.random())
        return f"charged {amount}"

    return charge


def charged(account: Path) -> Counter[str]:
    return Counter(account.read_text().split()) if account.exists() else Counter()


def agent(runs: Path, charge: Tool) -> Agent:
    """Every step looks, doubles and charges once."""
    steps = [
        calls(
            call("find", image="img1"),
            call("charge", amount=n),
            call("cut", image="img1", region=f"boxes{n}.1"),
            call("double", number=n),
            thought=f"Step {n}.",
        )
        for n in range(1, STEPS + 1)
    ]
    model = after([*steps, "All is charged."])
    return Agent(model, [find, cut, double, charge], runs=runs, verify=False)


def essence(result: Result) -> list[tuple[str, list[str]]]:
    """What the model saw, side effects of unknown fate left out."""
    return [
        (s.thought, [r.words() for r in s.results if r.name != "charge"]) for s in result.steps
    ]


def test_killed_at_random_moments(tmp_path: Path) -> None:
    whole = agent(tmp_path / "whole", charging(tmp_path / "whole.txt")).run("Charge.", [white()])
    assert charged(tmp_path / "whole.txt") == Counter(map(str, range(1, STEPS + 1)))
    lines = len((whole.run.folder / log.NAME).read_bytes().splitlines())
    chance = random.Random(1)
    unknown = killed = 0
    for number in range(KILLS):
        runs, account = tmp_path / f"runs{number}", tmp_path / f"account{number}.txt"

        def begin(runs: Path = runs, account: Path = account) -> str:
            return str(agent(runs, charging(account)).run("Charge.", [white()]).answer)

        def resume(runs: Path = runs, account: Path = account) -> str:
            return str(agent(runs, charging(account)).resume(only_run(runs)).answer)

        for work in (begin, resume):
            moment = chance.randrange(1, lines)

            def reached(runs: Path = runs, moment: int = moment) -> bool:
                return sum(f.read_bytes().count(b"\n") for f in runs.glob("*/*s.jsonl")) >= moment

            status, _ = in_child(work, kill_after=chance.uniform(0, 0.01), ready=reached)
            killed += status == -signal.SIGKILL
        result = agent(runs, charging(account)).resume(only_run(runs))
        assert result.answer == whole.answer
        assert essence(result) == essence(whole)
        effects = charged(account)
        for step, n in zip(result.steps, range(1, STEPS + 1), strict=True):
            told = next(r for r in step.results if r.name == "charge")
            if told.error:  # honest about what nobody knows, and never twice
                unknown += 1
                assert "may or may not have happened" in told.words()
                assert effects[str(n)] <= 1
            else:
                assert told.words() == f"charged {n}" and effects[str(n)] == 1
    print(f"{killed} kills in {KILLS} runs, {unknown} effects of unknown fate")
    assert killed >= KILLS


def killing(account: Path) -> Tool:
    """A side effect that takes the process with it before it can tell."""

    @tool(side_effect=True)
    def charge(amount: int) -> str:
        """Charge the account.

        Args:
            amount: How much.
        """
        with account.open("a") as book:
            book.write(f"{amount}\n")
        os.kill(os.getpid(), signal.SIGKILL)
        return "never said"

    return charge


def killed_in_effect(tmp_path: Path) -> tuple[Path, Agent]:
    """A run that was killed in the middle of its first charge, and an agent to resume it."""
    runs, account = tmp_path / "runs", tmp_path / "account.txt"
    model = after([calls(call("charge", amount=7)), "Charged."])

    def begin() -> str:
        return str(Agent(model, [killing(account)], runs=runs, verify=False).run("Charge.").answer)

    status, _ = in_child(begin)
    assert status == -signal.SIGKILL
    assert charged(account) == {"7": 1}
    return account, Agent(model, [charging(account)], runs=runs, verify=False)


def first_result(result: Result) -> ToolResult:
    return result.steps[0].results[0]


def test_unknown_effect_is_not_repeated(tmp_path: Path) -> None:
    account, it = killed_in_effect(tmp_path)
    result = it.resume(only_run(tmp_path / "runs"))
    assert result.answer == "Charged."
    assert first_result(result).error
    assert charged(account) == {"7": 1}


def test_unknown_effect_can_wait_for_a_person(tmp_path: Path) -> None:
    account, it = killed_in_effect(tmp_path)
    run = only_run(tmp_path / "runs")
    with pytest.raises(NeedsApproval) as waiting:
        it.resume(run, ask=True)
    assert [(c.id, c.name) for c in waiting.value.calls] == [("call1", "charge")]
    assert log.status(run) == "needs approval"
    result = it.resume(run, approve={"call1": "redo"}, ask=True)
    assert first_result(result).words() == "charged 7"
    assert charged(account) == {"7": 2}  # a person said so


def test_skipped_effect_is_told_to_the_model(tmp_path: Path) -> None:
    account, it = killed_in_effect(tmp_path)
    result = it.resume(only_run(tmp_path / "runs"), approve={"call1": "skip"}, ask=True)
    assert first_result(result).error
    assert charged(account) == {"7": 1}


@tool
def hang() -> str:
    """Never come back."""
    time.sleep(60)
    return "late"


@pytest.mark.parametrize("where", ["tool", "model"])
def test_ctrl_c_leaves_a_resumable_run(tmp_path: Path, where: str) -> None:
    model = after([calls(call("double", number=2)), calls(call("hang")), "Done."])
    stuck = Sleepy() if where == "model" else model

    def begin() -> str:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        it = Agent(stuck, [double, hang], runs=tmp_path, verify=False)
        return str(it.run("Double.").answer)

    def stuck_now() -> bool:
        kinds = [e.type for folder in tmp_path.iterdir() for e in log.read(folder)]
        return kinds.count("called") == 2 if where == "tool" else "perceived" in kinds

    status, _ = in_child(begin, kill_after=0.2, with_signal=signal.SIGINT, ready=stuck_now)
    assert status == 130
    folder = only_run(tmp_path)
    assert log.status(folder) == "interrupted"

    @tool(name="hang")
    def back() -> str:
        """Come back."""
        return "in time"

    result = Agent(model, [double, back], runs=tmp_path, verify=False).resume(folder)
    assert [s.results[0].words() for s in result.steps] == ["4", "in time"]


def doubling(runs: Path) -> Agent:
    """One step, then the answer "4."."""
    model = after([calls(call("double", number=2)), "4."])
    return Agent(model, [double], runs=runs, verify=False)


def test_a_run_at_work_is_locked(tmp_path: Path) -> None:
    it = doubling(tmp_path)
    events = it.stream("Double.")
    next(events)
    folder = only_run(tmp_path)
    assert log.status(folder) == "running"
    with pytest.raises(RunError, match="another process"):
        it.resume(folder)
    events.close()  # type: ignore[attr-defined]
    assert it.resume(folder).answer == "4."


def test_torn_line_of_the_record_is_ignored(tmp_path: Path) -> None:
    it = doubling(tmp_path)
    for event in it.stream("Double."):
        if event.type == "decided":
            break
    folder = only_run(tmp_path)
    with (folder / log.NAME).open("ab") as record:
        record.write(b'{"type":"decided","thought":"I was cut o')
    assert log.status(folder) == "interrupted"
    assert it.resume(folder).answer == "4."


def small_disk(work: Callable[[], str], limit: int) -> Callable[[], str]:
    """``work`` where no file may grow beyond ``limit`` bytes, as on a full disk."""
    import resource

    def limited() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return work()

    return limited


@tool
def noise() -> Picture:
    """A picture that takes about 120 kB."""
    return Picture(PILImage.effect_noise((360, 360), 90), "", "noise")


FULL = {
    "checkpoint at once": (2_500, calls(call("double", number=1))),
    "checkpoint later": (30_000, calls(call("double", number=1))),
    "record": (100_000, calls(call("double", number=1), thought="x" * 60_000)),
    "media": (60_000, calls(call("noise"))),
}


@pytest.mark.parametrize("what", FULL)
def test_full_disk(tmp_path: Path, what: str) -> None:
    limit, step = FULL[what]
    it = Agent(after([*[step] * 9, "Done."]), [double, noise], runs=tmp_path, verify=False)
    it.budget = Budget(steps=20)

    def begin() -> str:
        try:
            return str(it.run("Go on.").answer)
        except RunFailed as error:
            return f"{type(error.__cause__).__name__}: {error}"

    status, said = in_child(small_disk(begin, limit))
    folder = only_run(tmp_path)
    assert status == 0
    assert said.startswith("RunError") and str(folder) in said and "free space" in said
    for line in (folder / log.NAME).read_bytes().splitlines():
        EVENT.validate_json(line)  # nothing half-written
    for file in (folder / "media").iterdir():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
    result = it.resume(folder)
    assert result.answer == "Done."
    assert len(result.steps) == 9


def test_boxes_of_earlier_steps_live_on_after_a_resume(tmp_path: Path) -> None:
    steps = [calls(call("find", image="img1")), calls(call("cut", image="img1", region="boxes1.2"))]
    it = Agent(after([*steps, "Cut."]), [find, cut], runs=tmp_path, verify=False)
    for event in it.stream("Cut.", [white()]):
        if event.type == "step_done" and event.step == 1:
            break
    result = it.resume(only_run(tmp_path))
    assert isinstance(result.steps[0].results[0].content[0], Boxes)
    assert result.steps[1].results[0].words() == "[img1.crop1 8x10]"


def test_a_damaged_run_says_so(tmp_path: Path) -> None:
    it = doubling(tmp_path)
    for event in it.stream("Double."):
        if event.type == "decided":
            break
    folder = only_run(tmp_path)
    whole = (folder / log.NAME).read_bytes()
    (folder / log.NAME).write_bytes(whole[:100])
    with pytest.raises(RunFailed, match="lost its end"):
        it.resume(folder)
    (folder / log.NAME).write_bytes(whole)
    (folder / "checkpoint.sqlite").write_bytes(b"no database at all" * 99)
    with pytest.raises(RunError, match="is damaged"):
        it.resume(folder)
    (folder / "checkpoint.sqlite").unlink()
    assert it.resume(folder).answer == "4."
