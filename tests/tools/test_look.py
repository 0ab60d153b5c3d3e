from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from PIL import Image as PILImage

from mllm.backends.protocol import ModelError, Session, ToolChoice
from mllm.backends.scripted import Scripted
from mllm.content import Media, MediaReader, Message, Text, ToolSpec, Turn
from mllm.episode import Episode, messages
from tests.tools.conftest import Context, box
from tools.look import Look
from tools.protocol import ToolError


class Sighted:
    """A backend that says the size and first pixel of each picture that it is shown."""

    name = "sighted"

    def __init__(self) -> None:
        self.open = 0
        self.asked: list[tuple[Sequence[ToolSpec], ToolChoice]] = []
        self.hashes: list[str] = []

    def session(self, media: MediaReader) -> Session:
        backend = self
        backend.open += 1

        class Seeing:
            def stream(
                self,
                messages: Sequence[Message],
                tools: Sequence[ToolSpec] = (),
                *,
                tool_choice: ToolChoice = "auto",
                output_schema: dict[str, Any] | None = None,
                max_tokens: int = 512,
            ) -> Iterator[str | Turn]:
                backend.asked.append((tools, tool_choice))
                shown = [p for m in messages for p in m.content if isinstance(p, Media)]
                backend.hashes += [p.artifact.sha256 for p in shown]
                images = [media.image(p.artifact) for p in shown]
                said = [f"{i.size} {i.getpixel((0, 0))}" for i in images]
                sizes = [(p.artifact.width, p.artifact.height) for p in shown]
                assert sizes == [i.size for i in images]
                yield Turn(text="; ".join(said))

            def close(self) -> None:
                backend.open -= 1

        return Seeing()


def look(context: Context, **arguments: str) -> str:
    (got,) = Look().call({"image": "img1", "question": "What is it?", **arguments}, context)
    assert isinstance(got, Text)
    return got.text


def test_the_model_sees_the_picture_or_the_part_with_its_surroundings(context: Context) -> None:
    image = PILImage.new("RGB", (200, 100), (255, 0, 0))
    image.paste((0, 0, 255), (90, 40, 200, 100))
    picture = context.add_image(image)
    context.add_boxes(picture, box((100, 50, 140, 70)))
    backend = Sighted()
    context.model = backend
    assert look(context) == "(200, 100) (255, 0, 0)"
    assert look(context, region="boxes1") == "(60, 40) (0, 0, 255)"
    assert backend.open == 0, "every session must be closed"
    assert backend.asked == [((), "none")] * 2
    assert len(set(backend.hashes)) == 2


def test_the_question_is_put_as_a_task_of_its_own(context: Context) -> None:
    picture = context.add_image(PILImage.new("RGB", (20, 10)))
    model = Scripted(["A cup.", "一个杯子。"])
    context.model = model
    assert look(context) == "A cup."
    assert look(context, question="这是什么？") == "一个杯子。"
    assert list(model.seen[0]) == messages(Episode(task="What is it?", media=(picture.artifact,)))
    assert "智能体" in model.seen[1][0].words()


def test_a_long_answer_is_cut(context: Context) -> None:
    context.add_image(PILImage.new("RGB", (20, 10)))
    context.model = Scripted(["word " * 1000])
    assert len(look(context)) == 800


def test_what_goes_wrong_is_told_to_the_model(context: Context) -> None:
    context.add_image(PILImage.new("RGB", (20, 10)))
    with pytest.raises(ToolError, match="no model to look with"):
        look(context)
    context.model = Scripted([ModelError("not reachable")])
    with pytest.raises(ToolError, match="looking at img1 failed: not reachable"):
        look(context)
    context.model = Scripted(["  "])
    with pytest.raises(ToolError, match="said nothing about img1"):
        look(context)
