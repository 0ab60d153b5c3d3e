"""`corvid eval miniwob`: the tasks of MiniWoB++ (arXiv 1802.08802), scored by their own pages.

Rows, on the same episodes: the model, under its name; ``random``, what luck gives; ``oracle``,
what can be reached by one who sees what the model sees, on the tasks that have a teacher alone.

- ``success``: episodes with a reward above 0; ``strict``: with the whole reward, 1. Every task has
  as many episodes, so these are means over tasks too, and their intervals err on the wide side;
  ``success.TASK`` the same by task
- ``failure.KIND``: the other episodes: ``wrong`` (the page ended it without a reward), ``gave_up``
  (the model stopped before the page did), ``unfinished`` (no steps were left), ``crashed``
- ``action.KIND``: actions that failed so, such as ``action.not_found``
- ``ms_step``: milliseconds of a step, the sum of ``ms_observe`` (reading the page's elements),
  ``ms_decide`` (the model) and ``ms_act`` (the rest: pointing, typing, waiting for the page)
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args

from rich.console import Console
from rich.progress import track

from agent.errors import InputError
from agent.evaluation.miniwob_runner import OPEN, Ending, MiniWob, Played
from agent.evaluation.miniwob_teacher import TEACHERS, teacher
from agent.evaluation.pages_policies import at_random
from agent.evaluation.scenes import Metric, share
from mllm.backends import load
from mllm.backends.protocol import Backend

SEEDS = 10_000
"""Seeds of measuring lie below; training, if there is any, begins far above."""

Choose = Callable[[str, int, str], Backend]
"""Who plays: the model for a task, a seed and the words that the page asks with."""


def evaluate(
    n: int,
    seed: int,
    model: str | Backend | None,
    tasks: Sequence[str] = (),
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """The measured rows, in the JSON of DESIGN section 6; without a ``model``, the controls alone.

    ``n`` episodes a task, with the seeds from ``seed`` on, of those in ``miniwob_open.txt`` unless
    ``tasks`` are named. Progress goes to stderr. Raises ``InputError`` for an unknown task, for
    seeds that are not for measuring, and where the pages are not installed; ``ModelError`` when
    the model cannot be used.
    """
    if not 0 <= seed <= SEEDS - n:
        raise InputError(
            f"MiniWoB++ is measured on seeds from 0 to {SEEDS - 1}: "
            f"give --seed and --n that stay within"
        )
    wob, tasks = MiniWob(), tasks or OPEN
    if unknown := [task for task in tasks if not wob.knows(task)]:
        raise InputError(f"MiniWoB++ has no task {unknown[0]}: give names such as {OPEN[0]}")
    backend = None if model is None else load(model)

    players: dict[str, tuple[Choose, Sequence[str]]] = {}
    if backend is not None:
        players[backend.name] = (lambda *_: backend), tasks
    players["random"] = _luck, tasks
    if known := [task for task in tasks if task in TEACHERS]:
        players["oracle"] = (lambda task, _, asked: teacher(task, asked)), known
    with wob:
        rows = {
            name: _measure(
                wob, [(t, seed + i) for t in some for i in range(n)], choose, name, quiet
            )
            for name, (choose, some) in players.items()
        }
    name = "none" if backend is None else backend.name
    return {"suite": "miniwob", "model": name, "seed": seed, "rows": rows}


def _luck(task: str, seed: int, asked: str) -> Backend:
    return at_random(asked, "en", random.Random(f"random/{task}/{seed}"))


def _measure(
    wob: MiniWob, episodes: Sequence[tuple[str, int]], choose: Choose, name: str, quiet: bool
) -> dict[str, Metric]:
    console = Console(stderr=True, quiet=quiet)
    played: list[tuple[str, Played]] = []
    for task, seed in track(episodes, name, console=console):
        played.append((task, wob.play(task, seed, partial(choose, task, seed))))
        if why := played[-1][1].why:
            console.print(f"{task}, seed {seed}, broke off: {why}", markup=False)
    every = [one for _, one in played]
    endings = Counter(one.ending for one in every)
    failed = sum((one.failed for one in every), Counter[str]())
    steps, actions = (sum(getattr(one, what) for one in every) for what in ("steps", "actions"))
    out: dict[str, Metric] = {
        "success": share(endings["success"], len(every)),
        "strict": share(sum(one.reward == 1 for one in every), len(every)),
    }
    for kind in get_args(Ending)[1:]:
        out[f"failure.{kind}"] = share(endings[kind], len(every))
    for kind, count in sorted(failed.items()):
        out[f"action.{kind}"] = share(count, actions)
    spent = {
        part: sum(getattr(one.times, part) for one in every)
        for part in ("observe", "decide", "act")
    }
    for part, seconds in {"step": sum(spent.values()), **spent}.items():
        value = 1000 * seconds / max(steps, 1)
        out[f"ms_{part}"] = {"value": value, "low": None, "high": None, "n": steps}
    for task in dict.fromkeys(task for task, _ in played):
        some = [one.ending == "success" for this, one in played if this == task]
        out[f"success.{task}"] = share(sum(some), len(some))
    return out
