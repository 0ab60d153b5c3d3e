"""From a typed, documented function to what a model is told, and back from what a model wrote.

The JSON schema is compact because models read it at every step: no titles, definitions inlined,
``X | None`` shown as ``X`` and not required.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, NotRequired, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict  # pydantic refuses the one of typing before 3.12

from mllm.content import ToolSpec

ID = "id of "
"""How the description of an argument that is an id begins."""
MAX_SHOWN = 60
"""Characters of a wrong value that are shown back to the model."""


@dataclass(frozen=True)
class Signature:
    """What a function takes: as told to the model, and as a validator of what the model wrote."""

    spec: ToolSpec
    validator: TypeAdapter[dict[str, Any]]
    required: frozenset[str]
    context: str | None
    """Name of the parameter that the run fills in, hidden from the model."""


def read(
    fn: Callable[..., Any], name: str, substitutes: Mapping[Any, Any], hidden: type
) -> Signature:
    """Derive the signature of the tool ``name`` from the hints and docstring of ``fn``.

    ``substitutes`` maps a type in the hints to the one that validates it; the parameter of type
    ``hidden`` is kept from the model. Raises ``TypeError`` that says what to write.
    """
    summary, documented = _docstring(fn, name)
    hints = _hints(fn, name)
    fields: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    context: str | None = None
    for p in inspect.signature(fn).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
            raise TypeError(
                f"tool {name}: parameter {p.name!r} must be a plain named one, "
                "because models pass arguments by name"
            )
        if p.name not in hints:
            raise TypeError(f"tool {name}: give parameter {p.name!r} a type hint")
        if hints[p.name] is hidden:
            context = p.name
            continue
        hint = _substitute(hints[p.name], substitutes)
        optional = _accepts_none(hint)
        if p.default is not p.empty:
            defaults[p.name] = p.default
        elif optional:
            raise TypeError(f"tool {name}: give the optional parameter {p.name!r} a default")
        fields[p.name] = NotRequired[hint] if p.name in defaults else hint
    if unknown := sorted(set(documented) - set(fields)):
        raise TypeError(f"tool {name}: the docstring's Args name no such parameter: {unknown}")

    # A TypedDict rather than a model: any parameter name is allowed, and what is left out stays
    # out, so that the function's own defaults apply.
    arguments = cast(Any, TypedDict)("arguments", fields)
    arguments.__pydantic_config__ = ConfigDict(extra="forbid")
    try:
        validator: TypeAdapter[dict[str, Any]] = TypeAdapter(arguments)
        full = validator.json_schema()
    except PydanticSchemaGenerationError as error:
        raise TypeError(f"tool {name}: a parameter has a type without a schema: {error}") from None
    properties = {
        key: _described(_compact(prop, full.get("$defs", {}), name), documented.get(key))
        for key, prop in full.get("properties", {}).items()
    }
    for key, value in defaults.items():
        if value is not None:
            properties[key]["default"] = json.loads(json.dumps(value, default=str))
    required = [key for key in fields if key not in defaults]
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    spec = ToolSpec(name=name, description=summary, parameters=parameters)
    return Signature(spec, validator, frozenset(required), context)


def explain(error: ValidationError, spec: ToolSpec, given: Mapping[str, Any]) -> str:
    """The mistakes in the arguments ``given`` as sentences for the model that wrote them."""
    found = error.errors(include_url=False, include_context=False)
    # An ordered set, because several errors inside one argument are told the same way.
    return "; ".join(dict.fromkeys(_sentence(e, spec, given) for e in found))


def _sentence(error: ErrorDetails, spec: ToolSpec, given: Mapping[str, Any]) -> str:
    properties: dict[str, Any] = spec.parameters["properties"]
    where = ".".join(str(part) for part in error["loc"])
    key, inner = str(error["loc"][0]), error["loc"][1:]
    if error["type"] == "extra_forbidden" and not inner:
        names = ", ".join(properties) or "none"
        return f"{spec.name} has no argument {key!r}; its arguments: {names}"
    if error["type"] == "missing" and not inner:
        return f"{spec.name} needs argument {key!r}, {_expected(properties[key])}"
    if error["type"] in _SHAPE and properties[key].get("type") != "object":
        wanted = _expected(properties[key])
        return f"argument {key!r} of {spec.name}: expected {wanted}, got {_shown(given[key])}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = message.replace("should be", "must be")
    return f"argument {where!r} of {spec.name}: {message}, got {_shown(error['input'])}"


_SHAPE = {
    f"{kind}_{what}"
    for kind in ("string", "list", "tuple", "int", "float", "bool", "dict")
    for what in ("type", "parsing")
} | {"literal_error", "enum", "int_from_float"}
"""Errors that are told by naming the expected shape; the others have a better message."""


def _expected(schema: Mapping[str, Any]) -> str:
    """A schema in words: ``a list of strings``."""
    if "enum" in schema or "const" in schema:
        options = schema.get("enum", [schema.get("const")])
        return "one of " + ", ".join(json.dumps(o, ensure_ascii=False) for o in options)
    if "anyOf" in schema:
        return " or ".join(_expected(s) for s in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items", {})
        plain = "enum" not in items and ID not in items.get("description", "")
        plural = _PLURALS.get(items.get("type")) if plain else None
        return f"a list of {plural or 'items, each ' + _expected(items)}"
    if ID in schema.get("description", ""):
        description: str = schema["description"]
        return "an " + description[description.index(ID) :].rstrip(")")
    return _NAMES.get(str(kind), "a value")


_NAMES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "null": "null",
}
_PLURALS = {
    "string": "strings",
    "integer": "whole numbers",
    "number": "numbers",
    "boolean": "true or false values",
    "object": "objects",
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _hints(fn: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(fn, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"tool {name}: a type hint cannot be resolved ({error}); "
            "import or define the type at the top level of its module"
        ) from None


def _substitute(hint: Any, substitutes: Mapping[Any, Any]) -> Any:
    """``hint`` with every type in ``substitutes`` replaced, however deep."""
    if hint in substitutes:
        return substitutes[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is None or not any(isinstance(a, type) or get_args(a) for a in inner):
        return hint
    if origin is Annotated:
        return Annotated[_substitute(inner[0], substitutes), *hint.__metadata__]
    replaced = tuple(_substitute(a, substitutes) for a in inner)
    if origin in (Union, types.UnionType):
        return reduce(or_, replaced[1:], replaced[0]) if replaced else hint
    return origin[replaced]


def _accepts_none(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _accepts_none(get_args(hint)[0])
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _compact(
    schema: dict[str, Any], defs: dict[str, Any], tool: str, within: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A schema without titles and references, and without the null of an optional."""
    if "$ref" in schema:
        target = schema["$ref"].rsplit("/", 1)[-1]
        if target in within:
            raise TypeError(f"tool {tool}: parameter type {target} contains itself; flatten it")
        rest = {k: v for k, v in schema.items() if k != "$ref"}
        return _compact({**defs[target], **rest}, defs, tool, (*within, target))
    if "anyOf" in schema:
        options = [s for s in schema["anyOf"] if s != {"type": "null"}]
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
        if len(options) == 1:
            return _compact({**options[0], **rest}, defs, tool, within)
        schema = {**rest, "anyOf": options}
    out: dict[str, Any] = {k: schema[k] for k in ("type", "description") if k in schema}
    for key, value in schema.items():
        if key == "title":
            continue
        if key == "properties":
            out[key] = {k: _compact(v, defs, tool, within) for k, v in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            out[key] = _compact(value, defs, tool, within)
        elif key in ("anyOf", "oneOf", "prefixItems"):
            out[key] = [_compact(v, defs, tool, within) for v in value]
        else:
            out[key] = value
    return out


def _described(schema: dict[str, Any], documented: str | None) -> dict[str, Any]:
    """Add what the docstring says; ids keep saying that they are ids."""
    if not documented:
        return schema
    own = schema.get("description", "")
    if own.startswith(ID):
        documented = f"{documented.rstrip('.')} ({own})"
    return {**schema, "description": documented}


def _docstring(fn: Callable[..., Any], name: str) -> tuple[str, dict[str, str]]:
    """The first paragraph, and what the Google-style ``Args:`` section says of each parameter."""
    doc = inspect.getdoc(fn)
    if not doc or not doc.strip():
        raise TypeError(f"tool {name}: write a docstring; its first paragraph is what models read")
    summary = " ".join(doc.strip().split("\n\n", 1)[0].split())
    section = re.search(r"^(?:Args|Arguments):[ ]*\n((?:[ \t]+.*\n?|[ \t]*\n)+)", doc, re.M)
    args: dict[str, str] = {}
    if section:
        for entry in re.split(r"\n(?=\S)", inspect.cleandoc("\n" + section.group(1))):
            match = re.match(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)", entry.strip(), re.S)
            if match:
                args[match[1]] = " ".join(match[2].split())
    return summary, args
