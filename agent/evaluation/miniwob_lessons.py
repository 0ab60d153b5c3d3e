"""Episodes of MiniWoB++ that its teacher plays, as lessons (``corvid data miniwob``)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from agent.evaluation.episodes import Row, append
from agent.evaluation.miniwob_runner import MiniWob
from agent.evaluation.miniwob_teacher import TEACHERS, teacher
from agent.evaluation.pages_policies import Policy
from prompts import language

FIRST = 1_000_000
"""The least seed of a lesson. Measuring uses lower ones."""


def write_episodes(out: Path, n: int, seed: int) -> int:
    """Play ``n`` episodes, one task after the other, and append a line for each; returns how many
    were played. The ``seed`` of the first pages counts from ``FIRST`` on."""
    tasks = list(TEACHERS)
    played = [(tasks[i % len(tasks)], FIRST + seed + i // len(tasks)) for i in range(n)]
    with MiniWob() as stage:
        return append(
            out,
            {f"miniwob-{task}-{page}": partial(_row, stage, task, page) for task, page in played},
        )


def _row(stage: MiniWob, task: str, seed: int) -> Row:
    goal = ""

    def policy(asked: str) -> Policy:
        nonlocal goal
        goal = asked
        return teacher(task, asked)

    played = stage.play(task, seed, policy)
    episode = played.episode
    steps = len(episode.steps) if episode else 0
    return {
        "id": f"miniwob-{task}-{seed}",
        "kind": task,
        "lang": language(goal),
        "ending": "page",
        "goal": goal,
        "success": played.ending == "success",
        "claimed": False,
        "learn": [i > 0 for i in range(steps)],  # the page was open: that is no step of the model
        "episode": episode.model_dump(mode="json") if episode else None,
    }
