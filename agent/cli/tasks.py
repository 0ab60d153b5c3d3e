"""`corvid run`, `corvid resume` and `corvid demo`: tasks, shown as they are done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import typer

from agent.cli.options import Json, Model, RunName, RunsFolder

if TYPE_CHECKING:
    from agent.agent import Agent
    from agent.errors import RunFailed
    from agent.events import Event
    from agent.result import Result, Run
    from agent.terminal import Terminal

Events: TypeAlias = "Iterator[Event]"
Files = Annotated[list[Path] | None, typer.Option(help="A file; repeat it for several.")]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not check the answer's claims.")]


def run(
    task: Annotated[str, typer.Argument(help="What to find out or to do, in any words.")],
    image: Files = None,
    audio: Files = None,
    video: Files = None,
    url: Annotated[
        str, typer.Option("--url", help="A page to begin at: an address or an HTML file.")
    ] = "",
    model: Model = "nano",
    no_verify: NoVerify = False,
    runs: RunsFolder = None,
    as_json: Json = False,
) -> None:
    """Do one task and show every step as it happens."""
    from agent import Agent

    agent = Agent(model=model, runs=runs, verify=not no_verify)
    events = agent.stream(task, image or (), audio or (), video or (), url=url, ask=True)
    _finish(agent, events, None, as_json)


def resume(
    run: RunName,
    redo: Annotated[
        list[str] | None, typer.Option(help="Id of a call with an unknown effect to make again.")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="Id of such a call to leave alone.")
    ] = None,
    yes: Annotated[list[str] | None, typer.Option(help="Id of a call to agree to.")] = None,
    no: Annotated[list[str] | None, typer.Option(help="Id of a call to refuse.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(metavar="ID=WORDS", help="Answer to a call that asks you.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Another model than the run began with.")
    ] = None,
    runs: RunsFolder = None,
    as_json: Json = False,
) -> None:
    """Go on with a run after a crash, a kill or a failure, or to approve a call."""
    from agent import Agent, store

    found = store.find(run, store.runs_folder(runs))
    agent = Agent(model=model or store.info(found).model, runs=found.folder.parent)
    said = {"redo": redo, "skip": skip, "yes": yes, "no": no}
    approve = {id: word for word, ids in said.items() for id in ids or ()}
    for given in answer or ():
        id, equals, words = given.partition("=")
        if not equals:
            raise typer.BadParameter(f"{given}: write ID=WORDS, such as call3=Friday.")
        approve[id] = words
    events = agent.resume_stream(found.id, approve=approve, ask=True)
    _finish(agent, events, found, as_json)


def demo(model: Model = "nano", runs: RunsFolder = None) -> None:
    """Do the bundled examples, offline, and write one HTML report of them all."""
    from agent import Agent, store
    from agent.demo import examples
    from agent.errors import RunFailed
    from agent.report import write_album

    agent = Agent(model=model, runs=runs)
    done: list[Run] = []
    failed: RunFailed | None = None
    for example in examples():
        try:
            done.append(_show(agent, agent.stream(example.task, [example.image])).run)
        except RunFailed as failure:
            failed = failure
            done.append(failure.run)
            typer.echo(f"  {failure}", err=True)
    path = agent.runs / f"demo-{store.new_id()}.html"
    write_album([run.folder for run in done], path, "Corvid demo")
    typer.echo(f"\n  Report: {path}")
    if failed is not None:
        raise failed


def _finish(agent: Agent, events: Events, run: Run | None, as_json: bool) -> None:
    """A run to its end, live or as one JSON object."""
    if as_json:
        typer.echo(_result(agent, events, run).model_dump_json())
    else:
        shown = _show(agent, events, run)
        typer.echo(f"  Report: corvid show {shown.run.id}")


def _show(agent: Agent, events: Events, run: Run | None = None) -> Result:
    from agent.terminal import Terminal

    with Terminal() as terminal:
        return _result(agent, events, run, terminal)


def _result(
    agent: Agent, events: Events, run: Run | None, terminal: Terminal | None = None
) -> Result:
    """Follow a run to its end, asking the person at the terminal where there is one. Raises
    ``RunFailed`` when it has no answer."""
    from agent import outcome
    from agent.errors import NeedsApproval, RunFailed
    from agent.events import ApprovalNeeded, Failed, Interrupted, Resumed, RunStarted
    from agent.result import Run

    last: Event | None = None
    approved = ""
    try:
        while True:
            with closing(cast(Any, events)):  # a generator: closing it stops the run
                for last in events:
                    if isinstance(last, RunStarted | Resumed):
                        run = Run(id=last.run, folder=Path(last.folder))
                    if terminal is not None and not (approved and isinstance(last, Resumed)):
                        terminal.add(last)
            if not isinstance(last, ApprovalNeeded) or terminal is None or not sys.stdin.isatty():
                break
            if not (approved := terminal.ask(last)):
                break
            assert run is not None
            approve = {call.id: approved for call in last.calls}
            events = agent.resume_stream(run.folder, approve=approve, ask=True)
    except KeyboardInterrupt:
        if run is None:
            raise
        raise RunFailed("stopped; what was done is kept", run) from None
    assert run is not None
    match last:
        case Failed():
            raise RunFailed(last.error, run)
        case ApprovalNeeded():
            said = f"{outcome.asked(last)} Say it with {outcome.choices(last)}"
            raise NeedsApproval(said, run, last.calls, last.question)
        case Interrupted():
            raise RunFailed("stopped; what was done is kept", run)
    return agent.resume(run.folder)  # of a run that is done, the result
