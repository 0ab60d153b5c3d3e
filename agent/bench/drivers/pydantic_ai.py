"""pydantic-ai's Agent. A tool gives a picture as ``BinaryContent``; the model's interface is
handed the file's bytes, and its API clients would encode them after that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_ai import (  # type: ignore[import-not-found]
    Agent,
    BinaryContent,
    ToolReturn,
    UsageLimits,
)
from pydantic_ai.messages import (  # type: ignore[import-not-found]
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models.function import FunctionModel  # type: ignore[import-not-found]

from .task import DESCRIPTION, TASK, TOOL, Camera, main


def drive(camera: Camera, folder: Path) -> int:
    sent = 0

    def reply(messages: list[Any], info: Any) -> Any:
        nonlocal sent
        sent += sum(_size(item) for message in messages for item in _content(message))
        part = TextPart("done") if camera.done else ToolCallPart(TOOL, {})
        return ModelResponse(parts=[part])

    def screenshot() -> Any:
        picture = BinaryContent(data=camera.shoot(), media_type="image/png")
        return ToolReturn(return_value="ok", content=[picture])

    agent = Agent(FunctionModel(reply))
    agent.tool_plain(screenshot, name=TOOL, description=DESCRIPTION)
    done = agent.run_sync(TASK, usage_limits=UsageLimits(request_limit=None))
    assert done.output == "done"
    return sent


def _content(message: Any) -> Iterator[str | BinaryContent]:
    """The texts and pictures of a message."""
    for part in message.parts:
        content = getattr(part, "content", "")
        yield from [content] if isinstance(content, str) else content


def _size(item: Any) -> int:
    return len(item) if isinstance(item, str) else len(item.data)


if __name__ == "__main__":
    main(drive)
