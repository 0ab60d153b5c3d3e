"""The benchmarks at their smallest: what they report, and what they say when they cannot."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import mllm.backends
from agent.bench import overhead, session
from agent.bench.drivers.task import Camera
from agent.bench.measure import CannotRun, drive, metric
from mllm.backends.protocol import ModelError


def check(result: dict[str, Any], row: str, names: set[str]) -> dict[str, float]:
    """The values of a row, in the JSON of `corvid bench`."""
    assert json.loads(json.dumps(result)) == result
    assert {"suite", "model", "seed", "rows"} <= set(result)
    metrics = result["rows"][row]
    assert set(metrics) == names
    for one in metrics.values():
        assert set(one) == {"value", "low", "high", "n"}
        assert one["low"] <= one["value"] <= one["high"]
    return {name: one["value"] for name, one in metrics.items()}


def test_overhead_of_corvid() -> None:
    result = overhead.run(steps=(2, 4), systems=("corvid",), repetitions=1)
    assert result["suite"] == "overhead"
    names = ("ms_step", "overhead_ms", "overhead_cpu_ms", "sent_bytes")
    per_size = {f"{name}_{n}" for name in names for n in (2, 4)}
    row = check(result, "corvid", per_size | {"rss_mb", "checkpoint_ratio"})
    assert 0 < row["overhead_ms_4"] < row["ms_step_4"]
    # Every picture is kept, and handed to the model once: twice the steps, twice the bytes.
    assert row["checkpoint_ratio"] > 1
    assert row["sent_bytes_4"] == pytest.approx(2 * row["sent_bytes_2"], rel=0.05)


def test_pictures_are_all_different_and_repeat_with_the_seed() -> None:
    shots = [Camera(3, 0).shoot(), Camera(3, 1).shoot(), *_shoot(3)]
    assert shots[0] == shots[2]
    assert len(set(shots)) == 4
    assert all(100_000 < len(shot) < 140_000 for shot in shots)


def test_a_peer_that_cannot_be_installed_has_a_row_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corvid").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = overhead.run(steps=(2,), systems=("smolagents", "langgraph"), repetitions=1)
    assert set(result["rows"]) == {"smolagents", "langgraph"}
    assert all("cannot be installed" in row["error"] for row in result["rows"].values())


def test_a_driver_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="No module named drivers.nobody"):
        drive(Path(sys.executable), "nobody", [], tmp_path)


def test_session_compares_a_kept_session_with_fresh_ones() -> None:
    result = session.run("no-such-folder", (2, 3), peer=False, repetitions=1)
    names = {"s_step_2", "s_step_3", "ratio_3_2"}
    for kind in ("session", "fresh"):
        row = check(result, f"{session.RANDOM}.{kind}", names)
        assert row["ratio_3_2"] == pytest.approx(row["s_step_3"] / row["s_step_2"], rel=0.05)
        assert "no folder" in result["rows"][f"no-such-folder.{kind}"]["error"]


def test_rows_of_a_session_have_the_whole_name_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(source: str) -> None:
        raise ModelError(f"{source} cannot be reached")

    monkeypatch.setattr(mllm.backends, "load", gone)
    monkeypatch.setattr(session, "_random_model", lambda folder: folder)
    model = "openai:qwen@http://127.0.0.1:8000/v1"
    rows = session.run(model, peer=False)["rows"]
    names = (model, session.RANDOM)
    assert set(rows) == {f"{name}.{kind}" for name in names for kind in ("session", "fresh")}
    assert rows[f"{model}.session"]["error"] == f"{model} cannot be reached"


def test_metric_is_the_median_within_its_range() -> None:
    assert metric([3.0, 1.0, 2.0]) == {"value": 2.0, "low": 1.0, "high": 3.0, "n": 3}


def _shoot(number: int) -> list[bytes]:
    camera = Camera(number, 0)
    return [camera.shoot() for _ in range(number)]
