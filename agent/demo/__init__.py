"""The bundled examples: pictures of the nano world in a design that it was not trained on, and a
task for each. ``examples.json`` says how every picture was made; answers are nowhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    task: str
    image: Path


def examples() -> list[Example]:
    """The examples in the order in which `corvid demo` does them."""
    listed = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))["examples"]
    return [Example(item["task"], FOLDER / item["image"]) for item in listed]
