"""The deeds of a run: those of its record, or as a replay rewrote them."""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError

from agent import log, store
from agent.errors import InputError, RunError
from agent.events import Observed
from agent.result import Run
from tools.gui.deeds import Deed

NAME = "script.json"
"""Beside the record, once a replay healed a step: the record stays what happened."""
_DEEDS: TypeAdapter[list[Deed]] = TypeAdapter(list[Deed])


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
