"""Lessons: the conversations of one scene, as token samples with their pictures.

Most lessons are the mixture of ``mllm.data.instruct``. The others are tool traces that all begin
with the same tools and the same picture, or questions about one picture: packed rows hold such a
beginning once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mllm.content import Artifact, ToolSpec
from mllm.data.instruct import RENAMED, Conversation, conversations, looking
from mllm.data.oracle import trace
from mllm.data.questions import questions
from mllm.data.scenes import render, sample_scene
from mllm.data.schemas import randomise
from mllm.episode import messages
from mllm.model import NanoProcessor
from mllm.model.chat import pictures, to_chat, to_tools
from mllm.training.packing import Sample
from mllm.training.samples import assistant_sample

BRANCHES = 6
"""Traces of a lesson of branches."""
LOOKS = 10
"""Questions of a lesson of looking."""
SHARES = {
    "existence": 1.0, "count": 1.0, "attribute": 2.5, "relation": 2.5, "comparison": 2.5,
    "text": 2.0, "multi_step": 2.5, "unanswerable": 2.0,
}
"""How often a branch asks a question of each family: what is hard comes up more often."""
CHINESE = 0.33


@dataclass(frozen=True)
class Lesson:
    """Samples, whose pictures are numbers into ``pictures``, and the kind of each."""

    samples: tuple[Sample, ...]
    pictures: tuple[NDArray[np.uint8], ...]
    kinds: tuple[str, ...]


class Lessons:
    """An endless sequence; a lesson is a pure function of its number. Of eight, five are of every
    kind, each conversation with tools of its own, two are traces that share their tools, and one is
    questions that share their picture."""

    def __init__(self, processor: NanoProcessor, tools: Sequence[ToolSpec], seed: int) -> None:
        self.processor, self.tools, self.seed = processor, tools, seed

    def __getitem__(self, index: int) -> Lesson:
        if index % 8 == 2:
            return lesson(self.processor, looking(self.seed, index, LOOKS))
        make = branches if index % 4 == 1 else conversations
        return lesson(self.processor, make(self.seed, index, self.tools))


def branches(seed: int, index: int, tools: Sequence[ToolSpec]) -> list[Conversation]:
    """Tool traces about one scene, told of the same tools."""
    rng = random.Random(f"branches/{seed}/{index}")
    scene = sample_scene(seed, index)
    image = render(scene)
    specs, mapping = randomise(tools, rng) if rng.random() < RENAMED else (list(tools), None)
    artifact = Artifact(
        id="img1" if rng.random() < 0.85 else f"img{rng.randint(2, 12)}",
        kind="image", sha256="", mime="image/png", width=image.width, height=image.height,
    )
    families = rng.choices(list(SHARES), list(SHARES.values()), k=BRANCHES)
    asked = [
        q
        for number, family in enumerate(families)
        for lang in ("zh" if rng.random() < CHINESE else "en",)
        for q in questions(scene, seed + number, n=1, family=family, lang=lang)
    ]
    return [
        Conversation(
            messages(trace(q, scene, specs, rng, artifact=artifact, mapping=mapping)),
            specs, {artifact.id: image}, "trace",
        )
        for q in asked
    ]


def lesson(processor: NanoProcessor, talks: Sequence[Conversation]) -> Lesson:
    """Conversations as samples; a picture that several show is held once."""
    size = processor.image_processor.size["height"]
    numbers: dict[int, int] = {}
    shown: list[NDArray[np.uint8]] = []
    samples = []
    for talk in talks:
        order = []
        for artifact in pictures(talk.messages):
            image = talk.images[artifact.id]
            if id(image) not in numbers:
                numbers[id(image)] = len(shown)
                shown.append(pixels(image, size))
            order.append(numbers[id(image)])
        chat, tools = to_chat(talk.messages), to_tools(talk.tools)
        samples.append(assistant_sample(processor, chat, tools=tools, pictures=order))
    return Lesson(tuple(samples), tuple(shown), tuple(talk.kind for talk in talks))


def pixels(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """A picture squashed to a square as the processor does it, ``(size, size, 3)``."""
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))


def gather(lessons: Sequence[Lesson]) -> tuple[list[Sample], list[NDArray[np.uint8]]]:
    """All samples of some lessons and all their pictures, renumbered."""
    samples: list[Sample] = []
    shown: list[NDArray[np.uint8]] = []
    for one in lessons:
        offset = len(shown)
        shown += one.pictures
        samples += [
            replace(s, pictures=[n + offset for n in s.pictures])
            for s in one.samples
        ]
    return samples, shown
