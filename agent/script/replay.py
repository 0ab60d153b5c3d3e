"""A run repeated in the browser without a model, through the tool that made it.

Each step is found by its locators, done with all the checks of the tool (approval included), and
judged: what was verified must be verified again. Only where no locator finds the element any more
is a model asked which one it is now; the healed step is then kept beside the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from agent.result import Run
from agent.script import deeds as kept
from agent.script.step import Step
from agent.store import MediaStore, RunInfo
from mllm.backends.protocol import Backend
from mllm.content import Artifact, Boxes
from tools.gui.browser import Browser
from tools.gui.deeds import Deed
from tools.gui.secrets import PLACEHOLDER
from tools.pool import ExpertPool, default_pool
from tools.protocol import ToolError


@dataclass(frozen=True)
class Repeated:
    """One step of a replay."""

    number: int
    what: str
    how: Literal["done", "healed", "skipped"]
    why: str


@dataclass
class Context:
    """A ``ToolContext`` over the media of the run that is repeated."""

    run: str
    media: MediaStore
    artifacts: dict[str, Artifact]
    lang: str
    answers: Mapping[str, str] = field(default_factory=dict)
    model: Backend | None = None
    pool: ExpertPool = field(default_factory=default_pool)
    task: str = ""
    """Whether the task was done, the run has judged."""

    def artifact(self, id: str) -> Artifact:
        if id not in self.artifacts:
            raise ToolError(f"there is no {id!r} in the run that is repeated")
        return self.artifacts[id]

    def boxes(self, id: str) -> Boxes:
        raise ToolError(f"there is no {id!r} in the run that is repeated")


def limits(deeds: list[Deed]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The domains that the run was on and acted in, the kinds of addresses beside http, and the
    folders of its files: all that a replay may visit."""
    urls = [urlsplit(url) for deed in deeds for url in (deed.url, deed.then, *deed.frames)]
    urls += [urlsplit(deed.action.get("url", "")) for deed in deeds]
    hosts = {url.hostname for url in urls if url.hostname}
    schemes = {url.scheme for url in urls} & {"file", "data"}
    folders = {str(Path(unquote(url.path)).parent) for url in urls if url.scheme == "file"}
    return tuple(sorted(hosts)), tuple(sorted(schemes)), tuple(sorted(folders))


def secrets(deeds: list[Deed]) -> set[str]:
    """Names of the secrets that were typed."""
    return {name for d in deeds for name in PLACEHOLDER.findall(d.action.get("text") or "")}


def replay(
    run: Run,
    info: RunInfo,
    browser: Browser,
    model: Callable[[], Backend],
    artifacts: dict[str, Artifact],
) -> Iterator[Repeated]:
    """Repeat a run, step by step. ``model`` is called only when a step must be healed.

    Raises ``ReplayFailed`` at the first step that cannot be repeated.
    """
    deeds = kept.read(run)
    context = Context(f"{run.id} again", MediaStore(run.folder), artifacts, info.lang)
    names: dict[str, str] = {}
    for index, deed in enumerate(deeds):
        step = Step(index + 1, deed, browser, context, names)
        if not kept.took_effect(deed) or step.only_reads:
            continue
        step.enter()
        refs, lost = step.find_all()
        for end in () if deed.recovery else lost:
            refs[end] = step.heal(end, model, info)
        if deed.recovery and not refs.get("target"):
            yield Repeated(step.number, step.what, "skipped", "nothing was in the way")
            continue
        arguments = step.arguments(refs)
        if arguments is None:
            yield Repeated(step.number, step.what, "skipped", "nothing of it can be checked again")
            continue
        done = step.make(arguments)
        if deed.recovery:
            step.fades(deed.anchors["target"])
        if lost:
            deeds[index] = step.rewritten(done)
            kept.write(run, deeds)
        yield Repeated(step.number, step.what, "healed" if lost else "done", done.why)
