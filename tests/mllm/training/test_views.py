"""Views and what is said of them agree with the scene."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

from mllm.data.gaze import NOWHERE, SIDE, Spot
from mllm.data.lexicon import INDEX
from mllm.training.descriptions import glances, searches, turns
from mllm.training.views import PLACES, Thing, View, Views


def views() -> Views:
    return Views(seed=3, pool=4, size=128, grid=16)


def test_views_are_reproducible_and_mirrored_in_the_next_round() -> None:
    one, two = views(), views()
    for i in range(4):
        assert np.array_equal(one[i].pixels, two[i].pixels)
        again = one[i + 4]
        assert np.array_equal(again.pixels, one[i].pixels[:, ::-1])
        assert np.array_equal(again.categories, one[i].categories[:, ::-1])


def test_patches_show_the_things_in_whose_boxes_they_lie() -> None:
    checked = 0
    for i in range(8):
        view = views()[i]
        behind = len(INDEX) + PLACES.index(view.setting) if view.setting in PLACES else -1
        for row, column in np.argwhere(view.categories != behind):
            x, y = (column + 0.5) / 16, (row + 0.5) / 16
            around = {
                INDEX[t.label]
                for t in view.things
                if t.box[0] - 0.01 <= x <= t.box[2] + 0.01
                and t.box[1] - 0.01 <= y <= t.box[3] + 0.01
            }
            assert view.categories[row, column] in around
            checked += 1
    assert checked > 50


def test_counts_point_at_as_many_places_as_they_say() -> None:
    seen = 0
    for i in range(8):
        view = views()[i]
        for ask, answer in turns(view, random.Random(i), 40):
            if ask.endswith(": how many?"):
                found, number = answer.rsplit(" ", 1)
                # Two things can share a place, so there may be fewer places than things.
                assert found.count("<|loc_") <= int(number)
                assert found.endswith(NOWHERE["en"]) == (number == "0")
                assert found.partition("<|loc_")[0].removesuffix(" nowhere") in ask
                seen += 1
    assert seen > 10


def test_what_is_there_is_pointed_at_before_yes_or_no() -> None:
    seen: Counter[str] = Counter()
    for i in range(8):
        view = views()[i]
        for ask, answer in turns(view, random.Random(i), 80):
            if ask.endswith(": yes or no?"):
                found, said = answer.rsplit(" ", 1)
                assert found.endswith(NOWHERE["en"]) == (said == "no")
                assert ("<|loc_" in found) == (said == "yes")
                assert found.partition("<|loc_")[0].removesuffix(" nowhere") in ask
                seen[said] += 1
            elif any(f": {way} " in ask for way in ("left of", "right of", "above", "below")):
                found, said = answer.rsplit(" ", 1)
                first, second = (int(part.partition("|")[0]) for part in found.split("_")[1:])
                column, row = second % SIDE - first % SIDE, second // SIDE - first // SIDE
                away = {"left of": column, "right of": -column, "above": row, "below": -row}
                (distance,) = (way for name, way in away.items() if f": {name} " in ask)
                assert distance >= 0 if said == "yes" else distance <= 0
                seen[f"relation {said}"] += 1
    assert len(seen) == 4 and min(seen.values()) > 5


def test_a_place_is_the_token_under_the_things_middle() -> None:
    view: View = views()[0]
    for ask, answer in turns(view, random.Random(0), 200):
        if ask.endswith("|>: what?"):
            k = int(ask.split("<|loc_")[1].split("|")[0])
            there = {
                t.label
                for t in view.things
                if (int(t.center[1] * SIDE), int(t.center[0] * SIDE)) == divmod(k, SIDE)
            }
            assert any(answer.endswith(label) for label in there)


def test_a_glance_tells_what_fills_the_place_and_nothing_is_glanced_at_thrice() -> None:
    views = Views(5, 12, 128, 16)
    told = 0
    for number in range(12):
        view = views[number]
        names = {name: (t.label, t.color) for t in view.things for name in _names(t)}
        asked = glances(view, random.Random(number), 10)
        assert max(Counter(answer for _, answer in asked).values(), default=0) <= 2
        for ask, answer in asked:
            place = int(ask.removeprefix("<|loc_").removesuffix("|>?"))
            row, column = divmod(place, SIDE)
            filled = view.categories[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            (kind,) = set(filled.flatten().tolist())
            if kind < len(INDEX):
                label, _ = names[answer]
                assert INDEX[label] == kind
                told += 1
    assert told > 20


def test_a_search_finds_all_that_is_there_and_nothing_else() -> None:
    views = Views(6, 12, 128, 16)
    nowhere = 0
    for number in range(12):
        view = views[number]
        asked = searches(view, random.Random(number), 9)
        found = [a for _, a in asked if not a.endswith(tuple(NOWHERE.values()))]
        assert len(found) == min(9, len({t.label for t in view.things}))
        assert all("<|loc_" in a and ask.startswith(a.partition("<|")[0]) for ask, a in asked
                   if a in found)
        nowhere += len(asked) - len(found)
    assert nowhere == 12 * 3


def _names(thing: Thing) -> tuple[str, str]:
    spot = Spot(thing.label, thing.color, *thing.center)
    return spot.named("en"), spot.named("zh")
