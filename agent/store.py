"""Run folders: where a run keeps its media, its record and its checkpoint.

    runs/<id>/run.json            the task and the options, written once
              media/<sha256>.png  content-addressed: identical bytes are stored once
              outputs/call3.txt   text of a tool that was too long to show whole
              events.jsonl        what happened (agent.log)
              effects.jsonl       side effects, before and after (agent.journal)
              checkpoint.sqlite   where the graph stands (LangGraph), references only

Files appear whole or not at all (temporary name, then rename).
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from agent import log, media
from agent.budget import Budget
from agent.errors import InputError, RunError
from agent.result import Run
from mllm.content import Artifact, Value

CACHE_BYTES = 32 * 2**20
"""Decoded pictures kept in memory, in bytes of RGB."""


class RunInfo(Value):
    """What ``run.json`` holds: enough to resume the run with an equal agent."""

    id: str
    created: float
    task: str
    lang: str
    model: str
    tools: tuple[str, ...]
    inputs: tuple[Artifact, ...]
    budget: Budget
    verify: bool
    output_schema: dict[str, Any] | None = None
    url: str = ""


class MediaStore:
    """The media of one run, a ``tools.protocol.MediaFiles``. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths = {path.stem: path for path in (folder / "media").glob("[!.]*")}
        self._decoded: OrderedDict[str, Image.Image] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, data: bytes, sha256: str, suffix: str) -> None:
        """Keep ``data``, once. Raises ``RunError`` when the disk takes no more."""
        if sha256 not in self._paths:
            path = self.folder / "media" / f"{sha256}{suffix}"
            write(path, data, self.folder)
            self._paths[sha256] = path

    def path(self, artifact: Artifact) -> Path:
        """The original file. Raises ``FileNotFoundError``."""
        found = self._paths.get(artifact.sha256)
        if found is None or not found.is_file():
            raise FileNotFoundError(f"{artifact.id} is no longer in {self.folder / 'media'}")
        return found

    def image(self, artifact: Artifact) -> Image.Image:
        """The working copy in RGB (see ``agent.media``), the caller's own. Raises
        ``FileNotFoundError``."""
        with self._lock:
            kept = self._decoded.get(artifact.sha256)
            if kept is not None:
                self._decoded.move_to_end(artifact.sha256)
                return kept.copy()
        picture, _ = media.decode(self.path(artifact).read_bytes(), artifact.id)
        self.remember(artifact.sha256, picture)
        return picture.copy()

    def remember(self, sha256: str, picture: Image.Image) -> None:
        """Keep a decoded picture at hand; the least recently used ones make room."""
        with self._lock:
            if sha256 in self._decoded:
                return
            self._decoded[sha256] = picture
            self._bytes += _rgb_bytes(picture)
            while self._bytes > CACHE_BYTES and len(self._decoded) > 1:
                self._bytes -= _rgb_bytes(self._decoded.popitem(last=False)[1])


def runs_folder(runs: Path | None) -> Path:
    """Where runs are kept: as given, ``$CORVID_RUNS``, or ``./runs``."""
    return runs or Path(os.environ.get("CORVID_RUNS") or "runs")


def create(runs: Path, info: RunInfo, inputs: list[media.Loaded]) -> Run:
    """Make the folder with the inputs and, last, ``run.json``: a folder with it can be resumed."""
    run = Run(id=info.id, folder=(runs / info.id).absolute())
    try:
        (run.folder / "media").mkdir(parents=True)
    except OSError as error:
        raise log.disk_error(run.folder, error) from error
    store = MediaStore(run.folder)
    for item in inputs:
        store.put(item.data, item.artifact.sha256, item.suffix)
    write(run.folder / "run.json", info.model_dump_json(indent=1).encode(), run.folder)
    return run


def new_id() -> str:
    """Sorts by time: ``20261121-093000-1f3a9c02``."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"


def find(run: str | Path, runs: Path) -> Run:
    """A run by its id or its folder. Raises ``InputError`` when there is none."""
    for folder in (runs / run, Path(run)):
        if (folder / "run.json").is_file():
            return Run(id=folder.resolve().name, folder=folder.absolute())
    raise InputError(f"There is no run {run} in {runs}: `corvid runs` lists what there is.")


def info(run: Run) -> RunInfo:
    """Raises ``RunError`` when ``run.json`` cannot be read."""
    try:
        return RunInfo.model_validate_json((run.folder / "run.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(f"{run.folder / 'run.json'} cannot be read: {error}") from error


def every(runs: Path) -> list[Run]:
    """All runs, the newest first."""
    found = sorted(runs.glob("*/run.json"), reverse=True)
    return [Run(id=path.parent.name, folder=path.parent.absolute()) for path in found]


def write(path: Path, data: bytes, folder: Path) -> None:
    """A file that appears whole or not at all. Raises ``RunError`` naming the run folder."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise log.disk_error(folder, error) from error


def _rgb_bytes(picture: Image.Image) -> int:
    return picture.width * picture.height * 3
