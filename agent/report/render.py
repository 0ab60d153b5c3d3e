"""The page itself: templates filled with a view."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.report.view import Picture, Run

TEMPLATES = Path(__file__).parent / "templates"


def page(runs: Sequence[Run], title: str) -> str:
    """The HTML of a report. ``title`` heads the gallery of several runs."""
    style = _static("style.css")
    script = _static("links.js")
    # The page runs its own script and no other, whatever a tool's output contains.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    template = _templates().get_template("page.html.j2")
    return template.render(
        runs=runs,
        title=title or runs[0].task,
        subtitle=f"{len(runs)} runs" if len(runs) > 1 else runs[0].model,
        lang=runs[0].lang if len(runs) == 1 else "en",
        pictures=_pictures(runs),
        style=Markup(style),
        script=Markup(script),
        script_hash=digest,
    )


def _pictures(runs: Sequence[Run]) -> list[Picture]:
    """Every picture that the page shows, each once."""
    found: dict[str, Picture] = {}
    for run in runs:
        shown = [scene.picture for scene in run.scenes]
        for step in run.steps:
            for call in step.calls:
                shown += [scene.picture for scene in call.pictures]
                shown += [f.scene.picture for f in call.found if f.scene]
        found.update({picture.key: picture for picture in shown})
    return list(found.values())


@cache
def _templates() -> Environment:
    # Tasks, answers, tool output and text read in pictures are data: always escaped.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["seconds"] = _seconds
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


@cache
def _static(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _seconds(value: float) -> str:
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{value // 60:.0f} min {value % 60:02.0f} s"
