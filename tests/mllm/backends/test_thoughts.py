"""A thought that takes too long is ended, so that something is said."""

from __future__ import annotations

import pytest
import torch

from mllm.backends import load
from mllm.backends.calls import Listener
from mllm.backends.local import Local
from mllm.backends.protocol import generate, generate_many
from mllm.backends.writing import Writing
from mllm.content import Message, Turn
from mllm.data.scenes import render, sample_scene
from mllm.episode import Episode, messages
from tests.mllm.backends.conftest import Pictures

ROOM = 28


@pytest.fixture
def asked(pictures: Pictures) -> list[Message]:
    """About a picture with so many things that nano thinks for longer than that."""
    image = render(sample_scene(1_000_003, 4, style="twemoji"))
    return messages(Episode(task="Describe the picture.", media=(pictures.show("img1", image),)))


def test_a_long_thought_is_ended_and_an_answer_follows(
    pictures: Pictures, asked: list[Message]
) -> None:
    backend = load("nano")
    free = generate(backend.session(pictures), asked, max_tokens=256)
    short = generate(backend.session(pictures), asked, max_tokens=ROOM)
    assert free.reasoning.startswith(short.reasoning) and len(short.reasoning) < len(free.reasoning)
    assert short.text
    both = generate_many(backend.session(pictures), [asked, asked], max_tokens=ROOM)
    assert [one.text for one in both if isinstance(one, Turn)] == [short.text] * 2


def test_a_turn_does_not_end_before_something_was_said() -> None:
    backend = load("nano")
    assert isinstance(backend, Local)
    engine, _, grammars = backend.parts()
    writing = Writing(
        grammars.matcher([], "none", None), Listener(may_call=False), engine.tokenizer,
        grammars.ends, room=8, must=None, earlier=0,
    )  # fmt: skip
    logits = torch.zeros(engine.vocabulary)
    logits[list(grammars.ends)] = 10
    assert int(writing.allowed(logits).argmax()) not in grammars.ends
    writing.write(engine.tokenizer("Two")["input_ids"][0])
    assert int(writing.allowed(logits).argmax()) in grammars.ends
