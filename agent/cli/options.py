"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.errors import InputError

Model = Annotated[
    str,
    typer.Option(
        "--model", help="nano, a folder or name of a transformers model, or openai:NAME@URL."
    ),
]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Id or folder of a run.")]
RunsFolder = Annotated[
    Path | None,
    typer.Option(
        "--runs", help="Where runs are kept.", envvar="CORVID_RUNS", show_default="./runs"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same data.")]


def refuse(context: typer.Context, because: str, *options: str) -> None:
    """``InputError`` for an option that was given and means nothing here."""
    for name in options:
        if given(context, name):
            raise InputError(f"{because}: leave --{name.replace('_', '-')} away")


def given(context: typer.Context, name: str) -> bool:
    """Whether a person gave this option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
