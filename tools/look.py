"""Looking again: the controlling model itself is asked about a picture or a part of it.

The question is put in a session of its own, as a task without tools, so that the answer depends
on the picture and not on what the run has said so far.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image as PILImage

from mllm.backends.protocol import ModelError, generate, generate_many
from mllm.content import Artifact, Boxes, MediaReader, Message, Turn
from mllm.episode import Episode, messages
from prompts import language
from tools.crop import cut
from tools.protocol import Image, Tool, ToolContext, ToolError

MARGIN = 0.25
"""Surroundings shown with a region, as a share of its longer side: they tell what a part is."""
MAX_TOKENS = 160
MAX_CHARACTERS = 800


class Look(Tool):
    """Asks the model about a picture."""

    name = "look"
    timeout = 300.0

    def run(
        self, image: Image, question: str, context: ToolContext, region: Boxes | None = None
    ) -> str:
        """Look at a picture, or closely at the boxes in it, and answer a question about it.

        Args:
            question: What to find out, in one sentence.
        """
        if context.model is None:
            raise ToolError("there is no model to look with; use another tool")
        media: MediaReader = context.media
        artifact = image.artifact
        if region is not None:
            part = cut(image, region, MARGIN)[0]
            artifact = _part_of(artifact, region, part)
            media = _WithPart(context.media, artifact, part)
        session = context.model.session(media)
        try:
            turn = generate(
                session, _asked(artifact, question), tool_choice="none", max_tokens=MAX_TOKENS
            )
        except ModelError as error:
            raise ToolError(f"looking at {image.artifact.id} failed: {error}") from error
        finally:
            session.close()
        if not (said := _short(turn.text)):
            raise ToolError(f"the model said nothing about {image.artifact.id}; ask differently")
        return said

    def ask(self, artifact: Artifact, questions: Sequence[str], context: ToolContext) -> list[str]:
        """The replies to all ``questions`` about a whole picture, which the model is shown once and
        answers together where it can; nothing where it says nothing. Raises ``ToolError``."""
        if context.model is None:
            raise ToolError("there is no model to look with; use another tool")
        session = context.model.session(context.media)
        try:
            asked = [_asked(artifact, question) for question in questions]
            turns = generate_many(session, asked, max_tokens=MAX_TOKENS)
        except ModelError as error:
            raise ToolError(f"looking at {artifact.id} failed: {error}") from error
        finally:
            session.close()
        return [_short(turn.text) if isinstance(turn, Turn) else "" for turn in turns]


def _asked(artifact: Artifact, question: str) -> list[Message]:
    return messages(Episode(task=question, media=(artifact,), lang=language(question)))


def _short(text: str) -> str:
    said = text.strip()
    return said if len(said) <= MAX_CHARACTERS else said[: MAX_CHARACTERS - 3] + "..."


@dataclass(frozen=True)
class _WithPart:
    """A media reader that also knows one cut-out part."""

    whole: MediaReader
    artifact: Artifact
    part: PILImage.Image

    def image(self, artifact: Artifact) -> PILImage.Image:
        return self.part if artifact == self.artifact else self.whole.image(artifact)


def _part_of(whole: Artifact, region: Boxes, part: PILImage.Image) -> Artifact:
    """A reference to a part that lives only as long as the look. Its hash names the pixels, so
    that no cache of encoded pictures can take it for another."""
    rows = ",".join(f"{b.x0:g} {b.y0:g} {b.x1:g} {b.y1:g}" for b in region.boxes)
    return whole.model_copy(
        update={
            "sha256": hashlib.sha256(f"{whole.sha256} {rows}".encode()).hexdigest(),
            "mime": "image/png",
            "width": part.width,
            "height": part.height,
            "parent": whole.id,
        }
    )
