"""One deed done again: its tab and its elements are found, and what comes of it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from agent.errors import AgentError
from agent.script.deeds import words
from agent.script.heal import choose
from agent.store import RunInfo
from mllm.backends.protocol import Backend, ModelError
from mllm.content import Record
from tools.gui.browser import Browser
from tools.gui.deeds import Deed
from tools.gui.failures import Failure
from tools.gui.locators import Anchor, locate
from tools.gui.observation import Snapshot
from tools.gui.targets import REFERENCE
from tools.protocol import Part, ToolContext, ToolError

PATIENCE = 5.0
"""Seconds that an element gets to appear."""
OPTIONAL = 1.0
"""The same for what was only in the way."""
ENDS = ("target", "to")
"""What an action is done to."""


class ReplayFailed(AgentError):
    """A step that could not be repeated. Says which, and why."""


@dataclass
class Step:
    """``names`` are those of today of the tabs and elements of that day, all steps together."""

    number: int
    deed: Deed
    browser: Browser
    context: ToolContext
    names: dict[str, str]

    @property
    def only_reads(self) -> bool:
        action = self.deed.action
        return action["name"] == "extract" or action.get("do") == "list"

    @property
    def what(self) -> str:
        """The step without the references of that day: ``click button "Book"``."""
        anchor = self.deed.anchors.get("target")
        if anchor is None:
            return words(self.deed)
        return f"{self.deed.action['name']} {anchor.words()}"

    def enter(self) -> None:
        """Go to the tab that it was done in. Raises ``ReplayFailed``."""
        front = self._front()
        if front and self.names.setdefault(self.deed.tab, front) != front:
            switch = {"name": "tabs", "do": "switch", "tab": self.names[self.deed.tab]}
            self._call({"action": switch})

    def find_all(self) -> tuple[dict[str, str], list[str]]:
        """The references that its elements have now, and which of its ends have none."""
        deed, refs, lost = self.deed, dict[str, str](), list[str]()
        for said, anchor in deed.anchors.items():
            needed = said in ENDS and not deed.recovery
            refs[said] = self.find(anchor, PATIENCE if needed else OPTIONAL)
        for end in ENDS:
            if not refs.get(end) and (end in refs or _reference(deed.action.get(end))):
                lost.append(end)
        return refs, lost

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

    def heal(self, end: str, model: Callable[[], Backend], info: RunInfo) -> str:
        """The reference that a model gives to what was not found. Raises ``ReplayFailed``."""

        async def look() -> Snapshot:
            return await (await self.browser.session.view()).snapshot()

        anchor = self.deed.anchors.get(end)
        was = anchor.words() if anchor else f"what this was done to: {self.what}"
        elements = self.browser.session.call(look, 10, "looking").elements
        try:
            ref = choose(
                model(), self.context.media, self.what, was, elements, info.task, info.lang
            )
        except (ModelError, ModuleNotFoundError) as error:
            raise self.failed(
                f"{was} is no longer on the page, and no model could say what it is now "
                f"({error}). Name a usable one with --model"
            ) from error
        if not ref:
            raise self.failed(
                f"{was} is no longer on the page, and the model found nothing that is it "
                "now. Do the task again with `corvid run`"
            )
        return ref

    def make(self, arguments: dict[str, Any]) -> Deed:
        """Do it, and see that it came to what it came to. Raises ``ReplayFailed``."""
        deed = self.deed
        parts = self._call(arguments)
        (*_, record) = (part for part in parts if isinstance(part, Record))
        done = Deed.model_validate(record.data)
        weaker = done.verdict == "unverified" and deed.verdict == "verified"
        unasked = deed.expect is not None and arguments["expect"] is None
        worse = done.verdict == "contradicted" or (weaker and not unasked)
        if worse and deed.verdict != "contradicted":
            raise self.failed(f"{done.verdict}: {done.why}")
        front = self._front()
        opened = deed.front not in self.names
        if opened and front in self.names.values() and deed.action["name"] != "goto":
            raise self.failed("no tab was opened")
        self.names.setdefault(deed.front, front)
        return done

    def rewritten(self, done: Deed) -> Deed:
        """The step with the locators that it has now."""
        deed = self.deed
        then = {"action": deed.action, "tab": deed.tab, "front": deed.front}
        return done.model_copy(update={"anchors": {**deed.anchors, **done.anchors}, **then})

    def failed(self, why: str) -> ReplayFailed:
        return ReplayFailed(f"Step {self.number} ({self.what}) was not repeated: {why}.")

    def arguments(self, refs: dict[str, str]) -> dict[str, Any] | None:
        """The recorded call in the names of today; None where it only claims what nothing is left
        of to ask for. Raises ``ReplayFailed``."""
        deed, action = self.deed, dict(self.deed.action)
        for said, ref in refs.items():
            then = deed.action.get(said) if said in ENDS else said
            if ref and _reference(then):
                self.names[then] = ref
        for end in ENDS:
            if refs.get(end):
                action[end] = refs[end]
        drawn = any(
            anchor.role == "canvas" and end in deed.grips for end, anchor in deed.anchors.items()
        )
        if drawn or deed.point is not None or isinstance(action.get("target"), dict):
            raise self.failed("it points at a picture, which no locator finds again")
        match action["name"]:
            case "press":
                action["keys"] = deed.what.removeprefix("press ")
            case "tabs" if "tab" in action:
                action["tab"] = self.names.get(action["tab"], action["tab"])
            case "wait_for":
                action["until"] = self._now(action["until"])
            case "done":
                action["evidence"] = list(filter(None, map(self._now, action["evidence"])))
        if not action.get("until", True) or not action.get("evidence", True):
            return None
        asked = deed.verdict != "contradicted" and deed.expect
        expect = self._now(deed.expect or {}) if asked else {}
        return {
            "action": action,
            "accept_dialog": deed.accept_dialog,
            "answer": deed.answer,
            "expect": expect or None,
        }

    def _now(self, claim: dict[str, Any]) -> dict[str, Any]:
        """A claim in the references of today, without what has none: another element may be
        called so by now."""
        now = dict(claim)
        for key in ("gone", "target"):
            if not _reference(said := now.get(key)):
                continue
            if said in self.names:
                now[key] = self.names[said]
                continue
            del now[key]
            if key == "target":
                now.pop("value", None)
        return now

    def _front(self) -> str:
        """The tab in front, "" where no page is open."""

        async def look() -> str:
            try:
                return (await self.browser.session.view()).tab
            except Failure:
                return ""

        return self.browser.session.call(look, 10, "looking at the tabs")

    def _call(self, arguments: dict[str, Any]) -> tuple[Part, ...]:
        """Raises ``ReplayFailed``."""
        try:
            return self.browser.call(arguments, self.context)
        except ToolError as error:
            raise self.failed(str(error)) from error


def _reference(said: object) -> TypeGuard[str]:
    return isinstance(said, str) and REFERENCE.fullmatch(said) is not None
