"""Conversations become samples in which the right things are learned."""

from __future__ import annotations

import pytest

from mllm.data.instruct import conversations, looking
from mllm.model import NanoProcessor
from mllm.model.tokenizer import END
from mllm.training.lessons import Lessons, branches, gather, lesson
from mllm.training.packing import grow
from mllm.training.samples import assistant_sample
from tests.mllm.data.specs import TOOLS
from tests.mllm.training.conftest import SHIPPED


@pytest.fixture(scope="module")
def processor() -> NanoProcessor:
    return NanoProcessor.from_pretrained(SHIPPED)


def learned(processor: NanoProcessor, sample: object) -> str:
    ids = [i for i, on in zip(sample.ids, sample.learned, strict=True) if on]  # type: ignore[attr-defined]
    text: str = processor.tokenizer.decode(ids)
    return text


def test_what_the_assistant_says_is_learned_and_nothing_else(processor: NanoProcessor) -> None:
    for talk in conversations(1, 1, TOOLS):
        (sample,) = lesson(processor, [talk]).samples
        text = learned(processor, sample)
        said = [m for m in talk.messages if m.role == "assistant"]
        assert text.count(END) == len(said)
        assert said[-1].words() in text
        for message in talk.messages:
            for call in message.calls:
                assert f'"name": "{call.name}"' in text
        assert "Steps left" not in text


def test_looking_is_learned_at_one_picture(processor: NanoProcessor) -> None:
    talks = looking(1, 2, 10)
    assert len(talks) == 10 and not any(m.calls for t in talks for m in t.messages)
    assert sum("<think>" in t.messages[-1].words() for t in talks) >= 4
    one = lesson(processor, talks)
    assert len(one.pictures) == 1
    (packed,) = grow(list(one.samples), 4096)  # the picture is the trunk of all
    assert packed.length < sum(len(s.ids) for s in one.samples) / 2


def test_a_refused_answer_is_not_learned(processor: NanoProcessor) -> None:
    chat = [
        {"role": "user", "content": "How many cups?"},
        {"role": "assistant", "content": "plan"},
        {"role": "assistant", "content": "3 cups"},
        {"role": "user", "content": "The detector found 2."},
        {"role": "assistant", "content": "2 cups"},
    ]
    sample = assistant_sample(processor, chat, pictures=[])
    assert learned(processor, sample) == f"plan{END}2 cups{END}"


def test_traces_of_a_scene_share_their_beginning(processor: NanoProcessor) -> None:
    made = lesson(processor, branches(1, 0, TOOLS))
    assert len(made.pictures) == 1
    (tree,) = grow(made.samples, 10_000)
    assert len(tree.branches) == len(made.samples) >= 3
    assert tree.length < sum(len(s.ids) for s in made.samples)


def test_lessons_are_repeatable_and_gathered_pictures_are_renumbered(
    processor: NanoProcessor,
) -> None:
    lessons = Lessons(processor, TOOLS, seed=1)
    assert lessons[1].samples == lessons[1].samples != lessons[4].samples
    samples, shown = gather([lessons[0], lessons[2]])
    numbers = [n for s in samples for n in s.pictures]
    assert min(numbers) == 0 and max(numbers) == len(shown) - 1
