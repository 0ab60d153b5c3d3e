"""Playing page tasks in the real browser, and the data set that this gives.

It lies here and not beside the world (``mllm/data/pages``) because imports run down: it needs the
browser of ``tools`` and the loop of ``agent``, so that a transcript has exactly the words that a
model meets at work: plan, budget notes, observations and failures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.evaluation.episodes import Row, append
from agent.evaluation.pages_policies import accepted, oracle
from agent.evaluation.stage import SECONDS, Stage
from mllm.backends.protocol import Backend
from mllm.data.pages import Act, PageTask, make
from mllm.data.pages.task import Split
from mllm.episode import Episode
from tools.gui.judge import SENTENCE, plain
from tools.gui.targets import called
from tools.gui.words import NEGATIONS, REFUSALS

ABSENT = re.compile(r"\b(?:missing|absent|lacks?|lacking|unknown|impossible)\b|缺")
"""What says that something is not there, beside the words of denial and refusal."""


@dataclass(frozen=True)
class Played:
    """How a task went. ``success``: the predicate holds (and of a task that cannot be done,
    nothing was claimed and the answer says why not); ``claimed``: done was said and accepted."""

    success: bool
    claimed: bool
    episode: Episode
    seconds: float


def says_so(task: PageTask, answer: str) -> bool:
    """Whether an answer is right about how a task ends that cannot be done: a sentence says of what
    is missing that it is, or the answer tells of the refusal. Of others it may be any."""
    if task.ending == "missing":
        said = [plain(sentence) for sentence in SENTENCE.split(f"{answer}\n")]
        about = [one.split(plain(task.evidence)) for one in said if plain(task.evidence) in one]
        return any(_denies(" · ".join(parts)) for parts in about)
    return task.ending == "done" or plain(task.evidence) in plain(answer) or _denies(answer)


def _denies(said: str) -> bool:
    said = said.replace("’", "'")
    return bool(NEGATIONS.find(said) or REFUSALS.find(said) or ABSENT.search(said.casefold()))


class Theatre(Stage):
    """Page tasks, and what their state says in the end."""

    def play(self, task: PageTask, policy: Callable[[str], Backend]) -> Played:
        """Let a model do the task. ``policy`` gives the model for the address of the page."""
        url = self.site.put(task.kind, task.html)
        self.clear()
        told = self.perform(policy(url), f"{task.goal}\n{url}").told
        answer = told.answered.answer if told.answered else None
        made = [
            accepted(call.name, call.arguments, result.words())
            for step in told.steps
            for call, result in zip(step.calls, step.results, strict=True)
        ]
        holds = bool(self.look(f"typeof state!=='undefined'&&({task.success})"))
        claimed = any(made)
        success = holds and (claimed if task.ending == "done" else not claimed)
        success = success and says_so(task, answer or "")
        episode = told.episode().model_copy(update={"steps": tuple(told.steps), "answer": answer})
        return Played(success, claimed, episode, told.elapsed)

    def play_oracle(self, task: PageTask) -> Played:
        return self.play(task, lambda url: oracle(task, url, self.find))

    def find(self, act: Act) -> str:
        """The label of an act's target, or its reference where several are called so."""
        session = self.browser.session

        async def look() -> str:
            snapshot = await (await session.view()).snapshot()
            named = [e for e in snapshot.elements if e.name == act.target]
            refs = [e.ref for e in named if e.acts] or [e.ref for e in named]
            return called(snapshot, refs[act.nth]) if act.nth < len(refs) else act.target

        return session.call(look, SECONDS, "looking")


def write_episodes(out: Path, n: int, seed: int, split: Split = "train", kind: str = "") -> int:
    """Play the oracle of the tasks 0 to ``n`` - 1 and append a line for each to ``out``; those
    that are in the file already are not played again. Returns how many were played."""
    tasks = [make(seed, index, split, kind) for index in range(n)]
    with Theatre() as theatre:
        return append(out, {task.id: partial(_row, theatre, task) for task in tasks})


def _row(theatre: Theatre, task: PageTask) -> Row:
    played = theatre.play_oracle(task)
    wrong = [False, *(act.wrong for act in task.acts)]
    learn = [not (i < len(wrong) and wrong[i]) for i in range(len(played.episode.steps))]
    return {
        "id": task.id,
        "kind": task.kind,
        "lang": task.lang,
        "ending": task.ending,
        "goal": task.goal,
        "success": played.success,
        "claimed": played.claimed,
        "learn": learn,
        "episode": played.episode.model_dump(mode="json"),
    }
