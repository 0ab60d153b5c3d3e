"""The deeds of a run: those of its record, or as a replay rewrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from agent import log, store
from agent.errors import InputError, RunError
from agent.events import Observed
from agent.result import Run
from tools.gui.deeds import Deed

NAME = "script.json"
"""Beside the record, once a replay healed a step: the record stays what happened."""
SIZE = (1280, 720)
"""Pixels of a page of which the record does not tell them."""
WRONG = "not so: "
"""How a verdict begins that only says that an expectation did not hold."""
_SENT = re.compile(r"\b(?:POST|PUT|PATCH|DELETE) \w+:")
_DEEDS: TypeAdapter[list[Deed]] = TypeAdapter(list[Deed])


def size(deeds: Iterable[Deed]) -> tuple[int, int]:
    """Width and height of the pages of a run, in pixels."""
    return next((deed.size for deed in deeds if deed.size), SIZE)


def read(run: Run) -> list[Deed]:
    """Everything that was done in the browser, in order. Raises ``InputError`` when the run did
    nothing there, ``RunError`` when its record is damaged."""
    path = run.folder / NAME
    try:
        if path.is_file():
            return _DEEDS.validate_json(path.read_bytes())
        found = [
            Deed.model_validate(record.data)
            for event in log.read(run.folder)
            if isinstance(event, Observed) and event.result.name == "browser"
            for record in event.result.records
        ]
    except ValidationError as error:
        raise RunError(f"What run {run.id} did cannot be read: start the task again.") from error
    if not any(deed.action["name"] == "goto" for deed in found):
        raise InputError(
            f"Run {run.id} opened no page in the browser, so there is nothing to repeat: choose "
            "another (`corvid runs`)."
        )
    return found


def write(run: Run, deeds: list[Deed]) -> None:
    """Keep rewritten deeds beside the record. Raises ``RunError`` when the disk takes no more."""
    data = json.dumps(_DEEDS.dump_python(deeds, mode="json"), ensure_ascii=False, indent=1)
    store.write(run.folder / NAME, data.encode(), run.folder)


def took_effect(deed: Deed) -> bool:
    """Whether it belongs to what is repeated. Where only an expectation was wrong, it was done all
    the same, and so it was where the page led elsewhere; what was sent and refused is not sent
    once more: today it might be accepted."""
    if deed.verdict != "contradicted" or deed.why.startswith(WRONG):
        return True
    moved = (deed.then, deed.front) != (deed.url, deed.tab)
    return moved and not _SENT.search(deed.why)


def words(deed: Deed) -> str:
    """What was done, without the references of that day: ``click button "Book"``."""
    return re.sub(r" e\d+\b", "", deed.what)
