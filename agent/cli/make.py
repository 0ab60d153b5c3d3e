"""`corvid data` and `train`: making data and models."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import Seed, refuse
from agent.errors import InputError

Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


class World(StrEnum):
    scenes = "scenes"
    pages = "pages"
    screens = "screens"
    miniwob = "miniwob"


class Stage(StrEnum):
    pretrain = "pretrain"
    instruct = "instruct"
    align = "align"
    contrast = "contrast"
    halle = "halle"
    lure = "lure"
    detector = "detector"
    names = "names"


_RECIPES = {
    Stage.pretrain: "pretrain-s.yaml",
    Stage.instruct: "instruct-s.yaml",
    Stage.align: "align-s.yaml",
    Stage.contrast: "contrast-s.yaml",
    Stage.halle: "halle-s.yaml",
    Stage.lure: "lure-s.yaml",
    Stage.detector: "detector.yaml",
    Stage.names: "names.yaml",
}
"""Those of preset S. The shipped weights had the first two stages and the detector's two."""


def data(
    context: typer.Context,
    world: Annotated[World, typer.Argument(help="Which world.")],
    out: Out,
    n: Annotated[int, typer.Option("--n", min=1, help="Questions, episodes or screens.")] = 100,
    seed: Seed = 0,
    style: Annotated[
        str,
        typer.Option("--style", help="A design, or a folder with a picture a category (cup.png)."),
    ] = "train",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Phrasings and layouts that training never uses.")
    ] = False,
) -> None:
    """Write generated data: of scenes, pictures and questions with exact answers (questions.jsonl
    and media); of pages and of MiniWoB++, what a model is shown while one that knows the task plays
    in the browser (episodes.jsonl, gone on with when it is there); of screens, screenshots of pages
    with the controls on them, as detectors learn them (images, labels and data.yaml; gone on with
    too)."""
    path = out / "episodes.jsonl"
    if world is World.pages:
        from agent.evaluation import pages_runner

        refuse(context, "pages have styles of their own", "style")
        pages_runner.write_episodes(path, n, seed, "eval" if held_out else "train")
        typer.echo(path)
        return
    if world is World.screens:
        from agent.evaluation import screens_runner

        refuse(context, "pages have styles of their own", "style")
        typer.echo(screens_runner.write_screens(out, n, seed, "eval" if held_out else "train"))
        return
    if world is World.miniwob:
        from agent.evaluation import miniwob_lessons

        refuse(context, "these are lessons on pages that others made", "style", "held_out")
        miniwob_lessons.write_episodes(path, n, seed)
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
        case Stage.names:
            from mllm.training import names

            return names.run(recipe, resume=resume)
