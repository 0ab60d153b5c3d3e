"""Values and elements as Python writes them; a secret becomes a look into the environment."""

from __future__ import annotations

import json

from tools.gui.locators import Anchor, Locator
from tools.gui.secrets import PLACEHOLDER

_BY = {
    "label": "get_by_label",
    "placeholder": "get_by_placeholder",
    "text": "get_by_text",
    "title": "get_by_title",
}


def variable(secret: str) -> str:
    """The environment variable that holds a secret."""
    return "".join(c if c.isalnum() else "_" for c in secret)


def secret_names(text: str) -> set[str]:
    return {variable(name) for name in PLACEHOLDER.findall(text)}


def literal(text: str) -> str:
    """``"Ada"``, or ``"Ada " + os.environ["PASSWORD"]`` where a placeholder stands."""
    parts = PLACEHOLDER.split(text)  # text, name, text, name, ...
    said = [
        f'os.environ["{variable(part)}"]' if i % 2 else _quoted(part)
        for i, part in enumerate(parts)
        if i % 2 or part
    ]
    return " + ".join(said) or '""'


def comment(text: str) -> str:
    """``text`` in one short line."""
    return " ".join(text.split())[:160]


def _quoted(text: str) -> str:
    said = json.dumps(text, ensure_ascii=False)
    return (
        f"'{text}'"
        if '\\"' in said and said.count("\\") == text.count('"') and "'" not in text
        else said
    )


def element(anchor: Anchor, page: str) -> str:
    """The best locator: ``page.get_by_role("button", name="Book", exact=True)``."""
    return f"{within(anchor.frames, page)}.{_locator(anchor.found[0])}"


def within(frames: tuple[Locator, ...], page: str) -> str:
    """The document that the frames lead to."""
    steps = [f".{_locator(frame)}.content_frame" for frame in frames]
    return page + "".join(steps)


def _locator(one: Locator) -> str:
    value = literal(one.value)
    match one.by:
        case "role":
            said = f"get_by_role({value}, name={literal(one.name)}, exact=True)"
        case "test_id":
            said = f"get_by_test_id({value})"
        case "css" | "path":
            said = f"locator({value})"
        case by:
            said = f"{_BY[by]}({value}, exact=True)"
    return said if one.nth is None else f"{said}.nth({one.nth})"
