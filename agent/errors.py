"""What can go wrong, for people: one clear sentence that says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.result import Run
    from mllm.content import ToolCall


class AgentError(Exception):
    """Base of all errors that the agent raises on purpose."""


class InputError(AgentError):
    """A file or an argument that cannot be used. Nothing was run. Exit status 2."""


class RunError(AgentError):
    """The run folder cannot be used: unknown, locked, damaged, or the disk is full."""


class RunFailed(AgentError):
    """The run ended without an answer. All that it did is kept: it can be resumed."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


class NeedsApproval(RunFailed):
    """A side effect may or may not have happened before the run was stopped: ``calls`` wait
    for ``resume(run, approve={call.id: "redo" | "skip"})``."""

    def __init__(self, message: str, run: Run, calls: tuple[ToolCall, ...]) -> None:
        super().__init__(message, run)
        self.calls = calls
