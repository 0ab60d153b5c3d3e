"""The one action schema of all interface backends.

An action is discriminated by its ``name``. Actions that take the same arguments share a class,
which keeps the schema short that a model reads at every step. The target is written first: what a
control is says what can be done with it, and a model writes word by word.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mllm.content import Point, Value
from tools.protocol import ToolContext, ToolError


class Spot(Value):
    """A point as a model says it, ``screen2:640,200``: pixels of a picture that it names."""

    picture: str
    x: FiniteFloat
    y: FiniteFloat

    def point(self, context: ToolContext) -> Point:
        """With the size of its picture. Raises ``ToolError`` when it lies outside of it."""
        shot = context.artifact(self.picture)
        width, height = shot.width or 0, shot.height or 0
        if not (0 <= self.x < width and 0 <= self.y < height):
            raise ToolError(
                f"({self.x:g}, {self.y:g}) lies outside {self.picture} ({width}x{height} pixels)"
            )
        return Point(artifact=self.picture, width=width, height=height, x=self.x, y=self.y)


def _spot(said: Any) -> Any:
    """``screen2:640,200`` as a point; everything else as it was said."""
    match = _SPOT.fullmatch(said) if isinstance(said, str) else None
    return Spot(picture=match[1], x=float(match[2]), y=float(match[3])) if match else said


_SPOT = re.compile(r"\s*([a-z]\w*(?:\.\w+)*)\s*:\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*")

Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Target: TypeAlias = Annotated[
    Name | Spot, BeforeValidator(_spot), WithJsonSchema({"type": "string"})
]
"""A reference (``e12``), visible text or label (``Element.words``), or a point. To models always a
string."""


class Goto(Value):
    name: Literal["goto"]
    url: Name


class PointAt(Value):
    # Download is a click that brings a file. No docstring: a model reads the schema at every step.

    target: Target
    name: Literal["click", "double", "right", "hover", "download"]


class Type(Value):
    """Replaces what the field holds."""

    target: Target
    name: Literal["type"]
    text: str


class Clear(Value):
    target: Target
    name: Literal["clear"]


class Press(Value):
    target: Target | None = None
    name: Literal["press"]
    keys: Annotated[Name, Field(description="Enter, Escape, Control+A")]


class Select(Value):
    target: Target
    name: Literal["select"]
    options: Annotated[tuple[str, ...], Field(min_length=1, description="by their text")]


class Check(Value):
    target: Target
    name: Literal["check"]
    on: bool = True


STEPS = 12
"""Moves of the pointer of which a drag consists: pages follow it, and think that a jump is none."""


class Drag(Value):
    target: Target
    name: Literal["drag"]
    to: Target


Direction: TypeAlias = Literal["down", "up", "right", "left"]


class DragBy(Value):
    # To where nothing has a name.

    target: Target
    name: Literal["drag_by"]
    direction: Direction
    pixels: Annotated[int, Field(ge=1)] = 50

    def end(self, x: float, y: float) -> tuple[float, float]:
        """Where a drag ends that begins at ``(x, y)``."""
        sign = 1 if self.direction in ("down", "right") else -1
        across = self.direction in ("left", "right")
        return (x + sign * self.pixels, y) if across else (x, y + sign * self.pixels)


class Scroll(Value):
    target: Target | None = None
    name: Literal["scroll"]
    direction: Direction
    screens: Annotated[float, Field(gt=0, le=50)] = 0.8


class Upload(Value):
    target: Target
    name: Literal["upload"]
    file: Annotated[Name, Field(description="id of media")]


class Back(Value):
    name: Literal["back"]


class Expect(Value):
    """What shall hold after an action."""

    text: Annotated[Name | None, Field(description="stands on the page")] = None
    url: Annotated[Name | None, Field(description="part of the address")] = None
    value: Annotated[str | None, Field(description="of the target")] = None
    gone: Annotated[Name | None, Field(description="this element or text")] = None

    @model_validator(mode="after")
    def _not_empty(self) -> Expect:
        if all(getattr(self, key) is None for key in ("text", "url", "value", "gone")):
            raise ValueError("must say text, url, value or gone")
        return self


class State(Expect):
    # Told to models in fewer words.

    text: Name | None = None
    url: Name | None = None
    value: str | None = None
    gone: Name | None = None


class WaitFor(Value):
    name: Literal["wait_for"]
    until: State
    seconds: Annotated[float, Field(gt=0, le=30)] = 10.0


class Extract(Value):
    """The text of an element or page."""

    target: Target | None = None
    name: Literal["extract"]
    start: Annotated[int, Field(ge=0, description="character")] = 0


class Tabs(Value):
    name: Literal["tabs"]
    do: Literal["list", "switch", "close"] = "list"
    tab: Annotated[Name | None, Field(description="such as t2")] = None


class Fact(State):
    # What holds when the task is done.

    target: Annotated[Name | None, Field(description="whose value")] = None

    @model_validator(mode="after")
    def _whose(self) -> Fact:
        if self.value is not None and self.target is None:
            raise ValueError("must name the target whose value it is")
        return self


class Finish(Value):
    """Accepted when every fact holds now."""

    name: Literal["done"]
    evidence: Annotated[tuple[Fact, ...], Field(min_length=1)]


class AskPerson(Value):
    """What only the person knows or may decide."""

    name: Literal["ask_person"]
    question: Name


class _PlainChoice:
    """The discriminator stays for pydantic. Models are told a plain choice, which every decoder
    with a grammar knows; the mapping would name definitions that they never see."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        told: dict[str, Any] = handler(schema)
        return {"anyOf": told["oneOf"]}


Action: TypeAlias = Annotated[
    Goto
    | PointAt
    | Type
    | Clear
    | Press
    | Select
    | Check
    | Drag
    | DragBy
    | Scroll
    | Upload
    | Back
    | WaitFor
    | Extract
    | Tabs
    | Finish
    | AskPerson,
    Field(discriminator="name"),
    _PlainChoice,
]

LOOKS = ("hover", "scroll", "wait_for", "extract", "tabs", "done")
"""Actions whose expectation may have held before: they look rather than change."""
MOVES = (*LOOKS, "goto", "back")
"""Actions that change nothing on a server that is sane: the others have effects."""
