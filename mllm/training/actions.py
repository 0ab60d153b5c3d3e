"""The texts in the arguments of a call: what a pointer copies, and what a page may call otherwise.

The name of an action is none of them: it is a word of the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
