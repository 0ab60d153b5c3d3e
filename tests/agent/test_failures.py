"""What a person is told of an error, and the exit status that a script gets."""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from agent import log
from agent.cli.failures import explain
from agent.errors import InputError, RunError
from agent.log import Log
from mllm.backends.protocol import MalformedOutput, ModelError, WrongModel
from mllm.yolo import WeightsError

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize(
    ("library", "extra"),
    [
        ("torch", "local"),
        ("huggingface_hub", "local"),
        ("cv2", "vision"),
        ("playwright.async_api", "gui"),
        ("jeepney.io.blocking", "desktop"),
        ("tqdm", "train"),
        ("psutil", "train"),
    ],
)
def test_a_missing_library_is_told_with_the_extra_that_brings_it(library: str, extra: str) -> None:
    said, status = explain(ModuleNotFoundError(f"No module named {library!r}", name=library))
    assert said == f"this needs {library.partition('.')[0]}: pip install 'corvid-agent[{extra}]'"
    assert status == 1
    assert re.search(rf"^{extra} = \[", PYPROJECT.read_text(encoding="utf-8"), re.M)


def test_another_missing_library_keeps_its_name() -> None:
    said, status = explain(ModuleNotFoundError("No module named 'frobnicate'", name="frobnicate"))
    assert "frobnicate" in said and status == 1


@pytest.mark.parametrize(
    ("module", "library", "begins"),
    [
        ("tools.gui.browser", "playwright", "Browser needs playwright: install it with `pip"),
        ("tools.gui.desktop.desktop", "jeepney", "Desktop needs jeepney: install it with `pip"),
    ],
)
def test_what_a_tool_says_of_its_library_is_shown_as_it_is(
    module: str, library: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return there(name, *rest)

    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(module)
    said, status = explain(raised.value)
    assert said.startswith(begins) and "--debug" not in said
    assert status == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("no such file"), 2),
        (WrongModel("no folder 'x'"), 2),
        (WeightsError("x.pt is not there"), 2),
        (RunError("Cannot write: free space"), 1),
        (ModelError("the server cannot be reached: start it"), 1),
        (MalformedOutput("the answer is not JSON", "%%%"), 1),
    ],
)
def test_what_cannot_be_used_is_bad_input_and_what_gave_out_is_a_failure(
    error: Exception, status: int
) -> None:
    assert explain(error) == (str(error), status)


def test_a_run_at_work_elsewhere_and_a_full_disk_are_failures(tmp_path: Path) -> None:
    held = Log(tmp_path)
    with pytest.raises(RunError) as locked:
        Log(tmp_path)
    held.close()
    full = log.disk_error(tmp_path, OSError(28, "No space left on device"))
    for error, said in ((locked.value, "another process"), (full, "free space")):
        told, status = explain(error)
        assert said in told and status == 1
