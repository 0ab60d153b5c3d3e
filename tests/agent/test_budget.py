from __future__ import annotations

import pytest

from agent.budget import Budget, Spent, note, over

BUDGET = Budget(steps=6, tokens=9000, seconds=90, pictures=9)


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (Spent(), "Steps left: 6."),
        (Spent(steps=5, tokens=5000), "Steps left: 1."),
        (Spent(steps=2, tokens=7000), "Steps left: 4. Tokens left: 2000."),
        (Spent(2, 7000, 80.5, 8), "Steps left: 4. Tokens left: 2000. Seconds left: 9. "
         "Pictures left: 1."),
        (Spent(steps=6), "No steps left: answer now."),
        (Spent(steps=1, tokens=9000), "No tokens left: answer now."),
        (Spent(steps=1, seconds=90.0), "No seconds left: answer now."),
    ],
)  # fmt: skip
def test_what_the_model_is_told(spent: Spent, said: str) -> None:
    assert note(BUDGET, spent, "en") == said


def test_in_chinese() -> None:
    assert note(BUDGET, Spent(steps=1), "zh") == "剩余步数：5。"
    assert note(BUDGET, Spent(steps=6), "zh") == "步数已用完：现在回答。"
    assert note(BUDGET, Spent(steps=1, tokens=9000), "zh") == "词元已用完：现在回答。"


def test_over() -> None:
    assert not over(BUDGET, Spent(5, 8999, 89.9, 8))
    for spent in (Spent(steps=6), Spent(tokens=9000), Spent(seconds=90), Spent(pictures=9)):
        assert over(BUDGET, spent)
