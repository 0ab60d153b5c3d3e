"""Whether words stand in a text that somebody read."""

from __future__ import annotations

import pytest

from mllm.wording import stands_in


@pytest.mark.parametrize(
    ("wanted", "text", "so"),
    [
        ("PLATFORM 1", "to platform-1 now", True),
        ("PLATFORM 1", "PLATFORM 11", False),
        ("form 1", "PLATFORM 1", False),
        ("12", "1 2", True),
        ("出口", "这是出口。", True),
        ("", "text", False),
        ("text", "", False),
    ],
)
def test_whole_words_count_and_spaces_do_not(wanted: str, text: str, so: bool) -> None:
    assert stands_in(wanted, text) is so
