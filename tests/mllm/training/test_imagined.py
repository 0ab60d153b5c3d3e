"""Descriptions with imagined objects: what they say is there, and what is."""

from __future__ import annotations

import random

from mllm.data.lexicon import BY_NAME
from mllm.data.scenes import Scene, sample_scene
from mllm.evaluation.vocabulary import Vocabulary
from mllm.training.imagined import companions, described

WORDS = Vocabulary.ours()


def named(text: str) -> list[str]:
    return [m.category for m in WORDS.mentions(text) if not m.denied]


def shown(scene: Scene) -> set[str]:
    return {o.label for o in scene.objects}


def test_imagined_objects_are_named_are_not_there_and_go_with_what_is() -> None:
    langs, late = set(), 0
    scenes = [sample_scene(3, i) for i in range(24)]
    for i, scene in enumerate(scenes):
        one = described(scene, random.Random(i), 2)
        there = shown(scene)
        assert one.absent and not there & set(one.absent)
        assert {BY_NAME[n].group for n in one.absent} <= {BY_NAME[n].group for n in there}
        langs.add(one.lang)
        if "sign" in there:  # whose words may name anything
            continue
        assert set(named(one.true)) <= there
        said = named(one.imagined)
        assert [n for n in said if n not in one.absent] == named(one.true)
        late += sum(said.index(n) >= len(said) // 2 - 1 for n in one.absent)
    assert langs == {"en", "zh"} and late > len(scenes) // 2


def test_without_imagination_both_are_the_same() -> None:
    for i in range(6):
        one = described(sample_scene(3, i), random.Random(i), 0)
        assert one.true == one.imagined and one.absent == ()
        assert one == described(sample_scene(3, i), random.Random(i), 0)


def test_companions_are_of_the_same_kinds() -> None:
    found = companions({"cat", "apple"}, random.Random(1), 100)
    assert {BY_NAME[n].group for n in found} == {"animal", "fruit"}
    assert not {"cat", "apple"} & set(found)
