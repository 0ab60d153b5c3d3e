"""LangGraph's SQLite checkpointer, set up for a run folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver

NAME = "checkpoint.sqlite"


class Checkpoints(SqliteSaver):
    """Checkpoints of one run. A commit survives the process; after ``sync``, the machine too."""

    def __init__(self, folder: Path) -> None:
        connection = sqlite3.connect(folder / NAME, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        super().__init__(connection)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Nothing: a node that did not reach its checkpoint is run again from the record as it
        was before, so that record and graph always agree."""

    def sync(self) -> None:
        """Put what was committed on the disk."""
        with self.lock:
            self.conn.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        with self.lock:
            self.conn.close()
