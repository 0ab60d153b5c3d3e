"""Whatever the weights, what comes out satisfies the schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mllm.backends.calls import OPENER
from mllm.backends.grammar import closed
from mllm.backends.local import Local
from mllm.backends.protocol import MalformedOutput, ModelError, generate
from mllm.content import ToolCall, ToolSpec
from tests.mllm.backends.conftest import DETECT, Pictures, say

WORD = {"type": "string", "maxLength": 6}
NESTED = ToolSpec(
    name="book",
    description="Books a table.",
    parameters={
        "$defs": {
            "Guest": {
                "type": "object",
                "properties": {
                    "name": WORD,
                    "age": {"type": "integer", "maximum": 99, "minimum": 0},
                },
                "required": ["name"],
            }
        },
        "type": "object",
        "properties": {
            "guest": {"$ref": "#/$defs/Guest"},
            "when": {"enum": ["noon", "evening", "深夜"]},
            "smoking": {"type": "boolean"},
            # A property that has the name of a keyword.
            "default": WORD,
        },
        "required": ["guest", "when"],
    },
)
EMPTY = ToolSpec(name="stop", description="Stops.", parameters={"type": "object"})
ITEMS = ToolSpec(
    name='odd "name"',
    description="Has a quote in its name.",
    parameters={
        "type": "object",
        "properties": {
            "pairs": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "items": {"type": "array", "items": {"enum": [1, 2.5, None]}, "maxItems": 2},
            },
            "where": {
                "anyOf": [WORD, {"type": "null"}],
                "title": "Where",
                "description": "a /regex/",
            },
        },
        "required": ["pairs"],
    },
)
TOOLS = {spec.name: spec for spec in (DETECT, NESTED, EMPTY, ITEMS)}


@pytest.fixture(scope="module", params=("qwen3_vl", "llava", "internvl", "nano"))
def backend(request: pytest.FixtureRequest, tiny_folders: dict[str, Path]) -> Local:
    """Drawing at random shows far more of the grammar than greedy decoding."""
    return Local(str(tiny_folders[request.param]), temperature=1.5)


def assert_valid(call: ToolCall) -> None:
    schema = TOOLS[call.name].parameters
    jsonschema.validate(call.arguments, schema)
    assert set(call.arguments) <= set(schema.get("properties", {}))


@pytest.mark.parametrize("name", TOOLS)
def test_a_required_call_is_valid(backend: Local, pictures: Pictures, name: str) -> None:
    session = backend.session(pictures)
    for i in range(3):
        turn = generate(
            session,
            [say("user", f"go {i}")],
            [TOOLS[name]],
            tool_choice="required",
            max_tokens=1000,
        )
        assert turn.calls and not turn.text and not turn.truncated
        assert len({c.id for c in turn.calls}) == len(turn.calls)
        for call in turn.calls:
            assert call.name == name
            assert_valid(call)


def test_a_call_is_what_is_possible_just_now(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    for when in (["noon"], ["深夜", "evening"]):
        just_now = {"type": "object", "properties": {"when": {"enum": when}}, "required": ["when"]}
        spec = NESTED.model_copy(update={"possible": just_now})
        turn = generate(session, [say("user", "go")], [spec], tool_choice="required")
        assert turn.calls and all(call.arguments["when"] in when for call in turn.calls)
        # What was read stays read, and nothing of it goes to a server.
        template = backend.parts()[1]
        asked = [say("user", "go")]
        assert template.render(asked, [spec]) == template.render(asked, [NESTED])
        assert spec.model_dump() == NESTED.model_dump()


def test_among_many_tools_every_call_is_one_of_them(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    names = set()
    for i in range(8):
        turn = generate(
            session,
            [say("user", f"go {i}")],
            list(TOOLS.values()),
            tool_choice="required",
            max_tokens=2000,
        )
        for call in turn.calls:
            assert_valid(call)
            names.add(call.name)
    assert len(names) > 1


def test_auto_gives_text_or_valid_calls(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    for i in range(4):
        try:
            turn = generate(session, [say("user", f"go {i}")], [DETECT], max_tokens=150)
        except MalformedOutput as error:
            assert OPENER in error.text
            continue
        for call in turn.calls:
            assert_valid(call)


def test_none_forbids_calls(backend: Local, pictures: Pictures) -> None:
    turn = generate(
        backend.session(pictures),
        [say("user", "plan")],
        [DETECT],
        tool_choice="none",
        max_tokens=100,
    )
    assert not turn.calls and OPENER not in turn.text


def test_output_schema_gives_json(backend: Local, pictures: Pictures) -> None:
    schema: dict[str, Any] = NESTED.parameters
    turn = generate(
        backend.session(pictures),
        [say("user", "fill in")],
        [DETECT],
        output_schema=schema,
        max_tokens=500,
    )
    jsonschema.validate(json.loads(turn.text), schema)
    assert not turn.calls


def test_a_call_required_of_no_tools_is_an_error(backend: Local, pictures: Pictures) -> None:
    with pytest.raises(ModelError, match="no tools"):
        generate(backend.session(pictures), [say("user", "go")], tool_choice="required")


def test_a_schema_that_cannot_be_compiled_is_an_error(backend: Local, pictures: Pictures) -> None:
    broken = DETECT.model_copy(
        update={"parameters": {"type": "object", "properties": {"a": {"$ref": "#/$defs/Missing"}}}}
    )
    with pytest.raises(ModelError, match="schema"):
        generate(backend.session(pictures), [say("user", "go")], [broken])


def test_closed_adds_no_room_for_other_properties() -> None:
    inner = closed(NESTED.parameters)
    assert inner["additionalProperties"] is False
    assert inner["$defs"]["Guest"]["additionalProperties"] is False
    assert inner["properties"]["default"] == WORD
    assert closed({"type": "object"}) == {"type": "object"}
