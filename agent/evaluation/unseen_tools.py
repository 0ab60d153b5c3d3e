"""Tools under names that no training data held: a model must read their schemas to use them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Never

from mllm.content import ToolSpec
from mllm.data.schemas import randomise
from tools.protocol import Part, Tool, ToolContext, ToolError


def unseen(tools: Sequence[Tool], rng: random.Random) -> list[Tool]:
    """The tools renamed and in another order, with a few useless ones among them."""
    specs, mapping = randomise([tool.spec for tool in tools], rng, held_out=True)
    wrapped: dict[str, Tool] = {}
    for tool in tools:
        how = mapping[tool.name]
        own_names = {new: own for own, new in how.arguments.items()}
        spec = next(s for s in specs if s.name == how.name)
        wrapped[how.name] = Renamed(tool, spec, own_names)
    return [wrapped.get(spec.name) or Useless(spec) for spec in specs]


class Renamed(Tool):
    """A tool that goes by another name, with other names for its arguments."""

    def __init__(self, tool: Tool, spec: ToolSpec, own_names: Mapping[str, str]) -> None:
        self.name, self.side_effect, self.timeout = spec.name, tool.side_effect, tool.timeout
        self._tool, self._spec, self._own_names = tool, spec, own_names

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._tool.run(*args, **kwargs)

    @cached_property
    def spec(self) -> ToolSpec:
        return self._spec

    def call(self, arguments: Mapping[str, Any], context: ToolContext) -> tuple[Part, ...]:
        own = {self._own_names.get(name, name): value for name, value in arguments.items()}
        return self._tool.call(own, context)


class Useless(Tool):
    """A tool that is of no use for pictures."""

    def __init__(self, spec: ToolSpec) -> None:
        self.name, self._spec = spec.name, spec

    def run(self, *args: Any, **kwargs: Any) -> Never:
        raise ToolError(f"{self.name} has nothing to work with here: use another tool.")

    @cached_property
    def spec(self) -> ToolSpec:
        return self._spec

    def call(self, arguments: Mapping[str, Any], context: ToolContext) -> tuple[Part, ...]:
        self.run()
