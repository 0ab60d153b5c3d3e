"""Chat templates: what a model's own template can show, and how to show it the rest.

Templates differ. Some know tools, some do not; some place pictures in tool messages, some drop
them; some refuse a system message or two user messages in a row. ``Template`` finds out by
rendering small conversations once, and then writes every conversation in a form that the model's
template shows completely.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from mllm.backends.calls import CLOSER, OPENER, CallFormat
from mllm.backends.protocol import ModelError, WrongModel
from mllm.content import Message, ToolSpec
from mllm.episode import THINK, THINK_END
from mllm.model.chat import to_chat, to_tools
from prompts import language, render

Chat = list[dict[str, Any]]

_PROBE = ToolSpec(
    name="probe_tool",
    description="Probes.",
    parameters={
        "type": "object",
        "properties": {"probe_argument": {"type": "string"}},
        "required": ["probe_argument"],
    },
)
_PROBE_JSON = '{"name": "probe_tool", "arguments": {"probe_argument": "x"}}'


class Template:
    """The chat template of one processor. Raises ``ModelError`` when there is none."""

    def __init__(self, processor: Any) -> None:
        tokenizer = processor.tokenizer
        self._processor = processor
        self._template = processor.chat_template or tokenizer.chat_template
        if isinstance(self._template, dict):
            self._template = self._template.get("tool_use") or self._template.get("default")
        if not self._template:
            raise WrongModel(
                "the model has no chat template: put a chat_template.jinja into its folder"
            )
        # Text from tools and pages must not turn into the model's control tokens.
        control = {OPENER, CLOSER, THINK, THINK_END, processor.image_token} | {
            token.content
            for token in tokenizer.added_tokens_decoder.values()
            if token.special or token.content in self._template
        }
        spelled = sorted((c for c in control if len(c) > 2), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, spelled)))
        self.call_format = CallFormat()
        self._lists = True
        self._lists = self._finds_lists()
        self.native_tools = self._finds_tools()
        self.tool_pictures = self.native_tools and self._finds_tool_picture()
        self.system = self._finds(_said("system", "probe-system"), _said("user", "hi"))
        self.end = self._finds_end()

    def render(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """The prompt that asks for the next turn, with one image token a picture. Pictures stand
        in the order of ``mllm.model.chat.pictures``."""
        chat = self._plain(to_chat(messages))
        if self.native_tools:
            if not self.tool_pictures:
                chat = _pictures_after_tools(chat)
            # Templates expect the properties that a tool without arguments may leave out.
            full = [
                t.model_copy(update={"parameters": {"properties": {}, **t.parameters}})
                for t in tools
            ]
            return self._render(chat, self._plain(to_tools(full)))
        # Of the first one, so that a run's prompt does not change language on its way.
        lang = language(next((m.words() for m in messages if m.role == "user"), ""))
        return self._render(self._without_tools(chat, tools, lang), [])

    def _render(self, chat: Chat, tools: list[dict[str, Any]], prompt: bool = True) -> str:
        if not self._lists:
            chat = [{**t, "content": _words(t["content"])} for t in chat]
        try:
            text: str = self._processor.apply_chat_template(
                chat,
                chat_template=self._template,
                tools=tools or None,
                add_generation_prompt=prompt,
                tokenize=False,
            )
        except (TemplateError, TypeError) as error:
            raise ModelError(f"the model's chat template refuses the conversation: {error}") from (
                error
            )
        return text

    def _plain(self, value: Any) -> Any:
        """All strings of a chat or of tools with control tokens broken by a space."""
        if isinstance(value, str):
            return self._control.sub(lambda m: m[0][0] + " " + m[0][1:], value)
        if isinstance(value, list):
            return [self._plain(v) for v in value]
        if isinstance(value, dict):
            return {k: self._plain(v) for k, v in value.items()}
        return value

    def _without_tools(self, chat: Chat, tools: Sequence[ToolSpec], lang: str) -> Chat:
        """For a template that knows no tools: they are explained in the system message, calls are
        text, results are user messages."""
        explained = ""
        if tools:
            rows = [
                {
                    "name": t.name,
                    "description": t.description,
                    "schema": json.dumps(t.parameters, ensure_ascii=False),
                }
                for t in tools
            ]
            explained = render("tools", lang, tools=rows, opener=OPENER, closer=CLOSER)
        out: Chat = []
        if explained and not (chat and chat[0]["role"] == "system"):
            chat = [_said("system", ""), *chat]
        for i, turn in enumerate(chat):
            role, content = turn["role"], list(turn["content"])
            if i == 0 and role == "system":
                content = [*content, _text("\n\n" + explained if content else explained)]
            if role == "assistant":
                content += [_text(self._call_text(c)) for c in turn.get("tool_calls", ())]
            if role == "tool":
                role = "user"
                content = _result(turn["name"], content, lang)
            if role == "system" and not self.system:
                role = "user"
            if out and out[-1]["role"] == role == "user":
                out[-1]["content"] += [_text("\n\n"), *content]
            else:
                out.append({"role": role, "content": content})
        return out

    def _call_text(self, call: dict[str, Any]) -> str:
        body = json.dumps(call["function"], ensure_ascii=False)
        style = self.call_format
        return f"{style.between}{OPENER}{style.lead}{body}{style.trail}{CLOSER}"

    def _tries(self, *chat: dict[str, Any], prompt: bool = True, tools: bool = False) -> str:
        """What a small conversation looks like; nothing when the template refuses it."""
        try:
            return self._render(list(chat), to_tools([_PROBE]) if tools else [], prompt)
        except ModelError:
            return ""

    def _finds_lists(self) -> bool:
        """Whether text may come as a list of parts; some templates take it as a string only,
        where there is no picture with it."""
        shown = self._tries(_said("user", "hi"), _said("assistant", "probe-answer"), prompt=False)
        return "probe-answer" in shown and "'type'" not in shown

    def _finds(self, *chat: dict[str, Any]) -> bool:
        return "probe-system" in self._tries(*chat)

    def _finds_tools(self) -> bool:
        """Whether the template lists tools, writes calls in the format of the grammar, and shows
        results. Learns the white space around calls."""
        calls = [
            {
                "type": "function",
                "id": f"call{i}",
                "function": {"name": "probe_tool", "arguments": {"probe_argument": "x"}},
            }
            for i in (1, 2)
        ]
        shown = self._tries(
            _said("user", "hi"),
            {"role": "assistant", "content": [], "tool_calls": calls},
            {**_said("tool", "probe-result"), "name": "probe_tool", "tool_call_id": "call1"},
            tools=True,
        )
        one = rf"{OPENER}(\s*){re.escape(_PROBE_JSON)}(\s*){CLOSER}"
        found = re.search(rf"{one}(\s*){OPENER}", shown)
        before = shown[: found.start()] if found else ""
        if found is None or "probe_argument" not in before or "probe-result" not in shown:
            return False
        self.call_format = CallFormat(*found.groups())
        return True

    def _finds_tool_picture(self) -> bool:
        shown = self._tries(
            _said("user", "hi"),
            {"role": "tool", "name": "probe_tool", "content": [{"type": "image"}]},
        )
        return shown.count(self._processor.image_token) == 1

    def _finds_end(self) -> str:
        """What the template writes after an assistant's words, white space stripped."""
        shown = self._tries(_said("user", "hi"), _said("assistant", "probe-answer"), prompt=False)
        return shown.rpartition("probe-answer")[2].strip()


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [_text(text)] if text else []}


