"""`corvid show`, `runs`, `export` and `replay`: what was done before, and doing it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import Model, RunName, RunsFolder

if TYPE_CHECKING:
    from mllm.content import Artifact
    from tools.gui.approval import Request

_STYLES = {"done": "green", "failed": "red", "running": "cyan"}


def show(run: RunName, runs: RunsFolder = None) -> None:
    """Write a self-contained HTML report of a run and print its path."""
    from agent import store

    typer.echo(store.find(run, store.runs_folder(runs)).report())


def runs(
    runs: RunsFolder = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 30,
) -> None:
    """List the runs, newest first."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from agent import log, outcome, store
    from agent.errors import RunError

    folder = store.runs_folder(runs)
    every = store.every(folder)
    if not every:
        typer.echo(f"No runs in {folder} yet: start one with `corvid run`, or try `corvid demo`.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("run", "status", "task", "answer"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("run", "status"))
    for run in every[:limit]:
        try:
            task = store.info(run).task
        except RunError as error:
            table.add_row(run.id, Text("damaged", "red"), Text(str(error)), "")
            continue
        last = None
        for event in log.read(run.folder):
            last = event
        status = log.status(run.folder)
        told = outcome.answer(last) or ("" if status == "running" else outcome.reason(last))
        table.add_row(run.id, Text(status, _STYLES.get(status, "yellow")), Text(task), Text(told))
    Console().print(table)
    if len(every) > limit:
        typer.echo(f"and {len(every) - limit} older ones (--limit shows more)")


def export(
    run: RunName,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write, by default stdout.")
    ] = None,
    runs: RunsFolder = None,
) -> None:
    """Write what a run did in the browser as a plain pytest + Playwright test."""
    from agent import store
    from agent.script import deeds
    from agent.script.export import script

    found = store.find(run, store.runs_folder(runs))
    info = store.info(found)
    media = store.MediaStore(found.folder)
    paths = {id: media.path(artifact) for id, artifact in _artifacts(found.folder).items()}
    text = script(deeds.read(found), info.task, found.id, paths)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, "utf-8")
    typer.echo(f"{out} (run it with: python -m pytest {out})", err=True)


def replay(run: RunName, model: Model = "nano", runs: RunsFolder = None) -> None:
    """Repeat what a run did in the browser, without a model; one is asked only to heal a step
    whose element is no longer found. Secrets are read from the environment."""
    import os

    from agent import store
    from agent.errors import InputError
    from agent.script import deeds
    from agent.script import replay as repeat
    from agent.script.python import variable
    from mllm.backends import load
    from tools.gui.browser import Browser

    found = store.find(run, store.runs_folder(runs))
    done = deeds.read(found)
    names = {name: variable(name) for name in repeat.secrets(done)}
    if missing := sorted(v for v in names.values() if not os.environ.get(v)):
        raise InputError(f"The run typed secrets: set {', '.join(missing)} in the environment.")
    allowed, schemes, folders = repeat.limits(done)
    values = {name: os.environ[variable] for name, variable in names.items()}
    with Browser(
        allowed,
        schemes=schemes,
        folders=folders,
        secrets=values,
        approve=_approve,
        pictures=False,
        size=deeds.size(done),
    ) as browser:
        artifacts = _artifacts(found.folder)
        steps = repeat.replay(found, store.info(found), browser, lambda: load(model), artifacts)
        for step in steps:
            typer.echo(f"{step.number:3} {step.how}: {step.what} ({step.why})")


def _approve(request: Request) -> bool:
    """Ask the person at the terminal; without one, the answer is no."""
    import sys

    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"{request.what} ({request.words()}, on {request.url}). Go on?")


def _artifacts(folder: Path) -> dict[str, Artifact]:
    """The media of a run by id."""
    from agent import log
    from agent.events import Observed, Perceived

    every = (e for e in log.read(folder) if isinstance(e, Observed | Perceived))
    return {artifact.id: artifact for event in every for artifact in event.artifacts}
