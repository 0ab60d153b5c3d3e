"""The protocol every model speaks: a backend opens sessions, a session generates turns.

A session belongs to one run. It may keep whatever makes the next turn cheap (KV cache, encoded
pictures) but must give the same result as a fresh session would: the messages are always passed
whole, and a session reuses the part that it has seen before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from mllm.content import MediaReader, Message, ToolSpec, Turn

ToolChoice = Literal["auto", "none", "required"]


class ModelError(Exception):
    """The model cannot be used: not reachable, out of memory, refused. Says what to do next."""


class WrongModel(ModelError):
    """What was named is no model that can be used, or no method for it: bad input rather than a
    failure."""


class MalformedOutput(ModelError):
    """The model answered with something that is neither text nor a valid call.

    ``text`` holds what it said, so that the loop can show it back to the model.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class Session(Protocol):
    """A conversation with a model, cheap to continue."""

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        """Yield text as it is generated, then the whole ``Turn`` once, last.

        ``tool_choice``: "none" forbids calls (a plan, a last answer), "required" demands one.
        ``output_schema``: a JSON schema that the text must satisfy; no calls are made then.
        Raises ``ModelError``, ``MalformedOutput``.
        """
        ...

    def close(self) -> None:
        """Free the caches."""
        ...


@runtime_checkable
class Batching(Protocol):
    """What a session has besides when it takes several conversations at once for less."""

    def batch(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> list[Turn | MalformedOutput]:
        """As ``generate_many``."""
        ...


class Backend(Protocol):
    """A loaded (or lazily loading) model that any number of sessions share."""

    name: str

    def session(self, media: MediaReader) -> Session: ...


def reads_screens(backend: Backend) -> bool:
    """Whether a picture of a whole screen tells the model anything. A backend whose pictures are
    too small for that says so with an attribute of this name; the others are believed to.

    Raises ``ModelError`` when the model must be loaded to know, and cannot be.
    """
    return bool(getattr(backend, "reads_screens", True))


def takes(backend: Backend, kind: str) -> bool:
    """Whether the model is given media of this kind, rather than their ids alone. A backend that
    passes on more than pictures says so with an attribute of this name, a collection of kinds."""
    return kind in getattr(backend, "takes", ("image",))


def generate(
    session: Session,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec] = (),
    *,
    tool_choice: ToolChoice = "auto",
    output_schema: dict[str, Any] | None = None,
    max_tokens: int = 512,
) -> Turn:
    """Drain ``session.stream`` and return the turn."""
    turn: Turn | None = None
    for item in session.stream(
        messages,
        tools,
        tool_choice=tool_choice,
        output_schema=output_schema,
        max_tokens=max_tokens,
    ):
        if isinstance(item, Turn):
            turn = item
    if turn is None:
        raise ModelError("the model's stream ended without a turn")
    return turn


def generate_many(
    session: Session,
    prompts: Sequence[Sequence[Message]],
    *,
    output_schema: dict[str, Any] | None = None,
    max_tokens: int = 512,
) -> list[Turn | MalformedOutput]:
    """A turn without tools for each of ``prompts``, in their order: together where the session
    can do that, else one after the other. One that is malformed stands for itself and costs the
    others nothing. Raises ``ModelError``."""
    if isinstance(session, Batching):
        return session.batch(prompts, output_schema=output_schema, max_tokens=max_tokens)
    return [
        attempt(session, messages, output_schema=output_schema, max_tokens=max_tokens)
        for messages in prompts
    ]


def attempt(
    session: Session,
    messages: Sequence[Message],
    *,
    output_schema: dict[str, Any] | None,
    max_tokens: int,
) -> Turn | MalformedOutput:
    """``generate`` without tools, with what is malformed as a value. Raises ``ModelError``."""
    try:
        return generate(session, messages, output_schema=output_schema, max_tokens=max_tokens)
    except MalformedOutput as fault:
        return fault
