"""The agent: a loop under the control of a multimodal LLM that proves what it says.

Names load at first use (PEP 562), so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.agent import Agent as Agent
    from agent.budget import Budget as Budget
    from agent.errors import AgentError as AgentError
    from agent.errors import InputError as InputError
    from agent.errors import NeedsApproval as NeedsApproval
    from agent.errors import RunError as RunError
    from agent.errors import RunFailed as RunFailed
    from agent.result import Claim as Claim
    from agent.result import Evidence as Evidence
    from agent.result import Result as Result
    from agent.result import Run as Run

_HOME = {
    "Agent": "agent",
    "Budget": "budget",
    "AgentError": "errors",
    "InputError": "errors",
    "NeedsApproval": "errors",
    "RunError": "errors",
    "RunFailed": "errors",
    "Claim": "result",
    "Evidence": "result",
    "Result": "result",
    "Run": "result",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    return getattr(import_module(f"agent.{_HOME[name]}"), name)
