"""The texts in the arguments of a call: what a pointer copies, and what a page may call otherwise.

The name of an action is none of them: it is a word of the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def texts(arguments: Any) -> Iterator[str]:
    """The texts in the order in which they are written."""
    if isinstance(arguments, str):
        yield arguments
    elif isinstance(arguments, dict):
        for key, value in arguments.items():
            if key != "name":
                yield from texts(value)
    elif isinstance(arguments, list | tuple):
        for value in arguments:
            yield from texts(value)


def reworded(arguments: Any, say: Callable[[str], str]) -> Any:
    """The same arguments with every text said otherwise."""
    if isinstance(arguments, str):
        return say(arguments)
    if isinstance(arguments, dict):
        return {k: v if k == "name" else reworded(v, say) for k, v in arguments.items()}
    if isinstance(arguments, list | tuple):
        return [reworded(value, say) for value in arguments]
    return arguments


def in_order(said: Any, schema: Mapping[str, Any]) -> Any:
    """The same arguments in the order of their schema, in which a grammar has them written."""
    if isinstance(said, dict):
        schema = next((s for s in schema.get("anyOf", ()) if _named(s, said)), schema)
        properties: Mapping[str, Any] = schema.get("properties", {})
        known = [key for key in properties if key in said]
        rest = {key: value for key, value in said.items() if key not in properties}
        return {key: in_order(said[key], properties[key]) for key in known} | rest
    if isinstance(said, list | tuple):
        return [in_order(one, schema.get("items", {})) for one in said]
    return said


def _named(schema: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    name = schema.get("properties", {}).get("name", {})
    return said.get("name") in (*name.get("enum", ()), name.get("const", ""))
