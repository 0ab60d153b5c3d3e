"""`corvid eval hallucination`: what does a model see that is not there, and what stops it?

Each scene is described once, and asked about: are some objects there that are, and some that are
not. Rows, on the same scenes:

- ``base``: the model answers by looking alone, without tools
- those of ``METHODS``: the same, with another way to generate
- ``halle``: the same with a projection that was trained for the model (``mllm.decoding.halle``)
- ``align``, ``contrast``: as ``base``, by the model that DPO on counterfactual twins (RLHF-V, arXiv
  2312.00849) or HACL (arXiv 2312.06968) made of it
- ``lure``: the answers of ``base``, and its descriptions as a trained revisor rewrites them
  (``mllm.decoding.lure``), whose ``seconds`` are those of both; LURE is for descriptions
- ``verified``: the answers of ``base`` as ``agent.verify`` puts them right. ``seconds`` are those
  of the answer and its verification together.
- ``always_yes``, ``always_no``: what one word would get

Columns: ``pope_f1.SETTING`` (arXiv 2305.10355); ``chair_i`` and ``chair_s`` (arXiv 1809.02156) of
the descriptions; ``chair_i.kinds``, where a kind counts once however often a description names it,
so that who repeats a mistake is not worse than who makes it once; ``cover``, the share of the true
kinds of objects that they name, so that silence does not win; ``seconds`` an answer; for
``verified`` also ``right_claims_kept`` and ``corrected_right``, and both of the descriptions alone,
``.described``: of an answer to whether something is there, little can be lost. All that is said
of a scene is said side by side where the model can, and verified at once: its ``seconds`` are
shared evenly. What is true comes from the labels of the scenes, never from a detector. ``notes``
say which rows help.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent import media
from agent.evaluation.hallucination_scores import (
    SETTINGS,
    Case,
    Replies,
    always,
    compared,
    corrections,
    scores,
)
from agent.evaluation.kept import Kept
from agent.evaluation.scenes import STYLE
from agent.evaluation.statements import things
from agent.store import MediaStore
from agent.verify import verify_many
from mllm.backends import load
from mllm.backends.protocol import Backend, ModelError, WrongModel, generate_many
from mllm.content import Artifact, Message, Turn
from mllm.data.lexicon import NAMES
from mllm.data.phrasing import phrasings
from mllm.data.scenes import Scene, render, sample_scene
from mllm.episode import Episode, messages
from mllm.evaluation import pope

if TYPE_CHECKING:
    from mllm.decoding.lure import LURE

METHODS: dict[str, Callable[[Any], Backend]] = {
    "vcd": lambda model: load(model, decoding="vcd"),
}
"""Rows that answer as ``base`` does, by a model made of the one that was given. Where that cannot
be, the row says so."""

PER_SCENE = 4
"""Questions of a setting about one scene, half of them about what is there. A scene with less
than half as many kinds of objects is only described."""
MAX_TOKENS = 256
"""Of an answer."""


def evaluate(
    n: int,
    seed: int,
    model: str | Backend,
    *,
    halle: str | None = None,
    lure: str | None = None,
    align: str | None = None,
    contrast: str | None = None,
    keep: Path | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """The measured rows, in the JSON of `corvid eval`. Progress goes to stderr.

    ``n`` scenes in the design that training never saw. ``halle``: a projection for this model, as
    ``PATH`` or ``PATH@EPSILON``; ``lure``: the folder of a revisor; ``align`` and ``contrast``:
    those of models that were trained further. Without them their rows say that they are not
    trained. ``keep``: a file for what was answered so far, with which an evaluation that was
    killed goes on. Raises ``ModelError`` when a model cannot be used, ``InputError`` for such a
    file that is of another evaluation.
    """
    backend = load(model)
    about = {"suite": "hallucination", "model": backend.name, "seed": seed}
    parts = {"halle": halle, "lure": lure, "align": align, "contrast": contrast}
    kept = Kept(keep, about | {"n": n} | parts)
    methods = dict(METHODS)
    # Loaded first: what cannot be used is told before hours of work.
    trained = {"halle": load(model, decoding=f"halle:{halle}")} if halle else {}
    trained |= {row: load(path) for row, path in (("align", align), ("contrast", contrast)) if path}
    methods |= {row: _given(other) for row, other in trained.items()}
    revisor = _revisor(backend, lure) if lure else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="corvid-eval-") as folder,
        Progress(*columns, TimeRemainingColumn(), console=console, disable=quiet) as progress,
    ):
        numbers = progress.track(range(n), description="scenes")
        scenes = [sample_scene(seed, index, style=STYLE) for index in numbers]
        cases, album = cases_of(scenes, seed), _Album(scenes, Path(folder))
        work = list(zip(cases, album.pictures, strict=True))

        def row(name: str, answer: Callable[[int, Case, Artifact], Replies]) -> list[Replies]:
            return [
                kept.reply(name, case.name, partial(answer, i, case, picture))
                for i, (case, picture) in enumerate(progress.track(work, description=name))
            ]

        def looked(name: str, other: Backend) -> list[Replies]:
            return row(name, lambda _, case, picture: album.look(other, case, picture))

        base = looked("base", backend)
        rows: dict[str, dict[str, Any]] = {"base": scores(cases, base)}
        for name, made in methods.items():
            try:
                rows[name] = scores(cases, looked(name, made(model)))
            except ModelError as error:
                rows[name] = {"error": str(error)}
        for name in ("halle", "align", "contrast", "lure"):
            rows.setdefault(name, _untrained(name))
        if revisor:
            revised = row("lure", lambda i, _, picture: album.revise(revisor, base[i], picture))
            rows["lure"] = scores(cases, revised)
        checked = row("verified", lambda i, _, picture: album.check(backend, base[i], picture))
        rows["verified"] = {**scores(cases, checked), **corrections(cases, base, checked)}
    notes = compared(rows)
    rows |= {"always_yes": always(cases, "Yes."), "always_no": always(cases, "No.")}
    return about | {"rows": rows, "notes": notes}


def cases_of(scenes: Sequence[Scene], seed: int) -> list[Case]:
    """What is asked about the scenes, and what is true of them: pure functions of the arguments.

    Absent objects are any of the world's categories, popular and adversarial ones by how often
    these scenes show them.
    """
    shown = [pope.Picture(str(i), _kinds(scene, seed)) for i, scene in enumerate(scenes)]
    # Pictures of one object are not asked about, but what they show can be asked for.
    every = [pope.Picture("", (name,)) for name in NAMES]
    rich = any(len(picture.objects) >= PER_SCENE // 2 for picture in shown)
    asked = {
        setting: pope.build_questions(
            [*shown, *every], setting, per_image=PER_SCENE, seed=seed, ask=_question
        )
        if rich
        else []
        for setting in SETTINGS
    }
    return [
        Case(
            name=str(i),
            things=things(scene),
            questions={
                setting: tuple(q for q in asked[setting] if q.image == str(i))
                for setting in SETTINGS
            },
        )
        for i, scene in enumerate(scenes)
    ]


class _Album:
    """The pictures of scenes, and what a model says of one."""

    def __init__(self, scenes: Sequence[Scene], folder: Path) -> None:
        (folder / "media").mkdir()
        self._store = MediaStore(folder)
        self.pictures = [self._kept(scene) for scene in scenes]

    def _kept(self, scene: Scene) -> Artifact:
        one = media.load_image(render(scene)).named("img1")
        self._store.put(one.data, one.artifact.sha256, one.suffix)
        return one.artifact

    def look(self, backend: Backend, case: Case, picture: Artifact) -> Replies:
        """The model's own description and answers, side by side where it can, so that the picture
        is read once; nothing where it gives none."""
        asked = [_asked(task, picture) for task in (_describe(), *case.asked)]
        session = backend.session(self._store)
        started = time.perf_counter()
        try:
            turns = generate_many(session, asked, max_tokens=MAX_TOKENS)
        finally:
            session.close()
        texts = [turn.text if isinstance(turn, Turn) else "" for turn in turns]
        seconds = (time.perf_counter() - started) / len(texts)
        answers = dict(zip(case.asked, texts[1:], strict=True))
        return Replies(texts[0], answers, (seconds,) * len(texts))

    def revise(self, lure: LURE, said: Replies, picture: Artifact) -> Replies:
        """The same with its description revised."""
        started = time.perf_counter()
        text = lure.revise(said.description, _asked(_describe(), picture), self._store)
        first, *others = said.seconds
        seconds = (first + time.perf_counter() - started, *others)
        return replace(said, description=text, seconds=seconds)

    def check(self, backend: Backend, said: Replies, picture: Artifact) -> Replies:
        """The same after verification, of all at once."""
        asked = [(_describe(), said.description), *said.answers.items()]
        full = [number for number, (_, text) in enumerate(asked) if text.strip()]
        path, texts = self._store.path(picture), [text for _, text in asked]
        started = time.perf_counter()
        done = verify_many([asked[number] for number in full], [path], model=backend)
        seconds = (time.perf_counter() - started) / len(asked)
        for number, verified in zip(full, done, strict=True):
            texts[number] = verified.answer
        answers = dict(zip(said.answers, texts[1:], strict=True))
        return Replies(texts[0], answers, tuple(before + seconds for before in said.seconds))


def _given(backend: Backend) -> Callable[[Any], Backend]:
    return lambda _: backend


def _untrained(row: str) -> dict[str, Any]:
    return {"error": f"not trained: give what `corvid train {row}` wrote with --{row}"}


def _revisor(speaker: Backend, path: str) -> LURE:
    """What revises the descriptions of ``speaker``. Raises ``ModelError``."""
    from mllm.backends.local import Local
    from mllm.decoding.lure import LURE

    if not isinstance(speaker, Local):
        raise WrongModel(
            "LURE asks a model how sure it was of its words, which only a model that runs here "
            "tells: leave --lure away, or use a local model"
        )
    return LURE(speaker, load(path))


def _describe() -> str:
    task: str = phrasings("en")["extras"]["describe"][0]
    return task


def _asked(task: str, picture: Artifact) -> list[Message]:
    """What a model is shown that answers by looking alone."""
    return messages(Episode(task=task, media=(picture,)))


def _kinds(scene: Scene, seed: int) -> tuple[str, ...]:
    """The kinds of objects in a scene, in an order of chance: the first are asked about."""
    kinds = sorted({o.label for o in scene.objects})
    random.Random(f"pope/{seed}/{scene.index}").shuffle(kinds)
    return tuple(kinds)


def _question(name: str) -> str:
    one, *_ = phrasings("en")["pairs"].get(name, [name])
    return pope.english(one)
