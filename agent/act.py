"""Making the calls of a step: in parallel, each within its time, nothing a tool does is fatal.

Calls of one step do not depend on each other (the model had to write all of them before seeing
any result), so they run at the same time; a tool with a side effect runs alone and in its turn.
Whatever goes wrong in a tool becomes an observation that the model can act on.
"""

from __future__ import annotations

import hashlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from itertools import groupby
from typing import Any

from agent import media
from agent.errors import AgentError
from agent.events import Called, Observed
from agent.journal import NewPicture, Outcome
from agent.state import ApprovalPending, Live
from agent.store import write
from mllm.backends.protocol import reads_screens
from mllm.content import Artifact, Boxes, Media, Part, Record, Text, ToolCall, ToolResult
from prompts import render
from tools.protocol import SCREENSHOT, PersonNeeded, Picture, Tool, ToolError

TOGETHER = 8
"""Calls that run at the same time."""
FIRST, LAST = 3000, 1000
"""Characters kept of a longer text; the whole is in the run folder."""
GRACE = 1.0
"""Seconds that a side effect under way gets to finish when the run is stopped."""

Pending = Callable[[], Outcome]
"""Waits for a call that was started."""


def act(calls: Sequence[ToolCall], live: Live) -> None:
    """Make ``calls`` and record what comes back, in the order of the calls.

    Raises ``ApprovalPending`` when a person must decide about one, ``Cancelled`` when the run
    is stopped, ``RunError`` when the disk takes no more.
    """
    for group in _groups(calls, live):
        pending = [(call, _start(call, live)) for call in group]
        for call, outcome in pending:
            _observe(call, outcome(), live)


def _groups(calls: Sequence[ToolCall], live: Live) -> Iterator[Sequence[ToolCall]]:
    """Runs of calls that may go at the same time."""

    def effect(call: ToolCall) -> bool:
        return call.name in live.tools and live.tools[call.name].side_effect

    for alone, group in groupby(calls, effect):
        members, size = list(group), 1 if alone else TOGETHER
        yield from (members[i : i + size] for i in range(0, len(members), size))


def _start(call: ToolCall, live: Live) -> Pending:
    """Begin a call, or settle at once that it is not to be made."""
    tool = live.tools.get(call.name)
    if tool is None:
        return _said(render("no_tool", live.lang, tool=call.name, tools=", ".join(live.tools)))
    if tool.side_effect:
        return lambda: _once(tool, call, live)
    if _repeated(call, live):
        return _said(render("repeated", live.lang))
    return _launch(tool, call, live)


def _once(tool: Tool, call: ToolCall, live: Live) -> Outcome:
    """A call with a side effect: made at most once, however often the run is killed."""
    journal = live.journal
    known = journal.outcome(call)
    if known is not None:
        return known
    answers, said = journal.answers(call), live.approve.get(call.id, "")
    if question := journal.question(call):
        if question.takes(said):
            answers = {**answers, question.text: said}
        elif live.ask:
            raise ApprovalPending((call,), question)
    elif journal.intended(call) and said != "redo":
        if live.ask and said != "skip":
            raise ApprovalPending((call,))
        unknown = _said(render("unknown_effect", live.lang))()
        journal.end(call, unknown)
        return unknown
    live.secure()  # what led to the effect must not be lost when the effect is not
    journal.begin(call, answers)
    try:
        outcome = _launch(tool, call, live, answers)()
    except PersonNeeded as waiting:
        journal.wait(call, waiting.question)
        raise ApprovalPending((call,), waiting.question) from None
    journal.end(call, outcome)
    return outcome


def _launch(
    tool: Tool, call: ToolCall, live: Live, answers: Mapping[str, str] | None = None
) -> Pending:
    """Start the tool in a thread of its own."""
    context = replace(live.context, answers=answers or {})
    live.emit(Called(step=live.step, call=call))
    future: Future[tuple[Part | Record | Picture, ...]] = Future()

    def work() -> None:
        try:
            future.set_result(tool.call(call.arguments, context))
        except BaseException as error:  # a tool that calls sys.exit() must not end the run
            future.set_exception(error)

    # Not a thread pool: a tool that hangs is left behind and must not hold up the exit.
    threading.Thread(target=work, name=f"tool {call.name}", daemon=True).start()
    started, limit = time.monotonic(), min(tool.timeout, live.seconds_left())

    def finish() -> Outcome:
        left = max(started + limit - time.monotonic(), 0)
        either: list[Future[Any]] = [future, live.cancelled]
        wait(either, left, FIRST_COMPLETED)
        if tool.side_effect and live.cancelled.done():
            wait((future,), GRACE)  # better a known effect than a quick exit
        if not (tool.side_effect and future.done()):
            live.check()
        seconds = time.monotonic() - started
        if not future.done():
            waited, effect = f"{limit:.3g}", tool.side_effect
            said = render("no_result", live.lang, tool=call.name, seconds=waited, effect=effect)
            return Outcome(parts=(Text(text=said),), error=True, seconds=seconds)
        return _outcome(call, future, seconds, live)

    return finish


