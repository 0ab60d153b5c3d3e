"""`corvid verify`: text from any source, checked against pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import Json, Model


def verify(
    text: Annotated[str, typer.Argument(help="What somebody says of the picture.")],
    image: Annotated[list[Path], typer.Option(help="A picture; repeat it for several.")],
    model: Model = "nano",
    as_json: Json = False,
) -> None:
    """Check a text against pictures: mark what holds, and put right what does not."""
    from agent.verify import verify as check

    verified = check(text, image, model=model)
    if as_json:
        typer.echo(verified.model_dump_json())
        return
    from agent.terminal import show_verified

    show_verified(verified)
