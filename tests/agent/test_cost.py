"""What the loop costs besides the model and the tools."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PILImage

from agent import Agent, Budget
from mllm.backends.scripted import Scripted
from tests.agent.helpers import after, call, calls
from tools import Picture, tool

STEPS = 50


def screenshot(number: int) -> bytes:
    """A PNG of about 120 kB, different for each number."""
    picture = PILImage.new("L", (640, 400), number)
    picture.paste(PILImage.effect_noise((360, 360), 90), (10, 10))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scripted]:
    """The folder of a run of fifty steps with a screenshot each, and its model."""
    runs = tmp_path_factory.mktemp("runs")
    shots = [screenshot(number) for number in range(STEPS)]
    queue = iter(shots)

    @tool
    def shoot() -> Picture:
        """Take a screenshot."""
        data = next(queue)
        return Picture(PILImage.open(io.BytesIO(data)), "", "shot", data)

    model = after([*[calls(call("shoot"), thought="I look at the page again.")] * STEPS, "Done."])
    budget = Budget(steps=STEPS + 1, pictures=STEPS + 1)
    result = Agent(model, [shoot], runs=runs, verify=False, budget=budget).run("Look.")
    kept = sorted(p.read_bytes() for p in (result.run.folder / "media").iterdir())
    assert kept == sorted(shots)
    return result.run.folder, model


def test_a_run_folder_is_hardly_larger_than_its_pictures(done: tuple[Path, Scripted]) -> None:
    folder, _ = done
    pictures = sum(p.stat().st_size for p in (folder / "media").iterdir())
    everything = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert everything <= 1.1 * pictures
    # The state behind a checkpoint does not grow: the record keeps each step once.
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert max(map(len, lines)) < 1_000


def test_what_a_model_was_shown_stays_as_it_was(done: tuple[Path, Scripted]) -> None:
    """So a session can go on from what it has seen."""
    _, model = done
    for before, now in zip(model.seen[1:], model.seen[2:], strict=False):
        assert now[: len(before)] == before


def test_checkpoints_do_not_grow_with_the_steps(done: tuple[Path, Scripted]) -> None:
    folder, _ = done
    with sqlite3.connect(folder / "checkpoint.sqlite") as connection:
        rows = connection.execute("SELECT length(checkpoint) FROM checkpoints ORDER BY rowid")
        sizes = [size for (size,) in rows]
    assert len(sizes) > 3 * STEPS
    assert max(sizes[-20:-5]) <= max(sizes[5:20]) + 20


def test_import_is_light() -> None:
    code = (
        "import agent, tools, mllm, sys\n"
        "agent.Agent, agent.Budget, agent.Result\n"
        "heavy = {'torch', 'transformers', 'ultralytics', 'langgraph', 'langchain_core', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
