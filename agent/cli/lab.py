"""`corvid eval`, `data`, `train` and `bench`: measuring and making models."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.options import Json, Model, Seed
from agent.errors import InputError

Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


class Suite(StrEnum):
    scenes = "scenes"
    captions = "captions"
    hallucination = "hallucination"
    pages = "pages"
    miniwob = "miniwob"
    pope = "pope"
    chair = "chair"
    mme = "mme"
    amber = "amber"


class World(StrEnum):
    scenes = "scenes"
    pages = "pages"


class Stage(StrEnum):
    pretrain = "pretrain"
    instruct = "instruct"
    align = "align"
    contrast = "contrast"
    halle = "halle"
    lure = "lure"
    detector = "detector"


class Bench(StrEnum):
    overhead = "overhead"
    session = "session"
    verify = "verify"
    gui = "gui"


_RECIPES = {
    Stage.pretrain: "pretrain-s.yaml",
    Stage.instruct: "instruct-s.yaml",
    Stage.align: "align-s.yaml",
    Stage.contrast: "contrast-s.yaml",
    Stage.halle: "halle-s.yaml",
    Stage.lure: "lure-s.yaml",
    Stage.detector: "detector.yaml",
}
"""Those of preset S. The shipped weights had the first two stages and the detector's."""


def evaluate(
    context: typer.Context,
    suite: Annotated[Suite, typer.Argument(help="Which suite.")],
    n: Annotated[
        int,
        typer.Option(
            "--n", min=1, help="Questions, captions or tasks; of miniwob, episodes a task (20)."
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
    tasks: Annotated[
        str, typer.Option("--tasks", metavar="A,B", help="miniwob: these tasks alone.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Measure a model on questions that it was not trained on, with 95 % intervals.

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
    if suite is not Suite.hallucination and (halle or lure):
        raise InputError(f"{suite} has no row for --halle and --lure: leave them away")
    if suite is not Suite.miniwob and tasks:
        raise InputError(f"{suite} has no tasks to choose from: leave --tasks away")
    if suite is Suite.scenes:
        from agent.evaluation import scenes

        _show(scenes.evaluate(n, seed, model, data), as_json, percent=True)
    elif suite is Suite.miniwob:
        from agent.evaluation import miniwob

        _refuse(context, "miniwob plays pages of its own", "data")
        n, seed = (n if _given(context, "n") else 20), (seed if _given(context, "seed") else 0)
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
            measured = hallucination.evaluate(n, seed, model, halle=halle, lure=lure)
        _show(measured, as_json, percent=True)
    else:
        from agent.evaluation import answer_files

        _refuse(context, f"{suite} scores answers that are there", "n", "seed", "model")
        if data is None:
            raise InputError(f"{suite} scores answers that are there: give them with --data")
        _show(answer_files.evaluate(suite, data), as_json)


def data(
    context: typer.Context,
    world: Annotated[World, typer.Argument(help="Which world.")],
    out: Out,
    n: Annotated[int, typer.Option("--n", min=1, help="Questions, or episodes.")] = 100,
    seed: Seed = 0,
    style: Annotated[
        str,
        typer.Option("--style", help="A design, or a folder with a picture a category (cup.png)."),
    ] = "twemoji",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Phrasings and layouts that training never uses.")
    ] = False,
) -> None:
    """Write generated data: of scenes, pictures and questions with exact answers (questions.jsonl
    and media); of pages, what a model is shown while an oracle plays in the browser
    (episodes.jsonl, gone on with when it is there)."""
    if world is World.pages:
        from agent.evaluation.pages_runner import write_episodes

        _refuse(context, "pages have styles of their own", "style")
        path = out / "episodes.jsonl"
        write_episodes(path, n, seed, "eval" if held_out else "train")
        typer.echo(path)
        return
    from mllm.data.question_files import write_questions

    typer.echo(write_questions(out, n, seed, style, held_out))


def train(
    stage: Annotated[Stage, typer.Argument(help="Which stage.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="A recipe; the shipped one when not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
) -> None:
    """Train a stage by a recipe and print where the result is."""
    from pydantic import ValidationError

    from mllm.training import recipes

    recipe = config or recipes.FOLDER / _RECIPES[stage]
    if not recipe.is_file():
        raise InputError(f"there is no recipe {recipe}: give one with --config")
    try:
        typer.echo(_train(stage, recipe, resume))
    except recipes.RecipeError as error:
        raise InputError(" ".join(str(error).split())) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{recipe} is not a valid recipe: {where}: {first['msg']}") from error


def bench(
    name: Annotated[Bench, typer.Argument(help="Which benchmark.")],
    model: Model = "nano",
    as_json: Json = False,
) -> None:
    """Measure side by side with others on this machine."""
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


def _train(stage: Stage, recipe: Path, resume: bool) -> Path:
    match stage:
        case Stage.pretrain:
            from mllm.training import pretrain

            return pretrain.run(recipe, resume=resume)
        case Stage.instruct:
            from mllm.training import instruct
            from tools import Browser, default_tools

            specs, browser = [tool.spec for tool in default_tools()], Browser()
            own = (browser.spec, browser.page.spec)
            return instruct.run(recipe, tools=specs, resume=resume, browser=own)
        case Stage.align:
            from mllm.training import preference

            return preference.run(recipe, resume=resume)
        case Stage.contrast:
            from mllm.training import contrast

            return contrast.run(recipe, resume=resume)
        case Stage.halle:
            from mllm.training import halle

            return halle.run(recipe, resume=resume)
        case Stage.lure:
            from mllm.training import lure

            return lure.run(recipe, resume=resume)
        case Stage.detector:
            from mllm.training import detector

            return detector.run(recipe, resume=resume)


def _refuse(context: typer.Context, because: str, *options: str) -> None:
    """``InputError`` for an option that was given and means nothing here."""
    for name in options:
        if _given(context, name):
            raise InputError(f"{because}: leave --{name} away")


def _given(context: typer.Context, name: str) -> bool:
    """Whether a person gave this option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _show(measured: dict[str, Any], as_json: bool, *, percent: bool = False) -> None:
    """The JSON of DESIGN section 6 on stdout, or the same as a table for a person."""
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
