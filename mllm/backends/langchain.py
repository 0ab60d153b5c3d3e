"""Remote models: any LangChain chat model, and OpenAI-compatible servers by URL.

One code path for OpenAI, Anthropic, vLLM, Ollama, llama.cpp, ``transformers serve`` and the rest.
What differs between them (pictures in tool messages, options that a server refuses) is found out
by asking once and is remembered by the backend.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from mllm.backends.calls import Listener
from mllm.backends.langchain_messages import Converter
from mllm.backends.protocol import MalformedOutput, ModelError, ToolChoice, WrongModel, attempt
from mllm.content import Media, MediaReader, Message, ToolCall, ToolSpec, Turn, Usage

_PICTURES_IN_RESULTS = ("ChatAnthropic", "ChatAnthropicVertex", "ChatBedrockConverse")
"""Chat models that take pictures inside tool messages. Others refuse or drop them."""

_OPTIONS = ("stream_options", "tool_choice", "response_format")
"""Options of the OpenAI protocol that some servers refuse by name."""

REQUESTS = 8
"""Requests of a batch that a server gets at a time."""

_CUT_OFF = ("length", "max_tokens", "MAX_TOKENS")


def openai(address: str) -> LangChain:
    """The model ``NAME@URL`` of an OpenAI-compatible server. The key is ``OPENAI_API_KEY``, if
    set. Raises ``ModelError`` for another form."""
    found = re.fullmatch(r"(.+)@(https?://[^@]+)", address)
    if found is None:
        raise WrongModel(
            f"'openai:{address}' is not of the form openai:NAME@URL with an http(s) URL, such as "
            f"openai:qwen3-vl@http://localhost:8000/v1"
        )
    from langchain_openai import ChatOpenAI

    name, url = found.groups()
    if not urlsplit(url).path.strip("/"):
        url = url.rstrip("/") + "/v1"
    key = os.environ.get("OPENAI_API_KEY") or "none"
    model = ChatOpenAI(
        model=name,
        base_url=url,
        api_key=key,  # type: ignore[arg-type]
        temperature=0,
        stream_usage=True,
        use_responses_api=False,
    )
    return LangChain(model, name=f"openai:{address}")


class LangChain:
    """A LangChain chat model as a backend."""

    def __init__(self, model: Any, name: str | None = None) -> None:
        known = getattr(model, "model_name", None) or getattr(model, "model", None)
        self.name = name or str(known or type(model).__name__)
        self.model = model
        self.pictures_in_results = type(model).__name__ in _PICTURES_IN_RESULTS
        self.refused: set[str] = set()
        """Options that the server has refused; they are not sent again."""

    def session(self, media: MediaReader) -> LangChainSession:
        return LangChainSession(self, media)


class LangChainSession:
    """One conversation. Each picture is encoded for sending once."""

    def __init__(self, backend: LangChain, media: MediaReader) -> None:
        self._backend = backend
        self._converter = Converter(media)

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        if tool_choice == "required" and not tools:
            raise ModelError("a call is required but there are no tools: pass some")
        may_call = bool(tools) and tool_choice != "none" and output_schema is None
        listener = Listener(may_call=may_call)
        whole: Any = None
        for chunk in self._chunks(messages, tools, tool_choice, output_schema, max_tokens):
            whole = chunk if whole is None else whole + chunk
            piece = listener.hear(_text(chunk))
            if piece and output_schema is None:
                yield piece
        if whole is None:
            raise ModelError(f"{self._backend.name!r} answered with nothing: try again")
        rest = listener.finish()
        if output_schema is not None:
            text = _json_text(listener.text)
            yield text
            yield Turn(text=text, usage=_usage(whole), truncated=_cut_off(whole))
            return
        if rest:
            yield rest
        calls = _calls(whole, listener, messages) if may_call else ()
        if whole.tool_calls and not may_call and not listener.text:
            raise MalformedOutput("the model called a tool where it was to write text", "")
        if tool_choice == "required" and not calls:
            raise MalformedOutput("a tool call was required and none was made", listener.text)
        yield Turn(
            text=listener.text, reasoning=listener.reasoning, calls=calls, usage=_usage(whole),
            truncated=_cut_off(whole),
        )

    def batch(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> list[Turn | MalformedOutput]:
        """As ``generate_many``. The first goes ahead alone: it finds out what the server refuses,
        and leaves there the beginning that the others share. Those go out together."""

        def ask(messages: Sequence[Message]) -> Turn | MalformedOutput:
            return attempt(self, messages, output_schema=output_schema, max_tokens=max_tokens)

        first = [ask(messages) for messages in prompts[:1]]
        with ThreadPoolExecutor(REQUESTS) as pool:
            return [*first, *pool.map(ask, prompts[1:])]

    def close(self) -> None:
        self._converter.close()

    def _chunks(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        tool_choice: ToolChoice,
        schema: dict[str, Any] | None,
        max_tokens: int,
    ) -> Iterator[Any]:
        """The chunks of the reply. A request that is refused for an option, or for pictures in
        tool messages, is sent once more without."""
        while True:
            model = self._bound(messages, tools, tool_choice, schema, max_tokens)
            shown = self._converter.convert(
                messages, schema, pictures_in_results=self._backend.pictures_in_results
            )
            begun = False
            try:
                for chunk in model.stream(shown):
                    begun = True
                    yield chunk
                return
            except Exception as error:  # every provider has its own kinds
                if begun or not self._learns(error, messages):
                    raise _explained(error, self._backend.name) from error

    def _learns(self, error: Exception, messages: Sequence[Message]) -> bool:
        """Whether the refusal tells what to leave out."""
        backend, words = self._backend, str(error)
        named = {o for o in _OPTIONS if o in words} - backend.refused
        if named:
            backend.refused |= named
            return True
        if backend.pictures_in_results and any(
            isinstance(p, Media) for m in messages if m.role == "tool" for p in m.content
        ):
            backend.pictures_in_results = False
            return True
        return False

    def _bound(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        tool_choice: ToolChoice,
        schema: dict[str, Any] | None,
        max_tokens: int,
    ) -> Any:
        backend = self._backend
        options: dict[str, Any] = {}
        if hasattr(backend.model, "max_tokens"):  # a few providers know no such option
            options["max_tokens"] = max_tokens
        openai_like = any(
            c.__module__.startswith("langchain_openai") for c in type(backend.model).mro()
        )
        if "stream_options" in backend.refused:
            options["stream_usage"] = False
        if schema is not None and openai_like and "response_format" not in backend.refused:
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema},
            }
        # Some providers want the tools whenever the conversation has calls.
        if schema is None and tools and (tool_choice != "none" or any(m.calls for m in messages)):
            functions = [{"type": "function", "function": t.model_dump()} for t in tools]
            if "tool_choice" not in backend.refused:
                if tool_choice == "required":
                    options["tool_choice"] = "any"
                elif tool_choice == "none" and openai_like:
                    options["tool_choice"] = "none"
            try:
                return backend.model.bind_tools(functions, **options)
            except NotImplementedError as error:
                raise ModelError(
                    f"{backend.name!r} takes no tools: use a chat model with bind_tools, or a "
                    f"local model"
                ) from error
        return backend.model.bind(**options)


def _text(chunk: Any) -> str:
    """The text of a chunk, without reasoning and other blocks."""
    content = chunk.content
    if isinstance(content, str):
        return content
    return "".join(
        block if isinstance(block, str) else block.get("text", "")
        for block in content
        if isinstance(block, str) or block.get("type") == "text"
    )


def _calls(whole: Any, listener: Listener, messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls of a reply: as the provider parsed them, or else as the model wrote them, for
    servers that pass the text on. Ids are made where they are missing or taken."""
    try:
        calls = _parsed(whole) or list(listener.calls(first=1))
    except (ValueError, TypeError) as error:
        way = ": raise max_tokens" if _cut_off(whole) else ""
        raise MalformedOutput(
            f"the model's call is not well-formed ({error}){way}",
            listener.calls_text or str(getattr(whole, "tool_call_chunks", "")),
        ) from error
    taken = {call.id for message in messages for call in message.calls}
    for i, call in enumerate(calls):
        number = len(taken) + 1
        while not call.id or call.id in taken:
            call = call.model_copy(update={"id": f"call{number}"})
            number += 1
        taken.add(call.id)
        calls[i] = call
    return tuple(calls)


