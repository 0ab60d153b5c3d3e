"""One tab as Python sees it: its documents, the references they gave, the way to their elements."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from playwright.async_api import ElementHandle, Error, Frame, JSHandle, Page

from tools.color import color_of
from tools.gui.failures import Failure
from tools.gui.numbered import numbered
from tools.gui.observation import Corners, Element, Snapshot
from tools.gui.secrets import PLACEHOLDER, Secrets

PATIENCE = 5.0
"""Seconds within which a document answers, or counts as hanging."""
FRAME_PATIENCE = 1.0
SILENCE = 3.0
"""Seconds for which a frame is left alone whose document does not come."""
CALM, RESTLESS = 40, 500
"""Milliseconds without a change after which a document has come to rest, and that one which never
does gets."""
LATE = 2000
"""Numbers that are kept for the elements of a document that did not answer in time."""
LONG = 120
"""Characters of a name or value."""

Place = tuple[float, float, float]
"""Where a document lies on the screenshot: left, top, scale."""


@dataclass
class References:
    """The numbers that all documents of a browser give to elements: none is given twice."""

    secrets: Secrets
    next: int = 1
    homes: dict[int, Document] = field(default_factory=dict)
    tabs: dict[Page, str] = field(default_factory=dict)


@dataclass
class Document:
    """A frame's document with the closure of the scripts in it, dead after a navigation."""

    frame: Frame
    agent: JSHandle
    holder: ElementHandle | None
    """The element in the parent document that holds this frame."""
    references: References = field(repr=False)

    async def ask(self, method: str, *arguments: Any, patience: float = PATIENCE) -> Any:
        """Call a method of the closure; secrets in the answer are masked. Raises playwright's
        ``Error`` when the document is gone, ``TimeoutError`` when it hangs."""
        first, secrets = self.references.next, self.references.secrets
        call = self.agent.evaluate(CALL, [first, bool(secrets), method, list(arguments)])
        try:
            answer, last = await asyncio.wait_for(call, patience)
        except TimeoutError:  # it may yet give numbers: nobody else gets those
            self._own(first, first + LATE)
            raise
        self._own(first, last)
        return secrets.mask(json.loads(answer) if method == "snapshot" else answer)

    def _own(self, first: int, last: int) -> None:
        """The numbers from ``first`` up to ``last`` are those of its elements."""
        self.references.homes.update(dict.fromkeys(range(first, last), self))
        self.references.next = max(self.references.next, last)


