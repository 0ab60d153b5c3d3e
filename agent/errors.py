"""What can go wrong, for people: one clear sentence that says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.result import Run
    from mllm.content import ToolCall
    from tools.protocol import Question


class AgentError(Exception):
    """Base of all errors that the agent raises on purpose."""


class InputError(AgentError):
    """A file or an argument that cannot be used. Nothing was run. Exit status 2."""


class RunError(AgentError):
    """The run folder cannot be used: locked, damaged, or the disk is full. Exit status 1."""


class RunFailed(AgentError):
    """The run ended without an answer. All that it did is kept: it can be resumed."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


class NeedsApproval(RunFailed):
    """``calls`` wait for a person. Without a ``question`` they may or may not have happened before
    the run was stopped: ``resume(run, approve={call.id: "redo" | "skip"})``. With one nothing was
    done: ``"yes" | "no"`` to a permission, words to any other question."""

    def __init__(
        self,
        message: str,
        run: Run,
        calls: tuple[ToolCall, ...],
        question: Question | None = None,
    ) -> None:
        super().__init__(message, run)
        self.calls, self.question = calls, question
