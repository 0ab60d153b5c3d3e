"""Grammars that a turn must satisfy, compiled from the live tool schemas with llguidance.

A turn is free text, then any number of calls in the format of ``mllm.backends.calls``.
At each step of decoding the grammar gives the set of tokens that may come next, so that a
malformed call, an unknown tool or a wrong argument cannot be written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import llguidance
import llguidance.hf

from mllm.backends.calls import CLOSER, OPENER, CallFormat
from mllm.backends.protocol import ModelError, ToolChoice, WrongModel
from mllm.content import ToolSpec

MAX_CALLS = 8
"""Calls in one turn."""
KEPT = 64
"""Grammars that are kept compiled: what a page has changes at every step."""

# Exactly what json.dumps and the templates' ``tojson`` write, so that a call looks the same when
# it is generated and when it is shown again. ``lenient`` skips keywords unknown to llguidance:
# the tool validates its arguments in any case.
_JSON_STYLE = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "lenient": True,
}


class Grammars:
    """Compiles and keeps the grammars of one tokenizer."""

    def __init__(
        self, tokenizer: Any, vocabulary: int, ends: Sequence[int], style: CallFormat
    ) -> None:
        """``tokenizer``: a fast transformers tokenizer; ``vocabulary``: number of logits;
        ``ends``: the token ids that end a turn. Raises ``ModelError`` for a slow tokenizer."""
        try:
            self._tokenizer = llguidance.hf.from_tokenizer(
                tokenizer, n_vocab=max(vocabulary, len(tokenizer)), eos_token=list(ends)
            )
        except ValueError as error:
            raise WrongModel(
                f"the model's tokenizer cannot be constrained ({error}): "
                f"save it once as a fast tokenizer (tokenizer.json)"
            ) from error
        self._style = style
        self.ends = list(ends)
        self._compiled = lru_cache(KEPT)(self._compile)
        added = tokenizer.added_tokens_decoder
        marks = {t.content: i for i, t in added.items() if self._tokenizer.is_special_token(i)}
        self.opener_id: int | None = marks.get(OPENER) if CLOSER in marks else None
        """The opener as a token of its own, or None when it is spelled in characters."""
        # Markup that belongs to what a model says (nano's places in a picture, <think>), unlike
        # the control tokens of the chat, which transformers flags as special.
        self._visible = sorted(
            i
            for name, i in marks.items()
            if not added[i].special and i not in ends and name not in (OPENER, CLOSER)
        )

    def matcher(
        self,
        tools: Sequence[ToolSpec],
        tool_choice: ToolChoice,
        output_schema: dict[str, Any] | None,
    ) -> Any:
        """A fresh ``llguidance.LLMatcher`` for one turn. Raises ``ModelError`` for a schema
        that cannot be compiled."""
        if output_schema is not None:
            source = f"%llguidance {{}}\nstart: {_json(output_schema)}\n"
        elif tools and tool_choice != "none":
            source = self._calls(tools, required=tool_choice == "required")
        elif tool_choice == "required":
            raise ModelError("a call is required but there are no tools: pass some")
        else:
            source = f"%llguidance {{}}\nstart: text\n{self._text()}\n"
        return self._compiled(source).deep_copy()

    def _compile(self, source: str) -> Any:
        matcher = llguidance.LLMatcher(self._tokenizer, source, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error().strip().splitlines()[0]
            raise ModelError(
                f"a JSON schema cannot be compiled to a grammar ({reason}): simplify the schema "
                f"of the tool or of the output"
            )
        return matcher

    def _text(self) -> str:
        """Free text without the opener, with markup tokens between."""
        text = f"TEXT: /(?s:.*)/ & ~/(?s:.*){OPENER}(?s:.*)/"
        if self.opener_id is None or not self._visible:
            return f"text: TEXT\n{text}"
        # A special token never matches a regular expression: it is named by its number.
        marks = ",".join(str(i) for i in self._visible)
        return f"text: TEXT (<[{marks}]> TEXT)*\n{text}"

    def _calls(self, tools: Sequence[ToolSpec], *, required: bool) -> str:
        lead, trail, between = (
            json.dumps(s) if s else ""
            for s in (self._style.lead, self._style.trail, self._style.between)
        )
        if self.opener_id is not None:
            opener, closer, first = OPENER, CLOSER, "text call"
        else:
            opener, closer = json.dumps(OPENER), json.dumps(CLOSER)
            first = f"head {lead} tool {trail} {closer}"
        rules = [
            "%llguidance {}",
            f"start: call more{{0,{MAX_CALLS - 1}}}"
            if required
            else f"start: text | first more{{0,{MAX_CALLS - 1}}}",
            f"call: {opener} {lead} tool {trail} {closer}",
            f"more: {between} call",
            "tool: " + " | ".join(f"tool_{i}" for i in range(len(tools))),
        ]
        if not required:
            rules += [f"first: {first}", self._text()]
            if self.opener_id is None:
                # Lazy: text ends at the first opener.
                rules.append(f"head[lazy]: /(?s:.*)/ {json.dumps(OPENER)}")
        for i, spec in enumerate(tools):
            schema = spec.parameters if spec.possible is None else spec.possible
            begin = json.dumps(f'{{"name": {json.dumps(spec.name)}, "arguments": ')
            rules.append(f'tool_{i}: {begin} {_json({"properties": {}, **schema})} "}}"')
        return "\n".join(rules) + "\n"


def _json(schema: dict[str, Any]) -> str:
    return "%json " + json.dumps({**closed(schema), "x-guidance": _JSON_STYLE})


_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_DATA = ("enum", "const", "required", "default", "examples", "type")


def closed(schema: Any) -> Any:
    """The schema without room for properties that it does not name (JSON schema lets any
    through), at every level. An object that names none at all stays free."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DATA:
            out[key] = value
        elif key in _MAPS:
            out[key] = {name: closed(inner) for name, inner in value.items()}
        else:
            out[key] = closed(value)
    if "properties" in schema:
        out.setdefault("additionalProperties", False)
    return out
