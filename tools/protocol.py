"""The tool protocol: a typed callable that a model can call by name.

The schema a model reads comes from the type hints and the Google-style docstring of ``run`` (or
of the decorated function). Media and boxes travel by id: a parameter annotated ``Image`` or
``Boxes`` is a string for the model and the real thing for the tool.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeAlias, cast, overload

from PIL import Image as PILImage
from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema, to_json

from mllm.backends.protocol import Backend
from mllm.content import Artifact, Boxes, Media, MediaReader, Record, Text, ToolSpec, Value
from tools.pool import ExpertPool
from tools.schema import ID, Signature, explain, read

Part: TypeAlias = "Text | Boxes | Picture | Media | Record"
"""What a call gives to the loop. The loop stores pictures and gives ids."""


class ToolError(Exception):
    """A failure that the model can act on: it becomes an observation. Says what to do next."""


class Question(Value):
    """What a tool asks a person. A permission is answered ``yes`` or ``no``, else in words."""

    text: str
    permission: bool = True

    def takes(self, answer: str) -> bool:
        """Whether this is an answer."""
        return answer in ("yes", "no") if self.permission else bool(answer.strip())


class PersonNeeded(ToolError):
    """A call with a side effect waits for a person; the effect was not brought about.

    A run that may ask stops here, and later makes the same call again with the answer in
    ``ToolContext.answers``; in any other run ``otherwise`` is the observation.
    """

    def __init__(self, question: Question, otherwise: str) -> None:
        super().__init__(otherwise)
        self.question = question


class MediaFiles(MediaReader, Protocol):
    """A media reader that can also name a file, for experts that want a path."""

    def path(self, artifact: Artifact) -> Path: ...


class ToolContext(Protocol):
    """What a run offers to its tools. Safe to use from several threads."""

    @property
    def media(self) -> MediaFiles: ...

    @property
    def model(self) -> Backend | None:
        """The controller itself, or None where a tool is used without an agent."""
        ...

    @property
    def pool(self) -> ExpertPool: ...

    @property
    def run(self) -> str:
        """Names the run that the call belongs to, the same after it was resumed."""
        ...

    @property
    def answers(self) -> Mapping[str, str]:
        """What a person answered to the questions of this call, by the question's text."""
        ...

    @property
    def task(self) -> str:
        """What the person asks for, "" where a tool is used without an agent."""
        ...

    @property
    def lang(self) -> str:
        """The language of the person, ``en`` or ``zh``: what nobody has named yet is named so."""
        ...

    def artifact(self, id: str) -> Artifact:
        """Raises ``ToolError`` that names the known ids."""
        ...

    def boxes(self, id: str) -> Boxes:
        """The set ``boxes1``, or a set of one row, ``boxes1.2``. Raises ``ToolError``."""
        ...


@dataclass(frozen=True)
class _Argument:
    """A media argument: the model says an id, the tool gets the artifact and its bytes."""

    artifact: Artifact
    media: MediaFiles = field(repr=False, compare=False)

    kind: ClassVar[str]
    hint: ClassVar[str]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(
            cls._resolve, core_schema.str_schema(strict=True)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "description": cls.hint}

    @classmethod
    def _resolve(cls, id: str, info: ValidationInfo) -> Self:
        context = cast(ToolContext, info.context)
        artifact = context.artifact(id)
        if artifact.kind != cls.kind:
            raise ToolError(
                f"{id} is of kind {artifact.kind}, but argument {info.field_name!r} "
                f"takes the {cls.hint}"
            )
        return cls(artifact, context.media)


class Image(_Argument):
    """An argument that takes a picture of the run by its id."""

    kind = "image"
    hint = ID + "an image, such as img1"

    def pil(self) -> PILImage.Image:
        """The picture in RGB."""
        return self.media.image(self.artifact)


class _File(_Argument):
    def path(self) -> Path:
        """The file in the run's store. Read it, never write to it."""
        return self.media.path(self.artifact)


class Audio(_File):
    """An argument that takes a sound of the run by its id."""

    kind = "audio"
    hint = ID + "a sound, such as aud1"


class Video(_File):
    """An argument that takes a video of the run by its id."""

    kind = "video"
    hint = ID + "a video, such as vid1"


class Document(_File):
    """An argument that takes a document of the run by its id."""

    kind = "document"
    hint = ID + "a document, such as page1"


SCREENSHOT = "screen"
"""The stem of pictures of a whole screen. A model that does not read screens is not shown them;
they are kept with the run, for people."""


@dataclass(frozen=True)
class Picture:
    """A new picture that a tool made; the run stores it and gives it an id.

    ``parent`` is the id of the picture it was made from and ``name`` a short stem: "crop" of
    img1 becomes ``img1.crop1``.
    """

    image: PILImage.Image = field(repr=False)
    parent: str
    name: str
    data: bytes | None = field(default=None, repr=False)
    """The encoded file, where the tool already has it (a screenshot): kept as it is."""


