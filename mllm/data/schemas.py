"""Tool schemas made strange, so that a model reads them instead of remembering them.

Names of tools and arguments, descriptions and order are replaced by other words, and tools that
are of no use are added. Words under ``held_out`` serve evaluation only.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mllm.content import ToolCall, ToolSpec

_INVENTED = 0.3
"""Share of tools whose names are random letters: what they do stands in their descriptions. Names
of arguments are always words, since nothing else tells what they are for."""


@dataclass(frozen=True)
class Renaming:
    """How a tool and its arguments are called now."""

    name: str
    arguments: Mapping[str, str]


Mapped = Mapping[str, Renaming]
"""By the tool's own name."""


def randomise(
    tools: Sequence[ToolSpec], rng: random.Random, *, held_out: bool = False
) -> tuple[list[ToolSpec], Mapped]:
    """The tools under other names and in another order with up to three useless ones, and how
    to rename calls for them (see ``renamed``)."""
    data = _data()
    key = "held_out" if held_out else "names"
    taken: set[str] = set()
    specs: list[ToolSpec] = []
    mapping: dict[str, Renaming] = {}
    for tool in tools:
        known = data["tools"].get(tool.name, {})
        name = _other(tool.name, known.get(key, []), taken, rng, invented=_INVENTED)
        properties = list(tool.parameters.get("properties", {}).items())
        rng.shuffle(properties)
        used: set[str] = set()
        arguments = {
            a: _other(a, data["arguments"].get(a, {}).get(key, []), used, rng, invented=0.0)
            for a, _ in properties
        }
        parameters = {
            **tool.parameters,
            "properties": {arguments[a]: schema for a, schema in properties},
        }
        if "required" in parameters:
            parameters["required"] = [arguments[a] for a in tool.parameters["required"]]
        described = known.get("held_out_descriptions" if held_out else "descriptions")
        description = rng.choice(described) if described else tool.description
        specs.append(ToolSpec(name=name, description=description, parameters=parameters))
        mapping[tool.name] = Renaming(name, arguments)
    useless = data["held_out_distractors" if held_out else "distractors"]
    for name, description, arguments in rng.sample(useless, rng.randint(0, 3)):
        if name not in taken:
            specs.append(_spec(name, description, arguments))
    rng.shuffle(specs)
    return specs, mapping


def renamed(call: ToolCall, mapping: Mapped, specs: Sequence[ToolSpec]) -> ToolCall:
    """The call under its new names, arguments in the order of the new schema."""
    how = mapping.get(call.name)
    name = how.name if how else call.name
    arguments = {how.arguments[k] if how else k: v for k, v in call.arguments.items()}
    spec = next(s for s in specs if s.name == name)
    order = list(spec.parameters.get("properties", {}))
    arguments = dict(sorted(arguments.items(), key=lambda item: order.index(item[0])))
    return ToolCall(id=call.id, name=name, arguments=arguments)


def _other(
    name: str, words: Sequence[str], taken: set[str], rng: random.Random, *, invented: float
) -> str:
    free = [w for w in words if w not in taken]
    if rng.random() < invented:
        free = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 7)))]
    elif rng.random() < 0.25 or not free:
        free = [name] if name not in taken else free
    chosen = rng.choice(free) if free else f"{name}_{len(taken)}"
    while chosen in taken:
        chosen += rng.choice(string.ascii_lowercase)
    taken.add(chosen)
    return chosen


def _spec(name: str, description: str, arguments: Mapping[str, str]) -> ToolSpec:
    properties = {a: {"type": kind} for a, kind in arguments.items()}
    parameters = {"type": "object", "properties": properties, "required": list(arguments)}
    return ToolSpec(name=name, description=description, parameters=parameters)


@cache
def _data() -> dict[str, Any]:
    path = Path(__file__).with_name("phrasings") / "schemas.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