class View:
    """The documents of one tab."""

    def __init__(self, page: Page, references: References, tab: str) -> None:
        self.page, self.tab = page, tab
        self._references = references
        references.tabs[page] = tab
        self._documents: dict[Frame, Document] = {}
        self._silent: dict[Frame, float] = {}
        """Frames whose document does not come, and until when they are left alone."""

    @property
    def secrets(self) -> Secrets:
        return self._references.secrets

    @property
    def url(self) -> str:
        """The address as it may be told."""
        return self.secrets.mask(self.page.url)

    async def snapshot(self) -> Snapshot:
        """All visible elements, one evaluation a document. Frames that hang are named in a note.
        Raises ``Failure`` when the page itself does not answer."""
        try:
            told, rows, notes = await self._read(self.page.main_frame, (0.0, 0.0, 1.0), None)
        except TimeoutError:
            raise Failure(
                "timeout", "the page does not answer (its script is busy). Wait, or goto again."
            ) from None
        return Snapshot(
            url=told["url"],
            title=told["title"],
            width=told["size"][0],
            height=told["size"][1],
            scroll=tuple(told["scroll"]),
            extent=tuple(told["extent"]),
            elements=tuple(numbered(rows)),
            notes=tuple(notes),
            changes=told["changes"],
            veiled=tuple(told["veiled"]),
        )

    async def _read(
        self, frame: Frame, place: Place, clip: Corners | None
    ) -> tuple[dict[str, Any], list[Element], list[str]]:
        patience = PATIENCE if frame.parent_frame is None else FRAME_PATIENCE
        children = [f for f in frame.child_frames if not f.is_detached()]
        told = await self._ask_snapshot(frame, children, patience)
        own = [_element(row, place, clip) for row in told["rows"]]
        told["veiled"] = [  # by what the page told in full: names and values are cut in a row
            e.corners
            for e, (_, _, name, value, *_) in zip(own, told["rows"], strict=True)
            if e.corners and any(PLACEHOLDER.search(said) for said in (name, value or ""))
        ]
        notes: list[str] = []
        left, top, scale = place
        for child, box in zip(children, told["frames"], strict=True):
            if box is None:
                continue
            number, x, y, s, right, bottom = box
            inner = (left + x * scale, top + y * scale, scale * s)
            inner_clip = (*inner[:2], left + right * scale, top + bottom * scale)
            try:
                inside, rows, more = await self._read(child, inner, inner_clip)
            except (Error, TimeoutError):
                notes.append(f"the frame e{number} does not answer")
                continue
            told["changes"] += inside["changes"]
            told["veiled"] += inside["veiled"]
            at = next((i for i, e in enumerate(own) if e.ref == f"e{number}"), len(own) - 1)
            own[at + 1 : at + 1] = rows
            notes += more
        return told, own, notes

    async def _ask_snapshot(
        self, frame: Frame, children: list[Frame], patience: float
    ) -> dict[str, Any]:
        for last in (False, False, True):  # a navigation between the two calls: once more
            try:
                document = await self.document(frame, patience)
                holders = [await self.holder(child) for child in children]
                told: dict[str, Any] = await document.ask("snapshot", holders, patience=patience)
                return told
            except Error:
                self._documents.pop(frame, None)
                if last or self.page.is_closed():
                    raise
                await asyncio.sleep(0.05)
                children[:] = [f for f in children if not f.is_detached()]
        raise AssertionError("unreachable")

    async def document(self, frame: Frame, patience: float = PATIENCE) -> Document:
        """The document of a frame, with the closure installed."""
        if frame in self._documents:
            return self._documents[frame]
        if self._silent.get(frame, 0.0) > time.monotonic():
            raise TimeoutError
        try:
            agent = await asyncio.wait_for(frame.evaluate_handle(SCRIPT), patience)
        except TimeoutError:
            if frame.parent_frame:
                self._silent[frame] = time.monotonic() + SILENCE
            raise
        holder = await self.holder(frame)
        self._documents[frame] = Document(frame, agent, holder, self._references)
        return self._documents[frame]

    async def holder(self, frame: Frame) -> ElementHandle | None:
        """The element that holds a frame, whether or not its document has come yet."""
        if frame in self._documents:
            return self._documents[frame].holder
        return await frame.frame_element() if frame.parent_frame else None

    def home(self, ref: str) -> Document | None:
        """The document of this tab that gave a reference."""
        found = self._references.homes.get(int(ref[1:]))
        return found if found and found.frame.page == self.page else None

    def gave(self, ref: str) -> bool:
        """Whether there ever was an element with this reference."""
        return int(ref[1:]) in self._references.homes

    def elsewhere(self, ref: str) -> str:
        """The other open tab that gave a reference, or ""."""
        found = self._references.homes.get(int(ref[1:]))
        page = found.frame.page if found else self.page
        return "" if page == self.page or page.is_closed() else self._references.tabs[page]

    async def handle(self, ref: str) -> ElementHandle | None:
        """Playwright's handle of an element, None when it is gone."""
        home = self.home(ref)
        if home is None:
            return None
        try:
            found = await home.agent.evaluate_handle("(agent, n) => agent.element(n)", int(ref[1:]))
        except Error:
            return None
        return found.as_element()

    async def each(self, method: str, *arguments: Any) -> list[Any]:
        """Ask every document, also new ones; frames that do not answer are left out. Raises
        playwright's ``Error`` or ``TimeoutError`` when the page itself does not."""
        answers = await self.every(method, *arguments)
        return [a for a in answers.values() if not isinstance(a, BaseException)]

    async def every(self, method: str, *arguments: Any) -> dict[Frame, Any]:
        """As ``each``, by frame, with what was raised instead of an answer."""
        frames = [f for f in self.page.frames if not f.is_detached()]
        asked = (self._ask(f, method, arguments, f.parent_frame is None) for f in frames)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for frame, answer in zip(frames, answers, strict=True):
            if isinstance(answer, BaseException) and frame.parent_frame is None:
                raise answer
        return dict(zip(frames, answers, strict=True))

    async def focused(self, frame: Frame) -> bool:
        """Whether the focus is in a frame or in one inside of it, as the document around it says;
        also where that does not answer."""
        try:
            holder = await asyncio.wait_for(self.holder(frame), FRAME_PATIENCE)
            asked = holder.evaluate(FOCUSED) if holder else asyncio.sleep(0, True)
            return bool(await asyncio.wait_for(asked, FRAME_PATIENCE))
        except (Error, TimeoutError):
            return not frame.is_detached()

    async def calm(self) -> None:
        """Wait until the page has come to rest. Raises as ``each`` does."""
        await self.each("quiet", CALM, RESTLESS)

    async def _ask(self, frame: Frame, method: str, arguments: tuple[Any, ...], main: bool) -> Any:
        patience = PATIENCE if main else FRAME_PATIENCE
        try:
            document = await self.document(frame, patience)
            return await document.ask(method, *arguments, patience=patience)
        except Error:  # it is another document now
            self._documents.pop(frame, None)
            document = await self.document(frame, patience)
            return await document.ask(method, *arguments, patience=patience)


def _element(row: list[Any], place: Place, clip: Corners | None) -> Element:
    """A row of page.js, placed on the screenshot."""
    number, role, name, value, state, box, options, near = row
    left, top, scale = place
    corners = None
    if box is not None:
        x0, x1 = left + box[0] * scale, left + box[2] * scale
        y0, y1 = top + box[1] * scale, top + box[3] * scale
        corners = (x0, y0, x1, y1)
        if clip is not None and (x1 <= clip[0] or y1 <= clip[1] or x0 >= clip[2] or y0 >= clip[3]):
            corners = None  # scrolled out of its frame
    if value is not None:
        value = _short(value)
    return Element(
        f"e{number}", role, _short(name), value, painted(state), corners, tuple(options), near
    )


def painted(state: Sequence[str]) -> tuple[str, ...]:
    """States, with the word for a colour before its value: ``blue``, ``#0000ff``."""
    words = (
        [color_of(*bytes.fromhex(word[1:])), word] if word.startswith("#") else [word]
        for word in state
    )
    return tuple(word for some in words for word in some)


def _short(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _script() -> str:
    """One closure of all scripts: they share what they know of elements."""
    parts = (files("tools.gui").joinpath(name).read_text("utf-8") for name in SCRIPTS)
    return "() => {\n" + "\n".join(parts) + "\n}"


SCRIPTS = (
    "elements.js", "identity.js", "facts.js", "near.js", "page.js", "locators.js", "pointer.js",
)
SCRIPT = _script()
FOCUSED = "frame => frame.getRootNode().activeElement === frame"
CALL = """async (agent, [next, wide, name, given]) => {
  agent.begin(next, wide);
  return [await agent[name](...given), agent.next()];
}"""
