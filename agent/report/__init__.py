"""A run, or several, as one self-contained HTML file: no requests, nothing to install."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent import store
from agent.report.build import build
from agent.report.render import page

FILE = "report.html"


def write(folder: Path) -> Path:
    """Write the report of a run into its folder and return its path.

    A run that failed, was stopped or is still going gets a report of what there is. Raises
    ``agent.errors.RunError`` when the folder is not that of a run, or cannot be written to.
    """
    return write_album([folder], folder / FILE, title="")


def write_album(folders: Sequence[Path], path: Path, title: str) -> Path:
    """Write one report of several runs to ``path``, opened by a gallery, and return it."""
    views = [build(folder, key=f"run{number}") for number, folder in enumerate(folders, 1)]
    store.write(path, page(views, title).encode(), path.parent)
    return path
