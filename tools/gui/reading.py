"""What actions that only read say, on pages and on other screens."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.gui.actions import WaitFor
from tools.gui.failures import Failure
from tools.gui.judge import Done

EXTRACT = 3500
"""Bytes of text given at once."""


def extracted(of: str, text: str, start: int, proof: str = "read") -> Done:
    """The part of a text that begins at ``start``, quoted line by line."""
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()
    part = text[start:].encode()[:EXTRACT].decode(errors="ignore")
    if len(text) > (end := start + len(part)):
        part += f"\n(goes on: start {end} of {len(text)})"
    quoted = "\n".join(f"> {line}" for line in (part or "(no text)").splitlines())
    return Done(f"extract {of}", own=True, proof=proof, text=quoted)


def waited(action: WaitFor, said: Mapping[str, bool], where: str) -> Done:
    """What was waited for. Raises ``Failure`` timeout where some of it is not so."""
    if missed := [what for what, so in said.items() if not so]:
        raise Failure(
            "timeout",
            f"after {action.seconds:g} s still not so: {', '.join(missed)}. Look at the {where}.",
        )
    return Done("wait", own=True, proof=", ".join(said))