def _outcome(
    call: ToolCall,
    future: Future[tuple[Part | Record | Picture, ...]],
    seconds: float,
    live: Live,
) -> Outcome:
    """What a finished tool came to: its parts, stored and cut to size, or its failure. Raises
    ``PersonNeeded`` where the run may ask."""
    error = future.exception()
    if isinstance(error, PersonNeeded) and live.ask and live.tools[call.name].side_effect:
        raise error
    if isinstance(error, ToolError):
        text, full = _cut(str(error), call, live)
        return Outcome(parts=(Text(text=text),), error=True, seconds=seconds, full_text=full)
    if error is None:
        try:
            parts, full = _stored(future.result(), call, live)
            return Outcome(parts=parts, seconds=seconds, full_text=full)
        except AgentError:
            raise
        except Exception as fault:  # a picture that cannot be encoded is the tool's fault too
            error = fault
    reason = (str(error).strip().splitlines() or ["no reason given"])[0][:300]
    reason = f"{type(error).__name__}: {reason}"
    said = render("tool_failed", live.lang, tool=call.name, reason=reason)
    trace = "".join(traceback.format_exception(error))
    return Outcome(parts=(Text(text=said),), error=True, seconds=seconds, traceback=trace)


def _stored(
    parts: Sequence[Part | Record | Picture], call: ToolCall, live: Live
) -> tuple[tuple[Text | Boxes | Media | Record | NewPicture, ...], str]:
    """Parts with pictures moved to the store and long texts to a file, whose name is second."""
    out: list[Text | Boxes | Media | Record | NewPicture] = []
    full = ""
    for part in parts:
        if isinstance(part, Picture):
            out.append(_store_picture(part, call, live))
        elif isinstance(part, Text):
            text, full_text = _cut(part.text, call, live)
            full = full or full_text
            out.append(Text(text=text))
        else:
            out.append(part)
    return tuple(out), full


def _store_picture(picture: Picture, call: ToolCall, live: Live) -> NewPicture:
    image, data = picture.image, picture.data
    if data is not None and ("exif" in image.info or max(image.size) > media.MAX_SIDE):
        image, _ = media.decode(data)
    elif data is None:
        image = media.working_copy(image)
        data = media.encode(image)
    kind = (picture.image.format if picture.data else None) or "PNG"
    sha256 = hashlib.sha256(data).hexdigest()
    live.media.put(data, sha256, f".{kind.lower()}")
    artifact = Artifact(
        id="",
        kind="image",
        sha256=sha256,
        mime=f"image/{kind.lower()}",
        width=image.width,
        height=image.height,
        parent=picture.parent or None,
        origin=call.name,
    )
    return NewPicture(artifact=artifact, name=picture.name)


def _cut(text: str, call: ToolCall, live: Live) -> tuple[str, str]:
    """A text of bearable length, and the file with all of it ("" when nothing was cut)."""
    if len(text) <= FIRST + LAST:
        return text, ""
    name = f"outputs/{call.id}.txt"
    (live.run.folder / "outputs").mkdir(exist_ok=True)
    write(live.run.folder / name, text.encode("utf-8", "replace"), live.run.folder)
    left_out = len(text) - FIRST - LAST
    return f"{text[:FIRST]}\n[... {left_out} characters left out ...]\n{text[-LAST:]}", name


def _observe(call: ToolCall, outcome: Outcome, live: Live) -> None:
    """Give ids to what is new and record the result."""
    content: list[Part] = []
    artifacts: list[Artifact] = []
    records: list[Record] = []
    sets = 0
    for part in outcome.parts:
        if isinstance(part, NewPicture):
            taken = {a.id for a in artifacts}
            id = live.context.picture_id(part.artifact.parent or "", part.name, taken)
            artifacts.append(part.artifact.model_copy(update={"id": id}))
            if part.name != SCREENSHOT or reads_screens(live.backend):
                content.append(Media(artifact=artifacts[-1]))
        elif isinstance(part, Boxes):
            sets += 1
            content.append(part.model_copy(update={"id": live.context.boxes_id(sets)}))
        elif isinstance(part, Record):
            records.append(part)
        else:
            content.append(part)
    result = ToolResult(
        call_id=call.id,
        name=call.name,
        content=tuple(content),
        error=outcome.error,
        records=tuple(records),
    )
    live.emit(
        Observed(
            step=live.step,
            result=result,
            artifacts=tuple(artifacts),
            seconds=outcome.seconds,
            traceback=outcome.traceback,
            full_text=outcome.full_text,
            answers=live.journal.answers(call),
        )
    )


def _repeated(call: ToolCall, live: Live) -> bool:
    """Whether this call was made twice with the same result and nothing was changed since."""
    refused = (render("repeated", live.lang),)
    before: tuple[str, ...] | None = None
    for step in reversed(live.transcript.steps):
        for made, result in zip(step.calls, step.results, strict=True):
            if made.name in live.tools and live.tools[made.name].side_effect:
                return False
            if (made.name, made.arguments) == (call.name, call.arguments):
                essence = _essence(result)
                if before is not None or essence == refused:
                    return essence in (before, refused)
                before = essence
    return False


def _essence(result: ToolResult) -> tuple[str, ...]:
    """A result without its ids."""
    return tuple(
        part.artifact.sha256
        if isinstance(part, Media)
        else part.model_copy(update={"id": ""}).model_dump_json()
        if isinstance(part, Boxes)
        else part.text
        for part in result.content
    )


def _said(text: str) -> Pending:
    """A call that was not made, and why."""
    outcome = Outcome(parts=(Text(text=text),), error=True)
    return lambda: outcome
