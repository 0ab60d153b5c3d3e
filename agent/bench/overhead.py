"""What an agent framework costs by itself: a scripted model, a new screenshot at each step.

Every system does the same: N times a call of the tool ``screenshot``, which gives a new picture
of about 120 KB, then an answer. Every picture stays in the model's sight; the scripted model
costs nothing, but what a system does to put its conversation before a model is counted (the peers
encode pictures for an API, Corvid opens each new one for its session). Measured, after a warm-up
run in the same process:

- ``ms_step_N``: milliseconds a step, of which ``overhead_ms_N`` are not spent in the tool;
  ``overhead_cpu_ms_N`` is the processor's time in them, which other work on the machine disturbs
  less;
- ``rss_mb``: the largest resident size of the process, at the largest N;
- ``sent_bytes_N``: text and pictures that the model's interface was handed over the run, in the
  form it was handed them (files, or base64 in the conversation), summed over its calls;
- ``checkpoint_ratio``: bytes on the disk after the run for each byte of picture that was taken,
  at the largest N. smolagents and pydantic-ai keep nothing on the disk (0): a run of theirs that
  is killed is lost.

A run is a fresh process; systems and sizes take turns. ``value`` is the median of the
repetitions, ``low`` and ``high`` are the smallest and the largest.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.bench import peers
from agent.bench.measure import CannotRun, Metric, Row, drive, metric, result, say

SYSTEMS = ("corvid", "smolagents", "langgraph", "pydantic_ai")
REPETITIONS = 3


def run(
    seed: int = 0,
    steps: Sequence[int] = (20, 50),
    *,
    systems: Sequence[str] = SYSTEMS,
    repetitions: int = REPETITIONS,
) -> dict[str, Any]:
    """The benchmark's result. A system that cannot run has a row with ``error``."""
    pythons = {"corvid": Path(sys.executable)}
    errors: dict[str, str] = {}
    runs: dict[tuple[str, int], list[dict[str, float]]] = {}
    others = [system for system in systems if system != "corvid"]
    try:
        pythons |= dict.fromkeys(others, peers.python("agents")) if others else {}
    except CannotRun as error:
        errors = dict.fromkeys(others, str(error))
    turns = [(n, s) for _ in range(repetitions) for n in steps for s in systems]
    for turn, (n, system) in enumerate(turns, 1):
        if system in errors:
            continue
        say(f"{turn}/{len(turns)} {system}, {n} steps")
        try:
            one = _measure(pythons[system], system, n, seed)
            runs.setdefault((system, n), []).append(one)
        except CannotRun as error:
            errors[system] = str(error)
    rows: dict[str, Row] = {
        s: {"error": errors[s]} if s in errors else _row(s, steps, runs) for s in systems
    }
    return result("overhead", "scripted", seed, rows)


def _measure(python: Path, system: str, steps: int, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="corvid-bench-") as folder:
        measured: dict[str, float] = drive(python, system, [steps, seed], Path(folder))
    return measured


def _row(
    system: str, steps: Sequence[int], runs: dict[tuple[str, int], list[dict[str, float]]]
) -> dict[str, Metric]:
    row: dict[str, Metric] = {}
    for name in ("ms_step", "overhead_ms", "overhead_cpu_ms", "sent_bytes"):
        for n in steps:
            row[f"{name}_{n}"] = metric([one[name] for one in runs[system, n]])
    largest = runs[system, max(steps)]
    row["rss_mb"] = metric([one["rss_mb"] for one in largest], 1)
    row["checkpoint_ratio"] = metric(
        [one["stored_bytes"] / one["image_bytes"] for one in largest], 4
    )
    return row
