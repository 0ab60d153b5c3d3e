"""Wilson's interval against published values and its defining property."""

from __future__ import annotations

from math import sqrt

import pytest

from mllm.evaluation.intervals import Z_95, wilson


def test_published_values() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@pytest.mark.parametrize(("k", "n"), [(1, 7), (5, 9), (90, 100)])
def test_the_ends_are_z_standard_errors_from_the_share(k: int, n: int) -> None:
    for end in wilson(k, n):
        assert abs(k / n - end) / sqrt(end * (1 - end) / n) == pytest.approx(Z_95)


def test_nothing_measured_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)
