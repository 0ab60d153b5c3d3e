"""Samples in a row: nothing is lost, nothing is seen twice, trunks are held once."""

from __future__ import annotations

import pytest

from mllm.training.packing import Sample, pack


def sample(start: int, length: int, trunk: int = 0) -> Sample:
    shared = list(range(1, trunk + 1))
    own = list(range(start, start + length - trunk))
    return Sample(shared + own, [False] * trunk + [True] * len(own), [], trunk)


def test_a_row_holds_every_sample_that_fits_and_names_the_rest() -> None:
    samples = [sample(100 * i, n) for i, n in enumerate((7, 5, 4, 3, 11), 1)]
    inputs, rest = pack(samples, 10)
    assert rest == [samples[-1]]
    assert inputs["input_ids"].tolist() == [[i for s in samples[:-1] for i in s.ids]]
    assert inputs["segments"].tolist() == [[0] * 7 + [1] * 5 + [2] * 4 + [3] * 3]


def test_a_shared_trunk_is_held_once_and_seen_by_all_its_branches() -> None:
    a, b = sample(100, 6, trunk=3), sample(200, 5, trunk=3)
    inputs, _ = pack([a, b], 20)
    assert inputs["input_ids"].tolist() == [[1, 2, 3, 100, 101, 102, 200, 201]]
    assert inputs["position_ids"].tolist() == [[0, 1, 2, 3, 4, 5, 3, 4]]
    assert inputs["segments"].tolist() == [[0] * 8]
    assert inputs["branches"].tolist() == [[0, 0, 0, 1, 1, 1, 2, 2]]
    assert inputs["labels"].tolist() == [[-100] * 3 + [100, 101, 102, -100, 201]]


def test_other_pictures_make_another_trunk() -> None:
    a, b = sample(100, 6, trunk=3), sample(200, 5, trunk=3)
    a.pictures, b.pictures = [0], [1]
    inputs, _ = pack([a, b], 20)
    assert inputs["input_ids"].shape == (1, 11)
    assert inputs["image_index"].tolist() == [0, 1]


def test_no_segment_is_longer_than_asked_even_for_many_branches() -> None:
    inputs, rest = pack([sample(100 * i, 9, trunk=4) for i in range(1, 8)], 16)
    assert not rest
    assert inputs["segments"].unique(return_counts=True)[1].max() <= 16
    assert (inputs["input_ids"] >= 100).sum() == 7 * 5


def test_what_is_to_be_looked_at_is_numbered_through() -> None:
    a, b = sample(100, 3), sample(200, 3)
    a.aims, a.spots = [-1, 2, 0], [1, 2, 0]
    b.aims, b.spots = [-1, 1, 0], [1, 0, 0]
    inputs, _ = pack([a, sample(300, 2), b], 20)
    assert inputs["aims"].tolist() == [[-1, 2, 0, 0, 0, -1, 3, 0]]
    assert inputs["spots"].tolist() == [[1, 2, 0, 0, 0, 3, 0, 0]]


def test_nothing_that_fits_is_an_error() -> None:
    with pytest.raises(ValueError, match="none of 1 samples has at most 8 tokens"):
        pack([sample(100, 9)], 8)
