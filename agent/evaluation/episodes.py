"""Files of episodes that teachers played, a line each, for ``mllm.training.recorded``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""``id, kind, lang, ending, goal, success, claimed, learn, episode``: ``learn`` says of each step
whether a model is to learn it (a slip is not), ``episode`` is a ``mllm.episode.Episode``."""


def append(out: Path, wanted: Mapping[str, Callable[[], Row]]) -> int:
    """Play what is ``wanted``, by its id, and append a line for each; those that are in the file
    already are not played again. Returns how many were played."""
    known = {json.loads(line)["id"] for line in _lines(out)}
    out.parent.mkdir(parents=True, exist_ok=True)
    new = [play for id, play in wanted.items() if id not in known]
    with out.open("a", encoding="utf-8") as file:
        for play in new:
            file.write(json.dumps(play(), ensure_ascii=False) + "\n")
            file.flush()
    return len(new)


def _lines(out: Path) -> list[str]:
    """The whole lines of a file; a last one that was cut off is cut away."""
    if not out.exists():
        return []
    text = out.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        out.write_text(whole, "utf-8")
    return whole.splitlines()
