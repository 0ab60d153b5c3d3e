"""The systems we measure against, from PyPI, in environments that do not touch this one.

They are made at first use in the user's cache folder and used again afterwards. ``agents`` holds
agent frameworks alone; ``browser_use`` and ``browsergym`` are apart because they pin their own
Playwright and much else. ``local`` holds what runs a local model: it reads torch and transformers
from this environment, which are too heavy to be installed twice.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Literal

from agent.bench.measure import CannotRun, last_line, say

Environment = Literal["agents", "browser_use", "browsergym", "local"]

REQUIREMENTS: dict[Environment, tuple[str, ...]] = {
    "agents": (
        "smolagents>=1.26,<2",
        "langgraph>=1.2,<2",
        "langgraph-checkpoint-sqlite>=3,<4",
        "langchain>=1.4,<2",
        "pydantic-ai-slim>=2,<3",
        "pillow>=10.3",
        "numpy>=1.26",
    ),
    "browser_use": ("browser-use>=0.13,<0.14",),
    "browsergym": ("browsergym-core>=0.14,<0.15",),
    "local": ("smolagents>=1.26,<2",),
}
BORROWS: tuple[Environment, ...] = ("local",)
"""Environments that also see the packages of this one."""

_STAMP = "installed.txt"


def python(name: Environment) -> Path:
    """The interpreter of an environment, made first if need be. Raises ``CannotRun``."""
    folder = cache() / name
    wanted = "\n".join([sys.version, *REQUIREMENTS[name]])
    stamp = folder / _STAMP
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (stamp.is_file() and stamp.read_text() == wanted and interpreter.exists()):
        _make(name, folder, interpreter)
        stamp.write_text(wanted)  # last: an environment without it is made again
    return interpreter


def cache() -> Path:
    """``$XDG_CACHE_HOME/corvid/peers``, by default under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "corvid" / "peers"


def _make(name: Environment, folder: Path, interpreter: Path) -> None:
    say(f"installing {', '.join(REQUIREMENTS[name])} into {folder}")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        if name in BORROWS:
            _borrow(folder)
        _run([str(interpreter), "-m", "pip", "install", "--quiet", *REQUIREMENTS[name]])
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise CannotRun(
            f"the peers cannot be installed into {folder} ({last_line(said)}): connect to a "
            f"package index and run the bench again"
        ) from None


def _borrow(folder: Path) -> None:
    """Let the environment see this one's packages, after its own."""
    inside = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    Path(inside, "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=1200)
