"""Twins differ in one fact and in no other, and what is said of each is right for it alone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mllm.data.lexicon import BY_NAME, NAMES, normalize
from mllm.data.looks import LARGE_FROM, SMALL_BELOW
from mllm.data.phrasing import phrasings
from mllm.data.scenes import Scene, SceneObject, owner_map, render
from mllm.data.twin_pairs import Pair, pairs
from mllm.data.twins import KINDS, Twins, twins

ALL = [twins(11, index) for index in range(60)]
ASKED = [(one, pair) for one in ALL for pair in pairs(one, 6)]


def changed(one: Twins) -> tuple[SceneObject | None, SceneObject | None]:
    """The object that is not the same in the two, as either has it."""
    first, second = (list(s.objects) for s in one.both)
    if len(first) == len(second):
        ((a, b),) = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
        return a, b
    added = len(first) < len(second)
    more, fewer = (second, first) if added else (first, second)
    (gone,) = [o for o in more if o not in fewer]
    assert [o for o in more if o != gone] == fewer
    return (None, gone) if added else (gone, None)


def test_every_kind_comes_up_either_way_round() -> None:
    assert set(Counter(one.kind for one in ALL)) == set(KINDS)
    gone = [changed(one)[1] is None for one in ALL if one.kind in ("count", "existence")]
    assert {True, False} == set(gone)


def test_same_number_same_twins() -> None:
    assert twins(11, 7) == ALL[7] != twins(12, 7)
    assert pairs(ALL[7], 6) == [pair for one, pair in ASKED if one is ALL[7]]


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_one_fact_differs(kind: str) -> None:
    for one in ALL:
        if one.kind != kind:
            continue
        a, b = changed(one)
        counts = [Counter(o.label for o in s.objects) for s in one.both]
        if kind in ("count", "existence"):
            thing = a or b
            assert thing is not None and (a is None or b is None)
            assert thing.label == one.label
            assert sorted(c[one.label] for c in counts)[0] == 0 if kind == "existence" else True
            assert min(c[one.label] for c in counts) >= (1 if kind == "count" else 0)
            continue
        assert a is not None and b is not None
        what = {"object": ("label", "sprite"), "color": ("color",), "text": ("text",)}[kind]
        for name in ("label", "color", "text", "size", "sprite", "visible"):
            assert (getattr(a, name) != getattr(b, name)) == (name in what), name
        if kind == "color":
            assert a.box == b.box
        if kind == "object":
            assert one.label == a.label and counts[1][a.label] == counts[0][b.label] == 0


def test_labels_are_measured_on_what_is_drawn() -> None:
    for one in ALL:
        for scene in one.both:
            owners = owner_map(scene)
            for number, thing in enumerate(scene.objects):
                rows, columns = np.nonzero(owners == number)
                box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                assert thing.box == tuple(map(float, box))


def test_what_is_exchanged_keeps_the_name_of_its_size_by_a_clear_margin() -> None:
    for one in (twins(12, index, kinds=("object", "text")) for index in range(40)):
        a, b = changed(one)
        assert a is not None and b is not None
        assert a.size == b.size and a.visible == b.visible == 1
        area = one.scene.width * one.scene.height
        for x0, y0, x1, y1 in (a.box, b.box):
            ratio = ((x1 - x0) * (y1 - y0) / area) ** 0.5
            assert min(abs(ratio - SMALL_BELOW), abs(ratio - LARGE_FROM)) > 0.005


def test_pictures_differ_only_where_the_object_is() -> None:
    for one in ALL[:25]:
        first, second = (np.asarray(render(s), int) for s in one.both)
        apart = np.abs(first - second).max(-1) > 0
        assert apart.any()
        rows, columns = np.nonzero(apart)
        boxes = [o.box for o in changed(one) if o is not None]
        margin = 8  # of edges and shadows
        assert columns.min() >= min(b[0] for b in boxes) - margin
        assert rows.min() >= min(b[1] for b in boxes) - margin
        assert columns.max() <= max(b[2] for b in boxes) + margin
        assert rows.max() <= max(b[3] for b in boxes) + margin


def test_a_style_without_the_kind_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from mllm.data import twins as module

    empty = replace(ALL[0].scene, objects=(), placements=())
    monkeypatch.setattr(module, "sample_scene", lambda *_, **__: empty)
    with pytest.raises(ValueError, match="no scene in the style train allows"):
        twins(1, 1)


# --- answers -------------------------------------------------------------------------------------


def test_nearly_all_twins_can_be_asked_about() -> None:
    asked = Counter(id(one) for one, _ in ASKED)
    assert len(asked) >= 0.9 * len(ALL)
    forms = Counter(pair.form for _, pair in ASKED)
    assert {"description", "list", "exists", "count", "color", "is_color"} <= set(forms)
    assert 0.1 < (forms["description"] + forms["list"]) / len(ASKED) < 0.5
    assert {pair.lang for _, pair in ASKED} == {"en", "zh"}


def test_counts_are_right_for_their_picture_and_wrong_for_the_other() -> None:
    checked = 0
    for one, pair in ASKED:
        if pair.form != "count" or pair.lang != "en":
            continue
        numbers = [1 if " 1 " in a else 0 if " no " in a else digit(a) for a in pair.answers]
        assert numbers[0] != numbers[1]
        color = next((c for c in phrasings("en")["colors"] if f" {c} " in pair.answers[0]), None)
        labels = named(pair, one) if one.kind == "object" else [one.label]
        found = [
            [count(scene, label, color) for scene in one.both] for label in labels
        ]
        assert numbers in found, pair
        checked += 1
    assert checked > 8


def test_colors_are_right_for_their_picture_and_wrong_for_the_other() -> None:
    checked = 0
    for one, pair in ASKED:
        if pair.form == "color" and one.kind == "color":
            hues = phrasings(pair.lang)["colors"]
            a, b = changed(one)
            assert a is not None and b is not None
            assert hues[a.color] in pair.answers[0] and hues[b.color] in pair.answers[1]
            checked += 1
    assert checked > 2


def test_no_answer_is_right_for_both_or_arguable() -> None:
    absent = 0
    for number in range(30):
        one = twins(13, number, kinds=("count", "existence"))
        for pair in pairs(one, 16):
            if pair.lang != "en":
                continue
            assert "-1" not in "".join(pair.answers)
            missing = [a for a in pair.answers if re.fullmatch(r"There is no .* picture\.", a)]
            assert len(missing) < 2
            absent += len(missing)
            if pair.form == "which_more":
                names = [a.removeprefix("There are more ").rstrip(".") for a in pair.answers]
                x, y = (normalize(name) for name in names)
                for scene, (more, fewer) in zip(one.both, ((x, y), (y, x)), strict=True):
                    assert count(scene, str(more), None) > count(scene, str(fewer), None)
    assert absent > 4


def test_texts_are_right_for_their_picture_and_wrong_for_the_other() -> None:
    checked = 0
    for one, pair in ASKED:
        if pair.form in ("says", "says_x") and one.kind == "text":
            for thing, answer in zip(changed(one), pair.answers, strict=True):
                assert thing is not None and thing.text is not None
                assert thing.text in answer
            checked += 1
    assert checked > 2


def test_lists_name_what_is_there() -> None:
    checked = 0
    for one, pair in ASKED:
        if pair.form == "list" and pair.lang == "en":
            for scene, answer in zip(one.both, pair.answers, strict=True):
                counts = Counter(o.label for o in scene.objects)
                assert answer.count(",") + answer.count(" and ") == len(counts) - 1
                for label, k in counts.items():
                    assert f"{k} {label if k == 1 else BY_NAME[label].plural}" in answer
            checked += 1
    assert checked > 4


def test_descriptions_differ_in_one_sentence() -> None:
    checked = 0
    for _, pair in ASKED:
        if pair.form == "description" and pair.lang == "en":
            first, second = (answer.split(". ") for answer in pair.answers)
            assert len(first) == len(second)
            assert sum(a != b for a, b in zip(first, second, strict=True)) == 1
            checked += 1
    assert checked > 8


def digit(answer: str) -> int:
    return int(next(c for c in answer if c.isdigit()))


def count(scene: Scene, label: str, color: str | None) -> int:
    return sum(o.label == label and color in (None, o.color) for o in scene.objects)


def named(pair: Pair, one: Twins) -> list[str]:
    """The categories that a pair about an exchanged object may count."""
    return [o.label for o in changed(one) if o is not None and o.label in NAMES]
