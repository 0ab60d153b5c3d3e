"""A desktop of its own for tests, with forms that zenity draws and what they give."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mllm.content import Text
from tests.tools.conftest import Context
from tests.tools.gui.rows import reference
from tools import Desktop
from tools.protocol import Picture

NEEDED = ("Xvfb", "xdotool", "zenity", "dbus-daemon")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
ENDS = 20.0
"""Seconds that a program gets to end after its window is gone."""
SECRETS = {"CODE": "s3same!x"}
FORM = "zenity --forms --title=Booking --text='Book a table' --add-entry=Name --add-password=Code"
FORM += " --add-combo=Guests --combo-values='2 people|4 people|6 people'"
DISHES = "zenity --list --title=Menu --text=Dishes --checklist --column=Pick --column=Dish"
DISHES += " TRUE Soup FALSE Cake"
SURE = "zenity --question --title=Sure --text='Delete all of it?' --ok-label='Delete everything'"
PROGRAMS = {"form": FORM, "dishes": DISHES, "sure": SURE}


def programs(folder: Path, deaf: bool = False) -> dict[str, list[str]]:
    """Commands that write what a person entered, and how they ended, to ``NAME.txt``. ``deaf``
    ones tell nothing to AT-SPI."""
    before = "NO_AT_BRIDGE=1 " if deaf else ""
    ends = "; echo status $?"
    return {
        name: ["sh", "-c", f"( {before}{said}{ends} ) > {folder / name}.txt 2>/dev/null"]
        for name, said in PROGRAMS.items()
    }


@dataclass
class Desk:
    """The desktop as a model uses it: what comes back is text, and screenshots with ids."""

    tool: Desktop
    context: Context
    folder: Path
    heard: list[str] = field(default_factory=list)

    def __call__(self, name: str, /, **arguments: Any) -> str:
        beside = {k: arguments.pop(k) for k in ("expect",) if k in arguments}
        called = {"action": {"name": name, **arguments}, **beside}
        return self.said(self.tool.call(called, self.context))

    def look(self, **arguments: Any) -> str:
        return self.said(self.tool.screen.call(arguments, self.context))

    def said(self, parts: Any) -> str:
        for part in parts:
            if isinstance(part, Picture) and part.data:
                id = f"screen{len(self.context.artifacts) + 1}"
                self.context.add_file(part.data, "image", "image/png", id, part.image.size)
        self.heard.append("\n".join(part.text for part in parts if isinstance(part, Text)))
        return self.heard[-1]

    def ref(self, row: str) -> str:
        return next(reference(line) for line in self.look().splitlines() if row in line)

    def box(self, row: str) -> list[int]:
        line = next(line for line in self.look().splitlines() if row in line)
        return [int(v) for v in line.rpartition("[")[2].rstrip("]").split(",")]

    def given(self, name: str) -> str:
        """What the program wrote until it ended."""
        end = time.monotonic() + ENDS
        while "status" not in self.so_far(name) and time.monotonic() < end:
            time.sleep(0.05)
        return self.so_far(name)

    def so_far(self, name: str) -> str:
        return (self.folder / f"{name}.txt").read_text("utf-8")


def skip_where_missing() -> None:
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}", allow_module_level=True)
