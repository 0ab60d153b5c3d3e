"""`corvid show` and `corvid runs`: what was done before."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.options import RunName, RunsFolder

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
