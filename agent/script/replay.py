"""A run repeated in the browser without a model, through the tool that made it.

Each step is found by its locators, done with all the checks of the tool (approval included), and
judged: what was verified must be verified again. Only where no locator finds the element any more
is a model asked which one it is now; the healed step is then kept beside the record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from agent.errors import AgentError
from agent.result import Run
from agent.script import deeds as kept
from agent.script.heal import choose
from agent.store import MediaStore, RunInfo
from mllm.backends.protocol import Backend, ModelError
from mllm.content import Artifact, Boxes, Record
from tools.gui.browser import Browser
from tools.gui.deeds import Deed
from tools.gui.locators import Anchor, locate
from tools.gui.observation import Snapshot
from tools.gui.secrets import PLACEHOLDER
from tools.gui.targets import REFERENCE
from tools.pool import ExpertPool, default_pool
from tools.protocol import ToolError

PATIENCE = 5.0
"""Seconds that an element gets to appear."""
OPTIONAL = 1.0
"""The same for what was only in the way."""
SKIPPED = ("extract", "tabs")


class ReplayFailed(AgentError):
    """A step that could not be repeated. Says which, and why."""


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
    """The domains that the run was on, the kinds of addresses beside http, and the folders of its
    files: all that a replay may visit."""
    urls = [urlsplit(url) for deed in deeds for url in (deed.url, deed.then)]
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
    for index, deed in enumerate(deeds):
        step = _Step(index + 1, deed, browser, context)
        name = deed.action["name"]
        if deed.verdict == "contradicted" or (name in SKIPPED and deed.action.get("do") != "close"):
            continue
        healed = False
        refs: dict[str, str] = {}
        for said, anchor in deed.anchors.items():
            needed = said in ("target", "to")
            patience = PATIENCE if needed and not deed.recovery else OPTIONAL
            refs[said] = step.find(anchor, patience)
            if refs[said] or not needed or deed.recovery:
                continue
            refs[said] = step.heal(anchor, model, info)
            healed = True
        if deed.recovery and not refs.get("target"):
            yield Repeated(step.number, step.what, "skipped", "nothing was in the way")
            continue
        done = step.make(refs)
        if deed.recovery:
            step.fades(deed.anchors["target"])
        if healed:
            deeds[index] = step.rewritten(done)
            kept.write(run, deeds)
        yield Repeated(step.number, step.what, "healed" if healed else "done", done.why)


@dataclass
class _Step:
    number: int
    deed: Deed
    browser: Browser
    context: Context

    @property
    def what(self) -> str:
        """The step without the references of that day: ``click button "Book"``."""
        anchor = self.deed.anchors.get("target")
        said = self.deed.action.get("url") or self.deed.action.get("keys") or ""
        return f"{self.deed.action['name']} {anchor.words() if anchor else said}".strip()

    def find(self, anchor: Anchor, patience: float) -> str:
        """The reference that the element has now, "" when no locator finds it in time."""

        async def look() -> str:
            return await locate(anchor, await self.browser.session.view())

        end = time.monotonic() + patience
        while True:
            ref = self.browser.session.call(look, 10, "finding an element")
            if ref or time.monotonic() >= end:
                return ref
            time.sleep(0.1)

    def fades(self, anchor: Anchor) -> None:
        """Wait until what was dismissed is gone: such things fade away."""
        end = time.monotonic() + OPTIONAL
        while self.find(anchor, 0.0) and time.monotonic() < end:
            time.sleep(0.1)

    def heal(self, was: Anchor, model: Callable[[], Backend], info: RunInfo) -> str:
        """The reference that a model gives to what was not found. Raises ``ReplayFailed``."""

        async def look() -> Snapshot:
            return await (await self.browser.session.view()).snapshot()

        elements = self.browser.session.call(look, 10, "looking").elements
        try:
            ref = choose(
                model(), self.context.media, self.what, was, elements, info.task, info.lang
            )
        except (ModelError, ModuleNotFoundError) as error:
            raise self.failed(
                f"{was.words()} is no longer on the page, and no model could say what it is now "
                f"({error}). Name a usable one with --model"
            ) from error
        if not ref:
            raise self.failed(
                f"{was.words()} is no longer on the page, and the model found nothing that is it "
                "now. Do the task again with `corvid run`"
            )
        return ref

    def make(self, refs: dict[str, str]) -> Deed:
        """Do it, and see that it came to what it came to. Raises ``ReplayFailed``."""
        try:
            parts = self.browser.call(self._arguments(refs), self.context)
        except ToolError as error:
            raise self.failed(str(error)) from error
        (*_, record) = (part for part in parts if isinstance(part, Record))
        done = Deed.model_validate(record.data)
        if done.verdict == "contradicted" or (self.deed.verdict, done.verdict) == (
            "verified",
            "unverified",
        ):
            raise self.failed(f"{done.verdict}: {done.why}")
        return done

    def rewritten(self, done: Deed) -> Deed:
        """The step with the locators that it has now."""
        anchors = {**self.deed.anchors, **done.anchors}
        return done.model_copy(update={"action": self.deed.action, "anchors": anchors})

    def failed(self, why: str) -> ReplayFailed:
        return ReplayFailed(f"Step {self.number} ({self.what}) was not repeated: {why}.")

    def _arguments(self, refs: dict[str, str]) -> dict[str, Any]:
        """The recorded call, with the references of today."""

        def now(value: Any, key: str) -> Any:
            if isinstance(value, dict):
                return {k: now(v, k) for k, v in value.items()}
            if isinstance(value, list | tuple):
                return [now(one, "") for one in value]
            if isinstance(value, str) and key in ("gone", "target") and REFERENCE.fullmatch(value):
                return refs.get(value) or value
            return value

        deed = self.deed
        action = now(deed.action, "")
        for end in ("target", "to"):
            if refs.get(end):
                action[end] = refs[end]
        if deed.point is not None or isinstance(action.get("target"), dict):
            raise self.failed("it points at a picture, which no locator finds again")
        if action["name"] == "press":
            action["keys"] = deed.what.removeprefix("press ")
        beside = {"expect": now(deed.expect, ""), "answer": deed.answer}
        return {"action": action, "accept_dialog": deed.accept_dialog, **beside}
