"""The shape of a benchmark's result, and how a driver is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

Metric: TypeAlias = dict[str, float | int | None]
Row: TypeAlias = dict[str, Metric] | dict[str, str]

TIMEOUT = 900.0
"""Seconds that one run of a driver may take."""

_HERE = Path(__file__).parent


class CannotRun(Exception):
    """A system that cannot be measured here: one sentence, which becomes its row's ``error``."""


def metric(samples: Sequence[float], digits: int = 3) -> Metric:
    """The median of repeated measurements. ``low`` and ``high`` are the smallest and the largest:
    a handful of repetitions has no honest 95 % interval."""
    low, value, high = (round(f(samples), digits) for f in (min, median, max))
    return {"value": value, "low": low, "high": high, "n": len(samples)}


def result(suite: str, model: str, seed: int, rows: Mapping[str, Row]) -> dict[str, Any]:
    """What ``corvid bench --json`` prints."""
    return {"suite": suite, "model": model, "seed": seed, "rows": dict(rows)}


def drive(python: Path, driver: str, arguments: Sequence[str | int], folder: Path) -> Any:
    """Run ``drivers/DRIVER.py`` in ``folder`` and return the JSON that it prints last.

    A peer's driver sees what its interpreter has installed and nothing of Corvid. Raises
    ``CannotRun``.
    """
    roots = [_HERE]
    if python == Path(sys.executable):
        roots.append(_HERE.parent.parent)  # Corvid itself, where it is not installed
    command = [str(python), "-m", f"drivers.{driver}", *map(str, arguments)]
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANGSMITH_TRACING": "false",
        "HF_HUB_OFFLINE": "1",
    }
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{driver} was not done after {TIMEOUT:.0f} s") from None
    if done.returncode:
        raise CannotRun(f"{driver} failed: {last_line(done.stderr) or done.returncode}")
    return json.loads(last_line(done.stdout))


def say(text: str) -> None:
    """Progress, for a person."""
    print(text, file=sys.stderr, flush=True)


def last_line(text: str) -> str:
    """The last line that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
