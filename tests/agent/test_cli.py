"""The `corvid` command, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mllm.backends
import tools
from agent.cli import main
from agent.evaluation import scenes
from mllm.backends.protocol import ModelError
from mllm.backends.scripted import Line, Scripted
from mllm.content import ToolCall, Turn
from tests.agent.sample_run import ANSWER, TASK, picture, write_run

Corvid = Callable[..., tuple[int, str, str]]


@pytest.fixture
def corvid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Corvid:
    """Runs a command line in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORVID_RUNS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["corvid", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets every model name stand for a script, with one tool that needs no weights."""
    monkeypatch.setattr(tools, "default_tools", lambda: [tools.Calculate()])

    def use(*lines: Line) -> None:
        script = Scripted(lines)
        monkeypatch.setattr(mllm.backends, "load", lambda name, decoding=None: script)

    return use


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "desk.png"
    picture().save(path)
    return path


SUM = Turn(calls=(ToolCall(id="1", name="calculate", arguments={"expression": "2 + 3"}),))


def test_help_names_every_command(corvid: Corvid) -> None:
    status, out, _ = corvid("--help")
    assert status == 0
    commands = ("run", "demo", "resume", "show", "runs", "eval", "data", "train", "bench", "doctor")
    for command in commands:
        assert command in out


def test_starting_is_light() -> None:
    heavy = ("torch", "transformers", "ultralytics", "langgraph", "langchain_core", "numpy")
    code = f"import agent.cli, sys; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_run_is_shown_step_by_step(corvid: Corvid, model: Callable[..., None]) -> None:
    model("Add them.", SUM, "The sum is 5.")
    status, out, err = corvid("run", "What is 2 + 3?", "--no-verify")
    assert status == 0, err
    plan, call, answer = (out.index(s) for s in ("Add them.", "calculate(", "The sum is 5."))
    assert plan < call < answer


def test_json_is_one_object_and_nothing_else(
    corvid: Corvid, model: Callable[..., None], image: Path
) -> None:
    model("Look.", SUM, "The sum is 5.")
    status, out, _ = corvid("run", "What is 2 + 3?", "--image", image, "--no-verify", "--json")
    assert status == 0
    result = json.loads(out)
    assert set(result) == {"answer", "claims", "evidence", "steps", "run", "seconds", "tokens"}
    assert result["answer"] == "The sum is 5."
    assert result["steps"][0]["calls"][0]["name"] == "calculate"
    assert Path(result["run"], "run.json").is_file()


def test_a_failed_run_says_why_and_how_to_go_on(
    corvid: Corvid, model: Callable[..., None]
) -> None:
    model("Plan.", ModelError("the endpoint is gone: start it again"))
    status, out, err = corvid("run", "Anything?", "--json")
    assert (status, out) == (1, "")
    assert "the endpoint is gone" in err
    run = next(Path("runs").iterdir()).name
    assert f"corvid resume {run}" in err

    model("All is well.")
    status, out, err = corvid("resume", run, "--json")
    assert status == 0, err
    assert json.loads(out)["answer"] == "All is well."


def test_ctrl_c_keeps_the_run(corvid: Corvid, model: Callable[..., None]) -> None:
    def interrupt(messages: object) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
        return "too late"

    model("Plan.", interrupt)
    status, out, err = corvid("run", "Anything?", "--json")
    assert (status, out) == (1, "")
    assert "stopped" in err and "corvid resume" in err
    _, out, _ = corvid("runs")
    assert "interrupted" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "What?", "--image", "none.png"], "none.png does not exist"),
        (["run", "What?", "--model", "no-such-model"], "no-such-model"),
        (["run", "  "], "empty"),
        (["run"], "task"),
        (["fly"], "fly"),
        (["show", "nothing"], "corvid runs"),
        (["resume", "nothing"], "corvid runs"),
        (["train", "pretrain", "--config", "none.yaml"], "none.yaml"),
        (["eval", "scenes", "--data", "none"], "none"),
        (["bench", "overhead", "--model", "x"], "with a scripted model: leave --model away"),
        (["bench", "gui", "--model", "nano"], "with a scripted model: leave --model away"),
    ],
)
def test_bad_input_is_one_sentence(corvid: Corvid, words: list[str], said: str) -> None:
    status, out, err = corvid(*words)
    assert status == 2
    assert said in err.lower() if said == "task" else said in err
    assert "Traceback" not in err
    assert out == ""


def test_debug_shows_the_traceback(
    corvid: Corvid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["corvid", "run", "What?", "--image", "none.png", "--debug"])
    from agent.errors import InputError

    with pytest.raises(InputError):
        main()


def test_show_writes_a_report_and_prints_its_path(corvid: Corvid, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs", picture())
    for name in (folder.name, folder):
        status, out, _ = corvid("show", name)
        assert status == 0
        assert ANSWER in Path(out.strip()).read_text(encoding="utf-8")


def test_runs_lists_what_there_is(corvid: Corvid, tmp_path: Path) -> None:
    status, out, _ = corvid("runs")
    assert status == 0
    assert "corvid demo" in out
    write_run(tmp_path / "runs", picture(), id="a")
    write_run(tmp_path / "runs", picture(), [], id="b", task="Cut off?")
    (tmp_path / "runs" / "c").mkdir()
    (tmp_path / "runs" / "c" / "run.json").write_text("{")
    status, out, _ = corvid("runs")
    rows = {line.split()[0]: line for line in out.splitlines()[1:] if line.strip()}
    assert status == 0
    assert TASK in rows["a"] and "done" in rows["a"] and ANSWER in rows["a"]
    assert "interrupted" in rows["b"]
    assert "damaged" in rows["c"]


def test_the_demo_ends_with_a_report_of_all_examples(
    corvid: Corvid, model: Callable[..., None]
) -> None:
    from agent.demo import examples

    tasks = [example.task for example in examples()]
    model(*["Look.", "I cannot tell.", "[]"] * len(tasks))
    status, out, err = corvid("demo")
    assert status == 0, err
    report = Path(out.split()[-1])
    text = report.read_text(encoding="utf-8")
    assert len(tasks) >= 4
    assert all(task in text for task in tasks)
    assert any("\u4e00" <= c <= "\u9fff" for task in tasks for c in task)


def test_data_is_written_and_measured(corvid: Corvid, model: Callable[..., None]) -> None:
    status, out, err = corvid("data", "scenes", "--out", "made", "--n", "2", "--seed", "7")
    assert status == 0, err
    assert len(Path(out.strip()).read_text(encoding="utf-8").splitlines()) == 2

    model(*["yes"] * 100)
    status, out, err = corvid("eval", "scenes", "--data", "made", "--json", "--seed", "1")
    assert status == 0, err
    rows = json.loads(out)["rows"]
    assert {"blind", "direct", "tools", "verified"} <= set(rows)
    assert set(rows["direct"]["accuracy"]) == {"value", "low", "high", "n"}
    assert rows["direct"]["accuracy"]["n"] == 2


@pytest.mark.parametrize(("words", "n"), [((), None), (("--n", "300"), 300)])
def test_all_questions_are_measured_unless_a_number_was_given(
    corvid: Corvid, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], n: int | None
) -> None:
    wanted: list[int | None] = []

    def evaluate(n: int | None, seed: int, *rest: object) -> dict[str, object]:
        wanted.append(n)
        return {"suite": "scenes", "model": "scripted", "seed": seed, "rows": {}}

    monkeypatch.setattr(scenes, "evaluate", evaluate)
    status, _, err = corvid("eval", "scenes", "--data", "made", "--json", *words)
    assert status == 0, err
    assert wanted == [n]


@pytest.mark.parametrize("stage", ["pretrain", "instruct", "detector"])
def test_a_recipe_that_is_none_is_bad_input(corvid: Corvid, stage: str) -> None:
    Path("recipe.yaml").write_text("colour: blue")
    status, _, err = corvid("train", stage, "--config", "recipe.yaml")
    assert status == 2
    assert "recipe.yaml" in err
    assert "Traceback" not in err
