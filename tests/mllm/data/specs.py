"""Tool descriptions as the built-in tools give them, and a check of calls against them."""

from __future__ import annotations

from mllm.content import ToolCall, ToolSpec

_TYPES = {"labels": {"type": "array", "items": {"type": "string"}}}


def spec(name: str, required: str, optional: str = "") -> ToolSpec:
    names = required.split() + optional.split()
    properties = {n: _TYPES.get(n, {"type": "string"}) for n in names}
    parameters = {"type": "object", "properties": properties, "required": required.split()}
    return ToolSpec(name=name, description=f"Does {name}.", parameters=parameters)


TOOLS = [
    spec("detect", "image", "labels"),
    spec("read_text", "image", "region find"),
    spec("select", "boxes", "label color relation of pick"),
    spec("calculate", "expression"),
    spec("look", "image question", "region"),
    spec("crop", "image region"),
    spec("annotate", "image boxes"),
]


def fits(call: ToolCall, specs: list[ToolSpec]) -> bool:
    """Whether the call is one that the tools allow, arguments in the order of the schema."""
    (tool,) = [s for s in specs if s.name == call.name]
    order = list(tool.parameters["properties"])
    given = list(call.arguments)
    return set(tool.parameters["required"]) <= set(given) <= set(order) and given == sorted(
        given, key=order.index
    )