def _words(content: list[dict[str, Any]]) -> list[dict[str, Any]] | str:
    if any(item["type"] != "text" for item in content):
        return content
    return "".join(item["text"] for item in content)


def _result(name: str, content: list[dict[str, Any]], lang: str) -> list[dict[str, Any]]:
    """A tool message's content for a user message: the words under the tool's name, pictures in
    their places."""
    first = next((i for i, item in enumerate(content) if item["type"] != "text"), len(content))
    words = "".join(item["text"] for item in content[:first])
    return [_text(render("tool_result", lang, tool=name, text=words)), *content[first:]]


def _pictures_after_tools(chat: Chat) -> Chat:
    """Pictures of tool messages moved into a user message after the run of tool messages; their
    ids stay in the tool message and are said again."""
    out: Chat = []
    moved: list[dict[str, Any]] = []
    for turn in [*chat, None]:
        if (turn is None or turn["role"] != "tool") and moved:
            out.append({"role": "user", "content": moved})
            moved = []
        if turn is None:
            break
        if turn["role"] == "tool":
            kept: list[dict[str, Any]] = []
            for item in turn["content"]:
                if item["type"] == "image":
                    moved += [kept[-1], item] if kept else [item]
                else:
                    kept.append(item)
            turn = {**turn, "content": kept}
        out.append(turn)
    return out
