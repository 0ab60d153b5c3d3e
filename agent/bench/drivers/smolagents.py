"""smolagents' ToolCallingAgent. Screenshots go in by a step callback, as its documentation shows
for its own browser agent, here without dropping the older ones."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from smolagents import LogLevel, Tool, ToolCallingAgent  # type: ignore[import-not-found]
from smolagents.models import (  # type: ignore[import-not-found]
    ChatMessage,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    MessageRole,
    Model,
)

from .task import DESCRIPTION, TASK, TOOL, Camera, main


class Scripted(Model):  # type: ignore[misc]
    def __init__(self, camera: Camera) -> None:
        super().__init__(model_id="scripted")
        self.camera = camera
        self.sent = 0
        self.calls = 0

    def generate(self, messages: list[Any], **options: Any) -> Any:
        # What its API models do first. Without it the encoding would not be counted.
        options.pop("response_format", None)
        request = self._prepare_completion_kwargs(
            messages, convert_images_to_image_urls=True, **options
        )
        self.sent += sum(_size(part) for m in request["messages"] for part in m["content"])
        self.calls += 1
        name, arguments = ("final_answer", {"answer": "done"}) if self.camera.done else (TOOL, {})
        call = ChatMessageToolCall(
            id=f"call{self.calls}",
            type="function",
            function=ChatMessageToolCallFunction(name=name, arguments=arguments),
        )
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call])


class Screenshot(Tool):  # type: ignore[misc]
    name = TOOL
    description = DESCRIPTION
    inputs: dict[str, Any] = {}
    output_type = "string"

    def __init__(self, camera: Camera) -> None:
        super().__init__()
        self.camera = camera
        self.last: bytes | None = None

    def forward(self) -> str:
        self.last = self.camera.shoot()
        return "ok"


def drive(camera: Camera, folder: Path) -> int:
    model, tool = Scripted(camera), Screenshot(camera)

    def attach(step: Any, agent: Any) -> None:
        if tool.last is not None:
            step.observations_images = [Image.open(io.BytesIO(tool.last)).copy()]
            tool.last = None

    agent = ToolCallingAgent(
        [tool],
        model,
        step_callbacks=[attach],
        max_steps=camera.steps + 2,
        verbosity_level=LogLevel.OFF,
    )
    assert agent.run(TASK) == "done"
    return model.sent


def _size(part: dict[str, Any]) -> int:
    return len(part["text"]) if part["type"] == "text" else len(part["image_url"]["url"])


if __name__ == "__main__":
    main(drive)
