"""What lessons take from the calls of an episode."""

from __future__ import annotations

import json

from mllm.training.actions import in_order

SCHEMA = {
    "properties": {
        "action": {
            "anyOf": [
                {"properties": {"target": {}, "name": {"enum": ["click", "hover"]}}},
                {
                    "properties": {
                        "name": {"const": "done"},
                        "facts": {"items": {"properties": {"text": {}, "value": {}}}},
                    }
                },
            ]
        },
        "sure": {},
    }
}


def written(said: object) -> str:
    return json.dumps(in_order(said, SCHEMA))


def test_arguments_are_in_the_order_of_their_schema_at_every_level() -> None:
    click = {"sure": True, "action": {"name": "hover", "target": "Send"}}
    assert written(click) == '{"action": {"target": "Send", "name": "hover"}, "sure": true}'
    done = {"action": {"facts": [{"value": "x", "text": "y"}, {"text": "z"}], "name": "done"}}
    assert written(done) == (
        '{"action": {"name": "done", "facts": [{"text": "y", "value": "x"}, {"text": "z"}]}}'
    )


def test_what_the_schema_does_not_know_stays_behind_the_rest() -> None:
    said = {"action": {"odd": 1, "target": "Send", "name": "click"}, "more": [2]}
    assert written(said) == (
        '{"action": {"target": "Send", "name": "click", "odd": 1}, "more": [2]}'
    )
    assert in_order({"b": 1, "a": [{"d": 2}]}, {}) == {"b": 1, "a": [{"d": 2}]}
