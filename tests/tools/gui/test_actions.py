from __future__ import annotations

import json

import pytest

from tests.tools.conftest import Context
from tools import Browser
from tools.protocol import ToolError


def test_the_schema_that_models_read_is_short_and_tells_every_action() -> None:
    told = json.dumps(Browser().spec.parameters, separators=(",", ":"))
    assert len(told) < 5000
    for name in ("goto", "click", "double", "right", "hover", "type", "clear", "press", "select"):
        assert f'"{name}"' in told
    for name in ("check", "drag", "scroll", "upload", "back", "wait_for", "extract", "tabs"):
        assert f'"{name}"' in told
    for name in ("drag_by", "done", "ask_person", "download"):
        assert f'"{name}"' in told
    assert "$ref" not in told and "discriminator" not in told


@pytest.mark.parametrize(
    ("action", "wrong"),
    [
        ({"name": "tap", "target": "e1"}, "tap"),
        ({"name": "click"}, "target"),
        ({"name": "click", "target": ""}, "target"),
        ({"name": "type", "target": "e1"}, "text"),
        ({"name": "goto", "url": "x", "speed": 3}, "speed"),
        ({"name": "wait_for", "until": {}}, "text, url, value or gone"),
        ({"name": "done", "evidence": []}, "evidence"),
        ({"name": "done", "evidence": [{"value": "Ada"}]}, "name the target"),
        ({"name": "drag", "target": "e1", "to": "e2", "steps": 9}, "steps"),
    ],
)
def test_a_malformed_action_is_told_before_a_browser_starts(
    context: Context, action: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ToolError, match=wrong):
        Browser().call({"action": action}, context)


def test_only_acting_is_a_side_effect() -> None:
    browser = Browser()
    assert browser.side_effect and not browser.page.side_effect
    assert (browser.name, browser.page.name) == ("browser", "page")
