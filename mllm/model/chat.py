"""Our messages in the format that transformers' chat templates expect.

The one place where a conversation becomes a prompt, for training and for the local backend, and
for nano as for any other model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mllm.content import Artifact, Media, Message, Part, ToolSpec, part_words


def to_chat(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as dictionaries with ``role``, ``content`` (text and image parts) and
    ``tool_calls``. A picture is named by its id before it is shown; media that a vision-language
    model cannot take are only named."""
    return [_message(m) for m in messages]


def to_tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Tool specifications as OpenAI-style function descriptions."""
    return [{"type": "function", "function": tool.model_dump()} for tool in tools]


def pictures(messages: Sequence[Message]) -> list[Artifact]:
    """The pictures of ``to_chat(messages)`` in the order of its image parts."""
    return [
        part.artifact
        for message in messages
        for part in message.content
        if isinstance(part, Media) and part.artifact.kind == "image"
    ]


def _message(message: Message) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role, "content": _parts(message.content)}
    if message.calls:
        out["tool_calls"] = [
            {
                "type": "function",
                "id": call.id,
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        out["tool_call_id"], out["name"] = message.call_id, message.name
    return out


def _parts(content: Sequence[Part]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for i, part in enumerate(content):
        out.append({"type": "text", "text": ("\n" if i else "") + part_words(part)})
        if isinstance(part, Media) and part.artifact.kind == "image":
            out.append({"type": "image"})
    return out
