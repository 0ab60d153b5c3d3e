"""`corvid eval pages`: wishes on interfaces whose layouts, styles and words training never shows.

Rows, on the same tasks: ``model``, and beside it ``oracle`` (what is possible) and ``random`` (what
luck gives). ``success`` is what the page's own state says, never what the agent says;
``success.KIND`` the same by kind; ``false_success`` the share of tasks in which done was said and
accepted though the state says otherwise.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import track

from agent.evaluation.pages_policies import at_random
from agent.evaluation.pages_runner import Played, Theatre
from agent.evaluation.scenes import Metric, share
from mllm.backends import load
from mllm.backends.protocol import Backend
from mllm.data.pages import KINDS, PageTask, make

Play = Callable[[PageTask], Played]


def evaluate(
    n: int,
    seed: int,
    model: str | Backend | None,
    kinds: Sequence[str] = KINDS,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`; without a ``model``, the controls alone.

    The kinds take turns, so that ``n`` tasks hold as many of each. Progress goes to stderr.
    Raises ``ModelError`` when the model cannot be used, ``KeyError`` for an unknown kind.
    """
    backend = None if model is None else load(model)
    tasks = [make(seed, i, "eval", kinds[i % len(kinds)]) for i in range(n)]
    with Theatre() as theatre:

        def by_luck(task: PageTask) -> Played:
            rng = random.Random(f"random/{task.id}")
            return theatre.play(task, lambda url: at_random(task.goal, task.lang, rng, url))

        players: dict[str, Play] = {"oracle": theatre.play_oracle, "random": by_luck}
        if backend is not None:
            players = {"model": lambda task: theatre.play(task, lambda _: backend), **players}
        rows = {name: _measure(tasks, play, name, quiet) for name, play in players.items()}
    name = "none" if backend is None else backend.name
    return {"suite": "pages", "model": name, "seed": seed, "rows": rows}


def _measure(tasks: Sequence[PageTask], play: Play, name: str, quiet: bool) -> dict[str, Metric]:
    by_kind: dict[str, list[bool]] = defaultdict(list)
    false, steps, seconds = 0, 0, 0.0
    bar = track(tasks, name, console=Console(stderr=True), disable=quiet)
    for task in bar:
        played = play(task)
        by_kind[task.kind].append(played.success)
        false += played.claimed and not played.success
        steps += len(played.episode.steps)
        seconds += played.seconds
    every = [one for some in by_kind.values() for one in some]
    out: dict[str, Metric] = {
        "success": share(sum(every), len(every)),
        "false_success": share(false, len(every)),
        "ms_step": {"value": 1000 * seconds / max(steps, 1), "low": None, "high": None, "n": steps},
    }
    for kind, some in sorted(by_kind.items()):
        out[f"success.{kind}"] = share(sum(some), len(some))
    return out
