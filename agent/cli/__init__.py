"""The `corvid` command: one file a group of commands, and here what they share.

Exit status: 0 done, 1 the task failed, 2 bad usage or input. An error is one clear sentence on
stderr; its traceback is shown only with ``--debug``. Heavy libraries are imported inside commands.
"""

from __future__ import annotations

import sys

import typer

from agent.cli import checks, machine, make, measure, runs, tasks
from agent.cli.failures import explain

app = typer.Typer(
    name="corvid",
    help="An agent that looks, listens and acts through expert tools under the control of a "
    "trained multimodal LLM, and proves what it says.",
    epilog="Add --debug to any command to see the traceback of an error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("run")(tasks.run)
app.command("demo")(tasks.demo)
app.command("resume")(tasks.resume)
app.command("verify")(checks.verify)
app.command("show")(runs.show)
app.command("runs")(runs.runs)
app.command("export")(runs.export)
app.command("replay")(runs.replay)
app.command("eval")(measure.evaluate)
app.command("data")(make.data)
app.command("train")(make.train)
app.command("bench")(measure.bench)
app.command("doctor")(machine.doctor)


def main() -> None:
    """Run the command line of this process and exit with its status."""
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(arguments, prog_name="corvid")
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        sentence, status = explain(error)
        print(f"corvid: {sentence}", file=sys.stderr)
        sys.exit(status)
