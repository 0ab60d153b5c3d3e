"""The one question that a replay may ask a model: which element is it now?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from heapq import nlargest

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
    """The reference of the element that is now what ``was`` was, "" when the model sees none. Of
    many elements those are offered that are called most like it, in reading order. Raises
    ``ModelError``."""
    controls = [e for e in elements if e.acts]
    alike = nlargest(MOST, controls, key=lambda e: _likeness(e, was))
    offered = [e for e in controls if e in alike]
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


def _likeness(e: Element, was: str) -> tuple[int, float]:
    """Words that both have, then how alike they are letter by letter."""
    called, wanted = f'{e.role} "{e.words}"'.casefold(), was.casefold()
    shared = set(re.findall(r"\w+", called)) & set(re.findall(r"\w+", wanted))
    return len(shared), SequenceMatcher(None, wanted, called).ratio()
