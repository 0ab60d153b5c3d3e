"""What a browser agent costs by itself: a scripted model, the same actions on the same pages.

Three pages: a form of five actions, a shop with 40 goods, a list with 6,000 elements. Every system
opens a page, is told by a scripted model what to do in its own words and references, and is through
when the page says so. Measured, after a warm-up in the same process:

- ``ms_step``: milliseconds from the model's answer to its next question: acting, waiting, looking
  again, writing the prompt. ``ms_step.PAGE`` the same by page;
- ``prompt_chars``: characters of text that the model is handed for a step: instructions, all of the
  conversation, the observation, the schema of its tools; ``prompt_chars.PAGE`` the same by page;
- ``schema_chars``: how many of these are a schema that goes beside the messages;
- ``observation_bytes.PAGE``: the largest observation of a page, text alone.

browser-use waits a quarter of a second and BrowserGym half a second before each look; both are
their defaults, and are left as they are. Corvid waits until the page is calm.

A run is a fresh process; systems take turns. ``value`` is the median of the repetitions, ``low``
and ``high`` are the smallest and the largest.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from agent.bench import peers
from agent.bench.drivers.gui_task import PAGES
from agent.bench.measure import CannotRun, Metric, Row, drive, metric, result, say

SYSTEMS: dict[str, peers.Environment | None] = {
    "corvid": None,
    "browser_use": "browser_use",
    "browsergym": "browsergym",
}
"""Each with the environment that it needs, None for this one."""
REPETITIONS = 3

Figures = dict[str, Any]
"""What a driver prints: by page ``ms`` and ``chars``, a number a step, ``schema`` and ``bytes``."""


def run(
    pages: Sequence[str] = tuple(PAGES),
    *,
    systems: Sequence[str] = tuple(SYSTEMS),
    repetitions: int = REPETITIONS,
) -> dict[str, Any]:
    """The benchmark's result. A system that cannot run has a row with ``error``."""
    errors: dict[str, str] = {}
    runs: dict[str, list[Figures]] = {system: [] for system in systems}
    turns = [system for _ in range(repetitions) for system in systems]
    for turn, system in enumerate(turns, 1):
        if system in errors:
            continue
        say(f"{turn}/{len(turns)} {system}")
        try:
            runs[system].append(_measure(system, pages))
        except CannotRun as error:
            errors[system] = str(error)
    rows: dict[str, Row] = {
        s: {"error": errors[s]} if s in errors else _row(pages, runs[s]) for s in systems
    }
    return result("gui", "scripted", 0, rows)


def _measure(system: str, pages: Sequence[str]) -> Figures:
    needed = SYSTEMS[system]
    python = Path(sys.executable) if needed is None else peers.python(needed)
    with tempfile.TemporaryDirectory(prefix="corvid-bench-") as folder:
        figures: Figures = drive(python, f"gui_{system}", pages, Path(folder))
    return figures


def _row(pages: Sequence[str], runs: Sequence[Figures]) -> dict[str, Metric]:
    row: dict[str, Metric] = {}
    for name, figure in (("ms_step", "ms"), ("prompt_chars", "chars")):
        of_all = [mean(x for page in pages for x in one[page][figure]) for one in runs]
        row[name] = metric(of_all, 1)
        for page in pages:
            row[f"{name}.{page}"] = metric([mean(one[page][figure]) for one in runs], 1)
    row["schema_chars"] = metric([one[pages[0]]["schema"] for one in runs], 0)
    for page in pages:
        row[f"observation_bytes.{page}"] = metric([one[page]["bytes"] for one in runs], 0)
    return row
