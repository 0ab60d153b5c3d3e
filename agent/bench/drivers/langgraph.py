"""LangChain's ``create_agent`` (LangGraph's prebuilt loop) with its SQLite checkpointer, which
writes after every step. A tool gives a picture as an image block, base64 in the message."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain.agents import create_agent  # type: ignore[import-not-found]
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.sqlite import SqliteSaver

from .task import DESCRIPTION, TASK, TOOL, Camera, main


class Scripted(BaseChatModel):
    camera: Any
    sent: int = 0
    calls: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *rest: Any, **options: Any) -> ChatResult:
        self.sent += sum(_size(m.content) for m in messages)
        self.calls += 1
        call = {"name": TOOL, "args": {}, "id": f"call{self.calls}"}
        said = AIMessage("done") if self.camera.done else AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


def drive(camera: Camera, folder: Path) -> int:
    def screenshot() -> list[dict[str, Any]]:
        url = "data:image/png;base64," + base64.b64encode(camera.shoot()).decode()
        return [{"type": "text", "text": "ok"}, {"type": "image_url", "image_url": {"url": url}}]

    tool = StructuredTool.from_function(screenshot, name=TOOL, description=DESCRIPTION)
    model = Scripted(camera=camera)
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        agent = create_agent(model, [tool], checkpointer=saver)
        last = agent.invoke(
            {"messages": [("user", TASK)]},
            {"configurable": {"thread_id": "1"}, "recursion_limit": 4 * camera.steps + 10},
            durability="sync",
        )
    assert last["messages"][-1].content == "done"
    return model.sent


def _size(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    return sum(
        len(part["text"]) if part["type"] == "text" else len(part["image_url"]["url"])
        for part in content
    )


if __name__ == "__main__":
    main(drive)
