"""smolagents' ``TransformersModel`` on a model folder: ``FOLDER EARLY LATE REPETITIONS SEED``.

Prints the seconds of the early and of the late step, a pair a repetition. Steps in between are
left out: nothing of them is kept.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from smolagents import Tool, TransformersModel  # type: ignore[import-not-found]
from smolagents.memory import (  # type: ignore[import-not-found]
    ActionStep,
    TaskStep,
    Timing,
    ToolCall,
)

from .conversation import DESCRIPTION, NOTE, PAGES, TASK, TOKENS, TOOL, picture


class Screenshot(Tool):  # type: ignore[misc]
    name = TOOL
    description = DESCRIPTION
    inputs = {"page": {"type": "string", "description": PAGES}}
    output_type = "string"

    def forward(self, page: str) -> str:
        raise NotImplementedError


def memory(step: int, seed: int) -> list[Any]:
    """The messages at ``step``, from 1: with that many pictures, the first of them in the task."""
    out = list(TaskStep(TASK, task_images=[picture(1, seed)]).to_messages())
    for number in range(1, step):
        call = ToolCall(name=TOOL, arguments={"page": f"page {number}"}, id=f"call{number}")
        done = ActionStep(
            step_number=number,
            timing=Timing(0.0, 0.0),
            tool_calls=[call],
            observations=NOTE,
            observations_images=[picture(number + 1, seed)],
        )
        out += done.to_messages()
    return out


def seconds(model: Any, step: int, seed: int) -> float:
    messages = memory(step, seed)
    start = time.perf_counter()
    model.generate(messages, tools_to_call_from=[Screenshot()])
    return time.perf_counter() - start


def main() -> None:
    early, late, repetitions, seed = (int(argument) for argument in sys.argv[2:6])
    model = TransformersModel(sys.argv[1], max_new_tokens=TOKENS, min_new_tokens=TOKENS)
    seconds(model, 1, seed)
    samples = [[seconds(model, s, seed) for s in (early, late)] for _ in range(repetitions)]
    print(json.dumps(samples))


if __name__ == "__main__":
    main()
