"""`corvid eval` and `bench`: measuring models, and Corvid beside others."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.options import Json, Model, Seed, given, refuse
from agent.errors import InputError


class Suite(StrEnum):
    scenes = "scenes"
    captions = "captions"
    hallucination = "hallucination"
    pages = "pages"
    screens = "screens"
    miniwob = "miniwob"
    pope = "pope"
    chair = "chair"
    mme = "mme"
    amber = "amber"


class Bench(StrEnum):
    overhead = "overhead"
    session = "session"
    verify = "verify"
    gui = "gui"


def evaluate(
    context: typer.Context,
    suite: Annotated[Suite, typer.Argument(help="Which suite.")],
    n: Annotated[
        int,
        typer.Option(
            "--n",
            min=1,
            help="Questions, captions, tasks or screens; of miniwob, episodes a task (20); of "
            "--data, all.",
        ),
    ] = 300,
    seed: Seed = 1_000_003,
    model: Model = "nano",
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="scenes: a folder with questions.jsonl to use instead. "
            "pope, chair, amber: the file with the answers. pope, mme: a folder of such files.",
        ),
    ] = None,
    halle: Annotated[
        str | None,
        typer.Option(
            "--halle",
            metavar="PATH[@EPSILON]",
            help="hallucination: what `corvid train halle` wrote for the model.",
        ),
    ] = None,
    lure: Annotated[
        str | None,
        typer.Option(
            "--lure", metavar="PATH", help="hallucination: what `corvid train lure` wrote."
        ),
    ] = None,
    align: Annotated[
        str | None,
        typer.Option("--align", metavar="PATH", help="The same of `corvid train align`."),
    ] = None,
    contrast: Annotated[
        str | None,
        typer.Option("--contrast", metavar="PATH", help="The same of `corvid train contrast`."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FILE",
            help="hallucination: where replies are kept; with it a killed evaluation goes on.",
        ),
    ] = None,
    tasks: Annotated[
        str, typer.Option("--tasks", metavar="A,B", help="miniwob: these tasks alone.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Measure a model on questions that it was not trained on, with 95 % intervals.

    screens measures how the desktop tool reads pixels, with the detector of controls and without.

    miniwob plays the tasks of MiniWoB++ (an extra of its name) with seeds from --seed on (0).

    pope, chair, mme and amber ask no model: they score answers in the official formats. What the
    answers are measured against lies in the same folder:

    pope: the questions as jsonl with "label", the answers as jsonl with "answer" or "text". The
    words random, popular and adversarial in the names pair several files.

    chair: objects.json, which maps each image id to its objects, and synonyms.txt beside the
    captions; if wanted, people's own captions in references.json.

    mme: TASK.txt files, which hold the right answers too.

    amber: annotations.json, relation.json and safe_words.txt beside the responses.
    """
    if suite is not Suite.hallucination and (halle or lure or align or contrast):
        raise InputError(
            f"{suite} has no row for --halle, --lure, --align and --contrast: leave them away"
        )
    if suite is not Suite.hallucination and keep is not None:
        raise InputError(f"{suite} keeps no replies: leave --keep away")
    if suite is not Suite.miniwob and tasks:
        raise InputError(f"{suite} has no tasks to choose from: leave --tasks away")
    if suite is Suite.scenes:
        from agent.evaluation import scenes

        wanted = n if given(context, "n") else None
        _show(scenes.evaluate(wanted, seed, model, data), as_json, percent=True)
    elif suite is Suite.screens:
        from agent.evaluation import screens

        refuse(context, "screens are taken and read without a model", "data", "model")
        _show(screens.evaluate(n, seed), as_json, percent=True)
    elif suite is Suite.miniwob:
        from agent.evaluation import miniwob

        refuse(context, "miniwob plays pages of its own", "data")
        n, seed = (n if given(context, "n") else 20), (seed if given(context, "seed") else 0)
        chosen = tuple(filter(None, map(str.strip, tasks.split(","))))
        _show(miniwob.evaluate(n, seed, model, chosen), as_json)
    elif suite in (Suite.captions, Suite.hallucination, Suite.pages):
        if data is not None:
            raise InputError(f"what {suite} shows is made, not read: leave --data away")
        if suite is Suite.pages:
            from agent.evaluation import pages

            _show(pages.evaluate(n, seed, model), as_json)
            return
        from agent.evaluation import captions, hallucination

        if suite is Suite.captions:
            measured = captions.evaluate(n, seed, model)
        else:
            measured = hallucination.evaluate(
                n, seed, model, halle=halle, lure=lure, align=align, contrast=contrast, keep=keep
            )
        _show(measured, as_json, percent=True)
    else:
        from agent.evaluation import answer_files

        refuse(context, f"{suite} scores answers that are there", "n", "seed", "model")
        if data is None:
            raise InputError(f"{suite} scores answers that are there: give them with --data")
        _show(answer_files.evaluate(suite, data), as_json)


def bench(
    context: typer.Context,
    name: Annotated[Bench, typer.Argument(help="Which benchmark.")],
    model: Model = "nano",
    as_json: Json = False,
) -> None:
    """Measure side by side with others on this machine."""
    if name in (Bench.overhead, Bench.gui):
        refuse(context, f"{name} is measured with a scripted model", "model")
    if name is Bench.overhead:
        from agent.bench import overhead

        _show(overhead.run(), as_json)
    elif name is Bench.verify:
        from agent.bench import verify

        _show(verify.run(model), as_json)
    elif name is Bench.gui:
        from agent.bench import gui

        _show(gui.run(), as_json)
    else:
        from agent.bench import session

        _show(session.run(model), as_json)


def _show(measured: dict[str, Any], as_json: bool, *, percent: bool = False) -> None:
    """The JSON of ``--json`` on stdout, or the same as a table for a person."""
    if as_json:
        json.dump(measured, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    from rich.console import Console
    from rich.text import Text

    from agent.evaluation.table import tables

    title, *parts = tables(measured, percent=percent)
    if measured["seed"] is None:
        title = Text(f"{measured['suite']}, {measured['model']}", "bold")
    for part in (title, *parts):
        Console().print(part)
