"""LangChain chat models as backends, on a fake endpoint with the habits of real ones."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from PIL import Image

from mllm.backends import load
from mllm.backends.langchain import LangChain
from mllm.backends.protocol import MalformedOutput, ModelError, generate
from mllm.content import Media, Turn
from tests.mllm.backends.conftest import DETECT, Pictures, say, trajectory

CALL = {"id": "c1", "name": "detect", "args": {"image": "img1"}, "type": "tool_call"}


class Endpoint(BaseChatModel):
    """Streams its replies word by word. Refuses pictures in tool messages, and options by name."""

    replies: list[AIMessage]
    refuses: tuple[str, ...] = ()
    max_tokens: int = 100
    seen: list[list[BaseMessage]] = []
    options: list[dict[str, Any]] = []

    @property
    def _llm_type(self) -> str:
        return "endpoint"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self.bind(tools=tools, **options)

    def _take(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        self.options.append(options)
        for message in messages:
            if isinstance(message, ToolMessage) and not isinstance(message.content, str):
                raise ValueError("400: image_url is not allowed in tool messages")
        for option in self.refuses:
            if option in options:
                raise ValueError(f"422: unsupported field {option}")
        self.seen.append(messages)
        return self.replies[len(self.seen) - 1]

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._take(messages, options))])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._take(messages, options)
        for piece in str(reply.content).split(" ") if reply.content else []:
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece + " "))
        last = AIMessageChunk(
            content="",
            usage_metadata=reply.usage_metadata,
            response_metadata=reply.response_metadata,
            tool_call_chunks=[
                {"id": c["id"], "name": c["name"], "args": _json(c["args"]), "index": i}
                for i, c in enumerate([*reply.tool_calls, *reply.invalid_tool_calls])
            ],
        )
        yield ChatGenerationChunk(message=last)


class ChatAnthropic(Endpoint):
    """Known to take pictures in tool messages by its name; this one refuses them after all."""


def _json(arguments: Any) -> str:
    import json

    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def endpoint(*replies: AIMessage | str, **fields: Any) -> Endpoint:
    made = [AIMessage(content=r) if isinstance(r, str) else r for r in replies]
    return Endpoint(replies=made, seen=[], options=[], **fields)


def test_a_chat_model_is_loaded_as_it_is() -> None:
    model = endpoint("hi")
    backend = load(model)
    assert isinstance(backend, LangChain) and backend.model is model


def test_text_streams_and_usage_is_counted(pictures: Pictures) -> None:
    usage: Any = {
        "input_tokens": 7,
        "output_tokens": 3,
        "total_tokens": 10,
        "input_token_details": {"cache_read": 4},
    }
    reply = AIMessage("two red cups", usage_metadata=usage)
    *pieces, turn = load(endpoint(reply)).session(pictures).stream([say("user", "how many?")])
    assert len(pieces) == 3 and "".join(str(p) for p in pieces) == "two red cups"
    assert isinstance(turn, Turn) and turn.text == "two red cups"
    assert (turn.usage.input, turn.usage.cached, turn.usage.output) == (7, 4, 3)


def test_pictures_of_tool_messages_follow_in_a_user_message(pictures: Pictures) -> None:
    model = endpoint("fine")
    messages = trajectory(pictures, 3)[-1]
    generate(load(model).session(pictures), messages, [DETECT])
    shown = model.seen[0]
    kinds = [m.type for m in shown]
    assert kinds == ["system", "human", *["ai", "tool", "human", "human"] * 2]
    assert shown[3].content == "here it is\n[img2 80x48]"
    label, picture = cast(list[Any], shown[4].content)
    assert label == {"type": "text", "text": "[img2 80x48]"}
    data = picture["image_url"]["url"].removeprefix("data:image/png;base64,")
    sent = Image.open(io.BytesIO(base64.b64decode(data)))
    part = messages[3].content[1]
    assert isinstance(part, Media)
    original = pictures.image(part.artifact)
    assert np.array_equal(np.asarray(sent), np.asarray(original))


def test_tool_messages_of_one_step_stay_together(pictures: Pictures) -> None:
    model = endpoint("fine")
    results = [
        say("tool", pictures.add(f"img{i}", i), call_id=f"c{i}", name="crop") for i in (1, 2)
    ]
    generate(load(model).session(pictures), [say("user", "go"), *results])
    assert [m.type for m in model.seen[0]] == ["human", "tool", "tool", "human"]
    assert len(model.seen[0][-1].content) == 4


def test_each_picture_is_encoded_once_in_a_session(pictures: Pictures) -> None:
    session = load(endpoint(*["ok"] * 4)).session(pictures)
    for messages in trajectory(pictures, 4):
        generate(session, messages)
    assert pictures.reads == ["img1", "img2", "img3", "img4"]


def test_photos_are_sent_as_jpeg(pictures: Pictures) -> None:
    model = endpoint("ok")
    photo = pictures.add("img1", 1).model_copy(update={"mime": "image/jpeg"})
    generate(load(model).session(pictures), [say("user", photo)])
    assert "data:image/jpeg;base64," in str(model.seen[0])


def test_pictures_in_tool_messages_are_tried_once_where_they_are_known_to_work(
    pictures: Pictures,
) -> None:
    model = ChatAnthropic(replies=[AIMessage("a"), AIMessage("b")], seen=[], options=[])
    backend = load(model)
    session = backend.session(pictures)
    messages = trajectory(pictures, 2)[-1]
    assert generate(session, messages).text == "a"
    assert generate(session, messages).text == "b"
    # The refused request, its repetition, and one request for the second turn.
    assert len(model.options) == 3


def test_calls_get_ids_of_their_own(pictures: Pictures) -> None:
    calls = [
        {**CALL, "id": "call1"},
        {**CALL, "id": None},
        {**CALL, "id": "c9"},
        {**CALL, "id": "c9"},
    ]
    session = load(endpoint(AIMessage("let me look", tool_calls=calls))).session(pictures)
    turn = generate(session, trajectory(pictures, 2)[-1], [DETECT])
    assert turn.text == "let me look"
    assert all(c.name == "detect" and c.arguments == {"image": "img1"} for c in turn.calls)
    ids = [c.id for c in turn.calls]
    assert len({*ids, "call1"}) == 5 and ids[2] == "c9"


def test_calls_written_as_text_are_calls(pictures: Pictures) -> None:
    reply = 'I look. <tool_call> {"name": "detect", "arguments": {"image": "img1"}} </tool_call>'
    *pieces, turn = load(endpoint(reply)).session(pictures).stream([say("user", "go")], [DETECT])
    assert isinstance(turn, Turn)
    assert "".join(str(p) for p in pieces) == turn.text == "I look."
    assert [c.arguments for c in turn.calls] == [{"image": "img1"}]


@pytest.mark.parametrize(
    "reply",
    [
        AIMessage(
            "",
            tool_calls=[{**CALL, "args": {}}],
            invalid_tool_calls=[
                {
                    "id": "c2",
                    "name": "detect",
                    "args": '{"image": ',
                    "error": None,
                    "type": "invalid_tool_call",
                }
            ],
        ),
        AIMessage("<tool_call> {'name': detect} </tool_call>"),
        AIMessage('<tool_call> {"name": "detect", "arguments": {"im'),
        AIMessage('<tool_call> ["detect"] </tool_call>'),
    ],
)
def test_a_broken_call_is_malformed(pictures: Pictures, reply: AIMessage) -> None:
    with pytest.raises(MalformedOutput):
        generate(load(endpoint(reply)).session(pictures), [say("user", "go")], [DETECT])


def test_tool_choice_reaches_the_model(pictures: Pictures) -> None:
    model = endpoint("plan", AIMessage("", tool_calls=[CALL]), "just text")
    session = load(model).session(pictures)
    generate(session, [say("user", "plan")], [DETECT], tool_choice="none")
    assert "tools" not in model.options[0] and model.options[0]["max_tokens"] == 512
    generate(session, [say("user", "go")], [DETECT], tool_choice="required", max_tokens=9)
    assert model.options[1]["tool_choice"] == "any" and model.options[1]["max_tokens"] == 9
    assert model.options[1]["tools"][0]["function"]["parameters"] == DETECT.parameters
    with pytest.raises(MalformedOutput, match="required"):
        generate(session, [say("user", "go")], [DETECT], tool_choice="required")
    with pytest.raises(ModelError, match="no tools"):
        generate(session, [say("user", "go")], tool_choice="required")


def test_an_option_that_the_server_refuses_is_left_out_from_then_on(pictures: Pictures) -> None:
    replies = [AIMessage("", tool_calls=[CALL])] * 2
    model = endpoint(*replies, refuses=("tool_choice",))
    session = load(model).session(pictures)
    for _ in range(2):
        assert generate(session, [say("user", "go")], [DETECT], tool_choice="required").calls
    assert ["tool_choice" in o for o in model.options] == [True, False, False]


@pytest.mark.parametrize("reply", ['{"n": 2}', 'Here: ```json\n{"n": 2}\n```'])
def test_output_schema_gives_json(pictures: Pictures, reply: str) -> None:
    model = endpoint(reply)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    turn = generate(load(model).session(pictures), [say("user", "几个？")], output_schema=schema)
    assert turn.text == '{"n": 2}'
    assert '"integer"' in model.seen[0][-1].content and "JSON" in model.seen[0][-1].content


def test_an_answer_that_is_no_json_is_malformed(pictures: Pictures) -> None:
    with pytest.raises(MalformedOutput, match="not JSON") as caught:
        generate(load(endpoint("two cups")).session(pictures), [say("user", "?")], output_schema={})
    assert caught.value.text == "two cups"


def test_a_reply_cut_off_says_so(pictures: Pictures) -> None:
    reply = AIMessage("two", response_metadata={"finish_reason": "length"})
    assert generate(load(endpoint(reply)).session(pictures), [say("user", "?")]).truncated


def test_a_model_without_tools_is_refused(pictures: Pictures) -> None:
    class Plain(Endpoint):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(ModelError, match="takes no tools"):
        generate(load(Plain(replies=[])).session(pictures), [say("user", "go")], [DETECT])


def test_a_server_that_is_not_there_is_named(pictures: Pictures) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = load(f"openai:some-model@http://127.0.0.1:{port}")
    with pytest.raises(
        ModelError, match=rf"127\.0\.0\.1:{port}.*cannot be reached.*start the server"
    ):
        generate(backend.session(pictures), [say("user", "hi")])
