"""A person is asked before what only a person may decide, and nothing is done twice for it."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest

import mllm.backends
import tools
from agent import Agent, NeedsApproval, log
from agent.cli import main
from agent.report import write as write_report
from mllm.backends.scripted import Scripted
from tests.agent.helpers import after, call, calls, in_child, only_run
from tools import Tool, tool
from tools.protocol import PersonNeeded, Question, ToolContext

MAY = "May it buy a cup?"


def shop(sold: Path, *questions: Question) -> Tool:
    """Sells one cup for each time that it is called and every question is answered."""

    @tool(side_effect=True)
    def buy(what: str, context: ToolContext) -> str:
        """Buy something.

        Args:
            what: What to buy.
        """
        for question in questions or (Question(text=MAY),):
            if question.text not in context.answers:
                raise PersonNeeded(question, "there is nobody to ask")
            if context.answers[question.text] == "no":
                return "the person said no"
        with sold.open("a") as book:
            book.write(f"{what} {'|'.join(context.answers.values())}\n")
        return f"bought {what}"

    return buy


def agent(tmp_path: Path, *questions: Question) -> Agent:
    model = after([calls(call("buy", what="cup")), "Done."])
    buy = shop(tmp_path / "sold", *questions)
    return Agent(model, [buy], runs=tmp_path / "runs", verify=False)


def sold(tmp_path: Path) -> list[str]:
    path = tmp_path / "sold"
    return path.read_text().splitlines() if path.exists() else []


def waiting(tmp_path: Path, *questions: Question) -> NeedsApproval:
    with pytest.raises(NeedsApproval) as stopped:
        agent(tmp_path, *questions).run("Buy a cup.", ask=True)
    return stopped.value


def test_a_run_waits_for_a_yes(tmp_path: Path) -> None:
    stopped = waiting(tmp_path)
    assert MAY in str(stopped) and stopped.question == Question(text=MAY)
    assert [c.id for c in stopped.calls] == ["call1"]
    assert log.status(stopped.run.folder) == "needs approval" and not sold(tmp_path)
    assert MAY in write_report(stopped.run.folder).read_text("utf-8")
    result = agent(tmp_path).resume(stopped.run.folder, approve={"call1": "yes"}, ask=True)
    assert result.steps[0].results[0].words() == "bought cup"
    assert sold(tmp_path) == ["cup yes"]


def test_a_no_is_told_to_the_model(tmp_path: Path) -> None:
    run = waiting(tmp_path).run.folder
    result = agent(tmp_path).resume(run, approve={"call1": "no"}, ask=True)
    assert result.steps[0].results[0].words() == "the person said no" and not sold(tmp_path)


@pytest.mark.parametrize("said", [{}, {"call1": "redo"}, {"call1": "maybe"}, {"call2": "yes"}])
def test_anything_else_is_no_yes(tmp_path: Path, said: dict[str, str]) -> None:
    run = waiting(tmp_path).run.folder
    with pytest.raises(NeedsApproval, match="buy a cup"):
        agent(tmp_path).resume(run, approve=said, ask=True)
    assert not sold(tmp_path)


def test_a_run_that_may_not_ask_goes_on_without(tmp_path: Path) -> None:
    result = agent(tmp_path).run("Buy a cup.")
    assert result.steps[0].results[0].words() == "there is nobody to ask" and not sold(tmp_path)
    run = waiting(tmp_path).run.folder
    result = agent(tmp_path).resume(run)
    assert result.steps[0].results[0].words() == "there is nobody to ask" and not sold(tmp_path)


def test_each_question_is_asked_and_words_are_an_answer(tmp_path: Path) -> None:
    colour = Question(text="Which colour?", permission=False)
    run = waiting(tmp_path, Question(text=MAY), colour).run.folder
    it = agent(tmp_path, Question(text=MAY), colour)
    with pytest.raises(NeedsApproval, match="Which colour"):
        it.resume(run, approve={"call1": "yes"}, ask=True)
    assert not sold(tmp_path)
    it.resume(run, approve={"call1": "blue"}, ask=True)
    assert sold(tmp_path) == ["cup yes|blue"]


def test_killed_while_it_waits_is_no_unknown_effect(tmp_path: Path) -> None:
    def begin() -> None:
        for event in agent(tmp_path).stream("Buy a cup.", ask=True):
            if event.type == "approval_needed":
                os.kill(os.getpid(), signal.SIGKILL)

    status, _ = in_child(begin)
    assert status == -signal.SIGKILL
    run = only_run(tmp_path / "runs")
    with (run / log.NAME).open("rb+") as record:  # as if killed before the last word was kept
        lines = record.read().splitlines(keepends=True)
        record.truncate(sum(map(len, lines[:-1])))
    with pytest.raises(NeedsApproval, match="buy a cup"):
        agent(tmp_path).resume(run, ask=True)
    agent(tmp_path).resume(run, approve={"call1": "yes"}, ask=True)
    assert sold(tmp_path) == ["cup yes"]


def test_killed_after_the_yes_is_one(tmp_path: Path) -> None:
    run = waiting(tmp_path).run.folder

    @tool(side_effect=True)
    def buy(what: str) -> str:
        """Buy something.

        Args:
            what: What to buy.
        """
        os.kill(os.getpid(), signal.SIGKILL)
        return "never said"

    def go_on() -> None:
        deadly = Agent(after([calls(call("buy", what="cup")), "Done."]), [buy], verify=False)
        deadly.resume(run, approve={"call1": "yes"}, ask=True)

    assert in_child(go_on)[0] == -signal.SIGKILL
    with pytest.raises(NeedsApproval, match="Nobody knows"):
        agent(tmp_path).resume(run, approve={"call1": "yes"}, ask=True)
    agent(tmp_path).resume(run, approve={"call1": "redo"}, ask=True)
    assert sold(tmp_path) == ["cup yes"]  # what was agreed to stays so


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def corvid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> object:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORVID_RUNS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(tools, "default_tools", lambda: [shop(tmp_path / "sold")])
    script = Scripted(["Plan.", calls(call("buy", what="cup")), "Done.", "Done."])
    monkeypatch.setattr(mllm.backends, "load", lambda name, decoding=None: script)

    def run(*words: str, typed: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["corvid", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Tty(typed))
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return run


def test_without_a_terminal_the_command_says_how_to_answer(corvid, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, _, err = corvid("run", "Buy a cup.", "--no-verify")
    assert status == 1 and MAY in err and "--yes call1" in err and "--no call1" in err
    run = only_run(tmp_path / "runs").name
    assert f"corvid resume {run}" in err and not sold(tmp_path)
    status, out, err = corvid("resume", run, "--yes", "call1")
    assert status == 0 and "Done." in out, err
    assert sold(tmp_path) == ["cup yes"]


@pytest.mark.parametrize(("typed", "expected"), [("what?\ny\n", ["cup yes"]), ("n\n", [])])
def test_at_a_terminal_the_person_is_asked_at_once(  # type: ignore[no-untyped-def]
    corvid, tmp_path: Path, typed: str, expected: list[str]
) -> None:
    status, out, err = corvid("run", "Buy a cup.", "--no-verify", typed=typed)
    assert status == 0 and MAY in out and "Done." in out, err
    assert sold(tmp_path) == expected


def test_a_terminal_that_closes_leaves_the_run_waiting(corvid, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, _, err = corvid("run", "Buy a cup.", "--no-verify", typed="")
    assert status == 1 and "--yes call1" in err and not sold(tmp_path)
    assert log.status(only_run(tmp_path / "runs")) == "needs approval"
