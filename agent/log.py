"""The run's record: events as JSON lines, appended once and never rewritten.

The graph's checkpoint remembers how many bytes of the record it stands on. After a crash the
record is cut back to that mark, and everything else is folded from what is left.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from agent.errors import RunError
from agent.events import EVENT, Answered, ApprovalNeeded, Event, Failed

NAME = "events.jsonl"

Status = Literal["running", "done", "failed", "interrupted", "needs approval"]


class Log:
    """The open record of one run; holding it open locks the run against other processes.

    Raises ``RunError`` when the run is locked or the disk takes no more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise RunError(
                f"Run {folder.name} is at work in another process: wait for it or stop it."
            ) from None
        self.size = os.fstat(self._fd).st_size
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._syncing: Future[None] | None = None

    def append(self, event: Event) -> None:
        """Add a line; it survives the process, and after ``sync`` the machine too."""
        line = EVENT.dump_json(event) + b"\n"
        append_line(self._fd, line, self.size, self._folder)
        self.size += len(line)

    def sync(self) -> None:
        """Come back when all of the record is on the disk."""
        self.sync_soon()
        if self._syncing is not None:
            self._syncing.result()

    def sync_soon(self) -> None:
        """Begin to put the record on the disk, without waiting: nothing irreversible hangs on
        the end of a step, and a disk may take longer than the whole step."""
        if self._syncing is not None:
            self._syncing.cancel()  # one that has not begun is made needless by this one
        self._syncing = self._disk.submit(os.fdatasync, self._fd)

    def cut(self, size: int) -> None:
        """Forget everything after the first ``size`` bytes."""
        if size > self.size:
            raise RunError(
                f"The record of run {self._folder.name} is damaged ({self._folder / NAME} lost "
                "its end): start the task again."
            )
        os.ftruncate(self._fd, size)
        self.size = size

    def close(self) -> None:
        self._disk.shutdown()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def append_line(fd: int, line: bytes, size: int, folder: Path) -> None:
    """Append ``line`` to a file of ``size`` bytes whole, or not at all with ``RunError``."""
    try:
        written = os.write(fd, line)
        while written < len(line):
            written += os.write(fd, line[written:])
    except OSError as error:
        os.ftruncate(fd, size)
        raise disk_error(folder, error) from error


def disk_error(folder: Path, error: Exception) -> RunError:
    """The sentence for a disk that takes no more, or a database that it spoiled."""
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return RunError(
            f"The checkpoint in {folder} is damaged ({error}): delete it to do the run again "
            "from its start; side effects are not repeated."
        )
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return RunError(
        f"Cannot write to the run folder {folder} ({reason}): free space there, then resume the "
        "run. Nothing that it did is lost."
    )


def read(folder: Path) -> Iterator[Event]:
    """The events of a run, also of one still at work. A torn last line is left out. Raises
    ``RunError`` when the record is damaged."""
    path = folder / NAME
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                event = EVENT.validate_json(line)
            except ValidationError as error:
                damaged = f"Line {number} of {path} is damaged: start the task again."
                raise RunError(damaged) from error
            yield event


def status(folder: Path) -> Status:
    """How a run stands. One that was killed counts as interrupted."""
    if locked(folder):
        return "running"
    last: Event | None = None
    for event in read(folder):
        last = event
    match last:
        case Answered():
            return "done"
        case Failed():
            return "failed"
        case ApprovalNeeded():
            return "needs approval"
        case _:
            return "interrupted"


def locked(folder: Path) -> bool:
    """Whether a process is at work on the run."""
    try:
        fd = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)
