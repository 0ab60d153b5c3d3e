"""What can be done on a screen as a model was told of it: the schema of a call, narrowed to it.

A decoder with a grammar then names no target that is not there, types into fields only, and chooses
options that the list has. A model is told the whole schema all the while: what it reads first must
not change from step to step, or all would be read anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.gui.observation import FILLED, MARKS, WRITABLE, Element, Told
from tools.gui.screen import MARKED
from tools.gui.targets import by_name, names_of
from tools.protocol import SCREENSHOT

_SPOT = {"type": "string", "pattern": rf"^({SCREENSHOT}|{MARKED})\d+:\d+,\d+$"}
"""A point on a screenshot."""

Schema = dict[str, Any]


def narrowed(parameters: Schema, told: Told, spots: bool) -> Schema | None:
    """``parameters``, those of a tool whose ``action`` is one of ``tools.gui.actions``, with what
    is there for each action; None while no model was told of anything. Actions that nothing is
    there for are left out, and without ``spots`` points on screenshots."""
    names = dict(_names(told))
    if not names:
        return None
    actions = [
        some
        for action in parameters["properties"]["action"]["anyOf"]
        for some in _with_targets(action, names, spots)
    ]
    properties = parameters["properties"] | {"action": {"anyOf": actions}}
    return parameters | {"properties": properties}


def _with_targets(
    action: Schema, names: dict[Element, list[str]], spots: bool
) -> Iterator[Schema]:
    """An action with the targets that it can have; one to choose from lists once for each list."""
    properties: Schema = action["properties"]
    if "target" not in properties:
        yield action
        return
    name = properties["name"].get("const", "")
    if name == "select":
        for element, called in names.items():
            if element.options:
                items = {"enum": list(dict.fromkeys(element.options))}
                options = properties["options"] | {"items": items}
                yield _with(action, target={"enum": called}, options=options)
        return
    called = [one for element, some in names.items() if _takes(name, element) for one in some]
    anywhere = [_SPOT] if spots and name not in ("type", "clear", "check") else []
    if called or anywhere:
        target = {"anyOf": [*([{"enum": called}] if called else []), *anywhere]}
        yield _with(action, **{key: target for key in ("target", "to") if key in properties})


def _takes(name: str, element: Element) -> bool:
    match name:
        case "type" | "clear":
            return element.role in (*WRITABLE, *FILLED) and not element.options
        case "check":
            return element.role in MARKS
        case _:
            return True


def _with(action: Schema, **properties: Schema) -> Schema:
    return action | {"properties": action["properties"] | properties}


def _names(told: Told) -> Iterator[tuple[Element, list[str]]]:
    """What the elements that a model knows of can be called: by their references, and by their
    words where these mean that one alone (``targets.by_words``)."""
    if told.last is None:
        return
    # What was looked for by its words may have come since.
    there = told.past | {e.ref: e for e in told.last.elements}
    known = [there[ref] for ref in told.rows]
    named = by_name(dict.fromkeys((*told.last.elements, *known)))
    for element in known:
        yield element, [element.ref, *names_of(element, told.last, named)]
