"""What flows between the floors: media references, boxes, messages, tool calls and results.

Everything here is a small frozen pydantic model that serialises to JSON. Pixels and samples never
appear: an ``Artifact`` names media by content hash, and whoever needs the bytes asks the run's
store through a ``MediaReader``.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Protocol

from PIL import Image as PILImage
from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_ROWS = 20
"""Boxes listed one by one in the text for the model; the rest is only counted."""


ROW_TEXT = 16
"""Characters of a box's text in its row; the whole text stands above the rows."""


class Value(BaseModel):
    """Base of all content: immutable, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Artifact(Value):
    """A reference to media in the run's store: an id that the model can say, never bytes."""

    id: str = Field(description="short id, unique in the run: img1, img1.crop1, aud1, page1")
    kind: Literal["image", "audio", "video", "document"]
    sha256: str
    mime: str
    width: int | None = Field(default=None, description="pixels, for images and video")
    height: int | None = Field(default=None, description="pixels, for images and video")
    seconds: float | None = Field(default=None, description="duration, for audio and video")
    parent: str | None = Field(default=None, description="id of the artifact it was made from")
    origin: str = Field(default="", description="file name, URL or tool that it came from")


class Point(Value):
    """A point in pixels of the artifact whose size is ``width`` x ``height``."""

    type: Literal["point"] = "point"
    artifact: str
    width: int
    height: int
    x: float
    y: float


class Box(Value):
    """A rectangle in pixels, ``x0 <= x1`` and ``y0 <= y1``, of the artifact that it belongs to."""

    type: Literal["box"] = "box"
    artifact: str
    width: int
    height: int
    x0: float
    y0: float
    x1: float
    y1: float
    label: str | None = None
    color: str | None = Field(default=None, description="colour name measured on the pixels")
    text: str | None = Field(default=None, description="text read inside the box")
    score: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Box:
        if self.x1 < self.x0 or self.y1 < self.y0:
            raise ValueError(f"box corners out of order: {self.x0, self.y0, self.x1, self.y1}")
        return self

    @property
    def corners(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def words(self) -> str:
        """One row for the model: ``red cup [12,40,60,90]`` or ``"EXIT" [3,4,50,20]``. Of a long
        text only the beginning."""
        name = " ".join(w for w in (self.color, self.label) if w)
        if self.text is not None:
            short = self.text[: ROW_TEXT - 1] + "…" if len(self.text) > ROW_TEXT else self.text
            name = f'{name} "{short}"'.strip()
        corners = ",".join(str(round(v)) for v in self.corners)
        return f"{name} [{corners}]"


class Text(Value):
    """Words inside a message."""

    type: Literal["text"] = "text"
    text: str


class Media(Value):
    """A picture, sound, video or document inside a message."""

    type: Literal["media"] = "media"
    artifact: Artifact


class Boxes(Value):
    """An ordered set of boxes on one artifact. The run gives it an id, so that later calls can
    name it (``boxes1``) or one of its rows (``boxes1.2``, counted from 1)."""

    type: Literal["boxes"] = "boxes"
    id: str = ""
    artifact: str
    boxes: tuple[Box, ...]
    counts: dict[str, int] = Field(
        default_factory=dict, description="what was asked for, in its words, and how many there are"
    )
    unsure: tuple[Box, ...] = Field(
        default=(), description="what may be there too; not counted, and not told to the model"
    )

    def words(self) -> str:
        """The text that the model reads: counts first, in the order in which they were asked for,
        then all text that was read as one, then a row a box. Counts stand behind their words and
        texts in one piece, where they can be copied."""
        head = f"{self.id or 'boxes'} on {self.artifact}: {self.told()}"
        if read := " ".join(box.text for box in self.boxes if box.text):
            head += f', reading "{read}"'
        rows = [f"{i} {box.words()}" for i, box in enumerate(self.boxes[:MAX_ROWS], 1)]
        if len(self.boxes) > MAX_ROWS:
            rows.append(f"and {len(self.boxes) - MAX_ROWS} more")
        return "\n".join([head, *rows])

    def told(self) -> str:
        """The counts alone: ``cup: 2, dog: 0``."""
        counts = self.counts or Counter(box.label or "text" for box in self.boxes)
        return ", ".join(f"{what}: {n}" for what, n in counts.items()) or "nothing"


class Record(Value):
    """What a tool did, as data: kept with the run, never shown to a model."""

    type: Literal["record"] = "record"
    data: dict[str, Any]


Part = Annotated[Text | Media | Boxes, Field(discriminator="type")]


class ToolSpec(Value):
    """What a model is told of a tool. ``parameters`` is a JSON schema of type object.

    ``possible`` is a narrower one that calls must fit just now, None where it is the same. Decoders
    with a grammar keep to it; it is in no dump, so that no model is told and the prompt stays.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    possible: dict[str, Any] | None = Field(default=None, exclude=True)


class ToolCall(Value):
    """A call that a model wants made. ``arguments`` fit the tool's schema; ``id`` is the run's."""

    id: str
    name: str
    arguments: dict[str, Any]


class ToolResult(Value):
    """What came back from a call. A failure is a result too, with ``error`` set."""

    call_id: str
    name: str
    content: tuple[Part, ...]
    error: bool = False
    records: tuple[Record, ...] = ()

    def words(self) -> str:
        return "\n".join(part_words(p) for p in self.content)


class Message(Value):
    """One turn of the conversation with a model."""

    role: Literal["system", "user", "assistant", "tool"]
    content: tuple[Part, ...] = ()
    calls: tuple[ToolCall, ...] = Field(default=(), description="of an assistant message")
    call_id: str | None = Field(default=None, description="of a tool message: the call it answers")
    name: str | None = Field(default=None, description="of a tool message: the tool")

    def words(self) -> str:
        return "\n".join(part_words(p) for p in self.content)


class Usage(Value):
    """Tokens of one model call. ``cached`` of the input were served from the session's cache."""

    input: int = 0
    cached: int = 0
    output: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            output=self.output + other.output,
        )


class Turn(Value):
    """What a model said: free text, then any number of tool calls. No call means: an answer."""

    text: str = ""
    reasoning: str = Field(default="", description="thought before it spoke, not shown again")
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    truncated: bool = Field(default=False, description="the token limit ended the turn")


class MediaReader(Protocol):
    """Gives the pixels behind a reference."""

    def image(self, artifact: Artifact) -> PILImage.Image:
        """The picture in RGB. Raises ``FileNotFoundError`` when the store lost it."""
        ...


def part_words(part: Text | Media | Boxes) -> str:
    """A content part as plain text; media is named by its id."""
    if isinstance(part, Text):
        return part.text
    if isinstance(part, Boxes):
        return part.words()
    a = part.artifact
    size = f" {a.width}x{a.height}" if a.width else ""
    return f"[{a.id}{size}]"
