"""Our messages in LangChain's types."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from mllm.content import Artifact, Media, MediaReader, Message, Part, part_words
from prompts import language, render


class Converter:
    """Converts the conversations of one session. Each picture is encoded for sending once."""

    def __init__(self, media: MediaReader) -> None:
        self._media = media
        self._urls: dict[str, str] = {}

    def close(self) -> None:
        self._urls.clear()

    def convert(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        pictures_in_results: bool = False,
    ) -> list[BaseMessage]:
        """The conversation, and a request for JSON of ``schema`` after it.

        Most endpoints refuse pictures in tool messages. Unless ``pictures_in_results``, these
        follow the run of tool messages, under their ids, in a message of the user; the ids stay
        where the pictures were.
        """
        out: list[BaseMessage] = []
        moved: list[Part] = []
        for message in [*messages, None]:
            if moved and (message is None or message.role != "tool"):
                out.append(HumanMessage(content=self._content(moved)))
                moved = []
            if message is None:
                break
            if message.role == "tool" and not pictures_in_results:
                moved += [p for p in message.content if _is_picture(p)]
            out.append(self._converted(message, pictures_in_results))
        if schema is not None:
            lang = language(next((m.words() for m in messages if m.role == "user"), ""))
            text = json.dumps(schema, ensure_ascii=False)
            out.append(HumanMessage(content=render("schema", lang, schema=text)))
        return out

    def _converted(self, message: Message, pictures_in_results: bool) -> BaseMessage:
        if message.role == "system":
            return SystemMessage(content=message.words())
        if message.role == "user":
            return HumanMessage(content=self._content(message.content))
        if message.role == "assistant":
            calls = [{"id": c.id, "name": c.name, "args": c.arguments} for c in message.calls]
            return AIMessage(content=message.words(), tool_calls=calls)
        return ToolMessage(
            content=self._content(message.content) if pictures_in_results else message.words(),
            tool_call_id=message.call_id or "",
            name=message.name,
        )

    def _content(self, parts: Sequence[Part]) -> str | list[str | dict[str, Any]]:
        """Plain text where there is no picture, which every server takes; else blocks, with the
        line breaks of ``mllm.model.chat.to_chat``."""
        if not any(_is_picture(p) for p in parts):
            return "\n".join(part_words(p) for p in parts)
        blocks: list[str | dict[str, Any]] = []
        for i, part in enumerate(parts):
            blocks.append({"type": "text", "text": ("\n" if i else "") + part_words(part)})
            if isinstance(part, Media) and _is_picture(part):
                url = self._url(part.artifact)
                blocks.append({"type": "image_url", "image_url": {"url": url}})
        return blocks

    def _url(self, artifact: Artifact) -> str:
        """The picture as a data URL: photos as JPEG, everything else without loss."""
        if artifact.sha256 not in self._urls:
            kind = "jpeg" if artifact.mime == "image/jpeg" else "png"
            file = io.BytesIO()
            self._media.image(artifact).save(
                file, kind, **({"quality": 92} if kind == "jpeg" else {})
            )
            data = base64.b64encode(file.getvalue()).decode()
            self._urls[artifact.sha256] = f"data:image/{kind};base64,{data}"
        return self._urls[artifact.sha256]


def _is_picture(part: Part) -> bool:
    return isinstance(part, Media) and part.artifact.kind == "image"
