"""Secrets that a model can use and never sees: ``<secret:NAME>`` stands for a value that the user
gave to the browser.

The value leaves this file at one place, ``reveal``, at the moment of typing. Everything that comes
from a page goes through ``mask`` before anything else is done with it, so that a page that echoes
a value gives back the placeholder.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from tools.gui.failures import Failure
from tools.gui.safety import Limits

T = TypeVar("T")

PLACEHOLDER = re.compile(r"<secret:([A-Za-z0-9_.-]+)>")
SHORT = 6
"""Characters below which a value is only masked where it stands alone: the digits of a PIN are part
of many other numbers."""
JOINT = r"[\s.·-]?"
"""What pages set between the signs of a value: a card number in groups of four."""


class Secrets:
    """The values by name. Neither ``repr`` nor an error tells one.

    Raises ``ValueError`` for a name that no placeholder can have, or an empty value.
    """

    def __init__(self, values: Mapping[str, str], limits: Limits) -> None:
        for name, value in values.items():
            if PLACEHOLDER.fullmatch(f"<secret:{name}>") is None or not value.strip():
                raise ValueError(
                    f"the secret {name!r} needs a name of letters and digits and a value"
                )
        self._values = dict(values)
        self._limits = limits
        self._names = sorted(values, key=lambda name: -len(values[name]))
        echoes = "|".join(f"(?P<s{i}>{_echo(values[n])})" for i, n in enumerate(self._names))
        # Placeholders come first, so that masking twice is masking once.
        self._echoes = re.compile(f"{PLACEHOLDER.pattern}|{echoes}") if values else None

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    def named(self, text: str) -> list[str]:
        """Names of the placeholders in ``text``."""
        return PLACEHOLDER.findall(text)

    def check(self, text: str, *urls: str) -> None:
        """Raise ``Failure`` refused unless every placeholder in ``text`` is known and may be typed
        where all of ``urls`` belong: the field's documents and what its form is sent to."""
        for name in self.named(text):
            if name not in self._values:
                known = ", ".join(self._values) or "none"
                raise Failure("refused", f"there is no secret {name!r}; the secrets are: {known}")
        for url in urls if self.named(text) else ():
            if not self._limits.names(url):
                listed = ", ".join(self._limits.allowed) or "no domain is"
                raise Failure(
                    "refused",
                    "secrets are only typed on pages of the domains that are allowed by name "
                    f"({listed}), and this one is not, or sends its form elsewhere. "
                    "Nothing was typed.",
                )

    def reveal(self, text: str) -> str:
        """``text`` with the values. Only to be given to the keyboard, after ``check``."""
        return PLACEHOLDER.sub(lambda found: self._values[found[1]], text)

    def __bool__(self) -> bool:
        return bool(self._values)

    def mask(self, told: T) -> T:
        """What a page told (text, lists and dictionaries of it), with placeholders for values."""
        return cast(T, _each(told, self._masked)) if self._values else told

    def _masked(self, text: str) -> str:
        def instead(found: re.Match[str]) -> str:
            group = found.lastgroup
            return f"<secret:{self._names[int(group[1:])]}>" if group else found[0]

        assert self._echoes is not None
        return self._echoes.sub(instead, text)


def _each(told: object, change: Callable[[str], str]) -> object:
    if isinstance(told, str):
        return change(told)
    if isinstance(told, list | tuple):
        return type(told)(_each(item, change) for item in told)
    if isinstance(told, dict):
        return {key: _each(item, change) for key, item in told.items()}
    return told


def _echo(value: str) -> str:
    """A pattern of a value as pages write it: as it is, in groups, squeezed, quoted or in an
    address."""
    ways = {value, " ".join(value.split()), html.escape(value), repr(value)[1:-1]}
    ways |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    pattern = "|".join(sorted(map(re.escape, ways), key=len, reverse=True))
    pattern += f"|{''.join(map(_in_address, value))}"
    if len(value) < SHORT:
        return rf"(?<![^\W_])(?:{pattern})(?![^\W_])"
    grouped = JOINT.join(map(re.escape, "".join(value.split())))
    return f"(?i:{pattern}|{grouped})"


def _in_address(sign: str) -> str:
    """A pattern of a sign in an address: the ways to write one differ in which signs they leave as
    they are, and an address inside of another is written twice."""
    coded = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in sign.encode())
    return rf"(?:{coded}|\+|\s)" if sign == " " else f"(?:{coded}|{re.escape(sign)})"
