"""The one question that a replay may ask a model: which element is it now?"""

from __future__ import annotations

import json
from collections.abc import Sequence

from mllm.backends.protocol import Backend, MalformedOutput
from mllm.content import MediaReader, Message, Text, Turn
from prompts import render
from tools.gui.observation import Element

NONE = "none"
MOST = 60
"""Elements that the model chooses among."""


def choose(
    model: Backend,
    media: MediaReader,
    step: str,
    was: str,
    elements: Sequence[Element],
    task: str,
    lang: str,
) -> str:
    """The reference of the element that is now what ``was`` was, "" when the model sees none.
    Raises ``ModelError``."""
    offered = [e for e in elements if e.acts][:MOST]
    asked = render("heal", lang, task=task, step=step, was=was, rows=[e.row() for e in offered])
    known = [e.ref for e in offered]
    schema = {
        "type": "object",
        "properties": {"element": {"enum": [*known, NONE]}},
        "required": ["element"],
        "additionalProperties": False,
    }
    session = model.session(media)
    said = ""
    try:
        messages = [Message(role="user", content=(Text(text=asked),))]
        for piece in session.stream(messages, output_schema=schema, max_tokens=32):
            if isinstance(piece, Turn):
                said = json.loads(piece.text)["element"]
    except (MalformedOutput, ValueError, KeyError, TypeError):
        return ""
    finally:
        session.close()
    return said if said in known else ""