class _BoxesById:
    """How a ``Boxes`` parameter is validated: an id or a row id, resolved by the context."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def resolve(id: str, info: ValidationInfo) -> Boxes:
            context = cast(ToolContext, info.context)
            return context.boxes(id)

        return core_schema.with_info_after_validator_function(
            resolve, core_schema.str_schema(strict=True)
        )

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "description": ID + "boxes, such as boxes1, or a row, boxes1.2"}


_BY_ID = {Boxes: Annotated[Boxes, _BoxesById]}


class Tool(ABC):
    """An expert that a model can call. Subclasses write a typed, documented ``run``.

    ``run`` may be a coroutine. Its parameter annotated ``ToolContext``, if any, is given by the
    run and hidden from the model. It returns text, numbers, a pydantic model, ``Boxes``,
    ``Picture``, ``Image``, or a list of these.
    """

    name: str
    side_effect: bool = False
    """Whether calling it changes something outside the run; such calls are journalled."""
    timeout: float = 60.0
    """Seconds after which the loop gives up on a call."""

    @abstractmethod
    def run(self, *args: Any, **kwargs: Any) -> Any: ...

    @property
    def description(self) -> str:
        """The first paragraph of ``run``'s docstring."""
        return self.spec.description

    @property
    def spec(self) -> ToolSpec:
        """What a model is told. Raises ``TypeError`` when hints or docstring are missing."""
        return self._signature.spec

    def takes(self, kind: str) -> bool:
        """Whether an argument is of this kind of media: "image", "audio", "video", "document"."""
        told = str(self.spec.parameters)
        return any(a.kind == kind and a.hint in told for a in (Image, Audio, Video, Document))

    def possible(self, run: str) -> dict[str, Any] | None:
        """The schema of the arguments narrowed to what can be done just now in the run with this
        id, None where all of it can."""
        return None

    def call(self, arguments: Mapping[str, Any], context: ToolContext) -> tuple[Part, ...]:
        """Validate ``arguments`` (as a model wrote them), resolve ids, run, and normalise.

        Raises ``ToolError`` with a sentence for the model when an argument is wrong or a library
        is not installed, and whatever ``run`` raises.
        """
        known = self._signature
        # A null for a parameter with a default means: the default.
        given = {k: v for k, v in arguments.items() if v is not None or k in known.required}
        try:
            values = known.validator.validate_python(given, context=context)
        except ValidationError as error:
            raise ToolError(explain(error, self.spec, given)) from None
        if known.context is not None:
            values[known.context] = context
        try:
            output = self.run(**values)
            if inspect.iscoroutine(output):
                output = _finish(output)
        except ModuleNotFoundError as error:  # a light installation: the model can do without
            raise ToolError(
                f"{self.name} needs {error.name}, which is not installed: go on without it; "
                "`corvid doctor` tells a person what to install for Corvid's own tools"
            ) from error
        return tuple(_parts(output, self.name)) or (Text(text="nothing"),)

    @cached_property
    def _signature(self) -> Signature:
        return read(self.run, self.name, _BY_ID, ToolContext)


class FunctionTool(Tool):
    """A function made a tool by ``@tool``; calling it directly still calls the function."""

    def __init__(
        self, fn: Callable[..., Any], name: str, side_effect: bool, timeout: float
    ) -> None:
        self.name, self.side_effect, self.timeout = name, side_effect, timeout
        self._fn = fn
        self.__doc__ = fn.__doc__
        self._signature = read(fn, name, _BY_ID, ToolContext)  # at once: mistakes show where made

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._fn(*args, **kwargs)

    __call__ = run


@overload
def tool(fn: Callable[..., Any], /) -> FunctionTool: ...
@overload
def tool(
    *, name: str | None = None, side_effect: bool = False, timeout: float = 60.0
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    side_effect: bool = False,
    timeout: float = 60.0,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Make a typed and documented function, plain or async, a tool.

    Raises ``TypeError`` at the definition when a type hint or the docstring is missing.
    """

    def decorate(fn: Callable[..., Any]) -> FunctionTool:
        return FunctionTool(fn, name or fn.__name__, side_effect, timeout)

    return decorate if fn is None else decorate(fn)


def _parts(output: Any, name: str) -> Iterator[Part]:
    """What a tool returned, as content parts."""
    if isinstance(output, Text | Boxes | Picture | Media | Record):
        yield output
    elif isinstance(output, _Argument):
        yield Media(artifact=output.artifact)
    elif isinstance(output, str):
        yield Text(text=output)
    elif output is None:
        yield Text(text="done")
    elif isinstance(output, bool | int | float):
        yield Text(text=json.dumps(output))
    elif isinstance(output, BaseModel | dict):
        yield Text(text=to_json(output, exclude_none=True).decode())
    elif isinstance(output, list | tuple):
        for item in output:
            yield from _parts(item, name)
    else:
        raise TypeError(
            f"tool {name} returned {type(output).__name__}; return text, a number, a pydantic "
            "model, Boxes, Picture, Image, or a list of these"
        )


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from plain code, also where an event loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()
