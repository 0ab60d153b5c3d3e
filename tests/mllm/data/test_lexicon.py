from __future__ import annotations

import pytest

from mllm.data.lexicon import CATEGORIES, GROUPS, INDEX, NAMES, in_group, normalize


def test_there_are_eighty_categories_in_known_groups() -> None:
    assert len(CATEGORIES) == len(set(NAMES)) == 80
    assert {c.group for c in CATEGORIES} == {g.name for g in GROUPS}
    assert INDEX["cat"] == 0 and INDEX["book"] == 79
    assert all(c.emoji for c in CATEGORIES if c.name != "sign")


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("cup", "cup"),
        ("Mugs", "cup"),
        ("a cup", "cup"),
        ("杯子", "cup"),
        ("kitties", "cat"),
        ("cell-phone", "cell phone"),
        ("cell_phones", "cell phone"),
        ("T-shirt", "shirt"),
        ("wine glasses", "wine glass"),
        ("glasses", "glasses"),
        ("knives", "knife"),
        ("fish", "fish"),
        ("orange", "orange"),
        ("a hot dog", "hot dog"),
        ("自行车", "bicycle"),
        ("T恤", "shirt"),
        ("dragon", None),
        ("", None),
    ],
)
def test_normalize(word: str, category: str | None) -> None:
    assert normalize(word) == category


def test_every_spelled_form_leads_home() -> None:
    for category in CATEGORIES:
        for form in (category.name, category.plural, category.zh, *category.aliases):
            assert normalize(form) == category.name
            assert normalize(form.upper()) == category.name


def test_in_group() -> None:
    assert "apple" in in_group("fruit") and in_group("fruits") == in_group("水果")
    assert "cat" in in_group("Animals") and "cat" not in in_group("vehicle")
    assert in_group("cat") == ()