def _parsed(whole: Any) -> list[ToolCall]:
    """Calls in the provider's own form. LangChain completes broken JSON of streamed calls as
    best it can, so that half an argument would pass for one: the JSON is parsed strictly here.
    Raises ``ValueError``."""
    if chunks := getattr(whole, "tool_call_chunks", None):
        found = [(c["id"], c["name"], json.loads(c["args"] or "{}")) for c in chunks]
    elif whole.invalid_tool_calls:
        raise ValueError(f"{whole.invalid_tool_calls[0]['args']!r} is not JSON")
    else:
        found = [(c["id"], c["name"], c["args"]) for c in whole.tool_calls]
    return [ToolCall(id=i or "", name=n or "", arguments=a) for i, n, a in found]


def _json_text(text: str) -> str:
    """The JSON of an answer, out of a code fence if it stands in one. Raises
    ``MalformedOutput``."""
    fenced = re.search(r"```(?:json)?\s*(.*?)```", text, re.DOTALL)
    body = (fenced[1] if fenced else text).strip()
    try:
        json.loads(body)
    except ValueError as error:
        raise MalformedOutput(f"the answer is not JSON ({error})", text) from error
    return body


def _usage(whole: Any) -> Usage:
    found = whole.usage_metadata or {}
    return Usage(
        input=found.get("input_tokens", 0),
        cached=(found.get("input_token_details") or {}).get("cache_read") or 0,
        output=found.get("output_tokens", 0),
    )


def _cut_off(whole: Any) -> bool:
    said = whole.response_metadata
    return any(said.get(k) in _CUT_OFF for k in ("finish_reason", "stop_reason", "done_reason"))


def _explained(error: Exception, place: str) -> ModelError:
    """The provider's failure in one sentence with the way out."""
    if isinstance(error, ModelError):
        return error
    kind = type(error).__name__
    reason = (str(error).strip().splitlines() or [kind])[0][:300]
    if "LengthFinishReason" in kind:
        return MalformedOutput(f"the JSON of {place!r} was cut off: raise max_tokens", "")
    if "Connect" in kind or "Timeout" in kind:
        return ModelError(
            f"{place!r} cannot be reached ({reason}): start the server or correct the URL"
        )
    if "Authentication" in kind or "PermissionDenied" in kind:
        return ModelError(
            f"{place!r} refuses the key ({reason}): set OPENAI_API_KEY or the provider's key"
        )
    if "NotFound" in kind:
        return ModelError(f"{place!r} does not know the model ({reason}): correct its name")
    if "RateLimit" in kind:
        return ModelError(f"{place!r} asks to slow down ({reason}): wait, or use another model")
    return ModelError(f"{place!r} refused the request ({kind}: {reason})")
