import pytest

from mllm.evaluation.woodpecker_judge import (
    Judged,
    Pair,
    Scores,
    compare,
    judge_pair,
    parse,
    prompt,
)

PAIR = Pair("img1", "A dog & a cat.", "Two cats.", "What is there?")


@pytest.mark.parametrize(
    "reply",
    [
        "Accuracy: 7 9\nDetailedness: 5 6.5\nThe first invents 2 cats.",
        "Accuracy:\nScores of the two answers: 7 9\nReason: 1 cat, not 2.\n\n"
        "Detailedness:\nScores of the two answers: 5 6.5\nReason: fine",
        "**1: Accuracy:** 7/10, 9/10\n2: Detailedness: Assistant 1: 5, Assistant 2: 6.5",
        "准确性：7 9\n详细度：5 6.5\n理由：第一个多说了 2 只猫。",
        "Detailedness: 5 6.5\nAccuracy: 7 9",
    ],
)
def test_scores_are_read(reply):
    assert parse(reply) == (Scores(7, 5), Scores(9, 6.5))


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        ("", "accuracy"),
        ("Both are good.", "accuracy"),
        ("Accuracy: 7 9", "detailedness"),
        ("Accuracy:\nDetailedness: 5 6", "accuracy"),
        ("Accuracy: 7\nDetailedness: 5 6", "accuracy"),
        ("Accuracy: 7 8 9\nDetailedness: 5 6", "accuracy"),
        ("Accuracy: 7 8\nDetailedness: 5 11", "detailedness"),
        ("Accuracy: -1 8\nDetailedness: 5 6", "accuracy"),
        ("Accuracy: 7 8\nAccuracy: 8 7\nDetailedness: 5 6", "accuracy"),
    ],
)
def test_a_malformed_reply_is_a_clear_error(reply, what):
    with pytest.raises(ValueError, match=what):
        parse(reply)


def test_the_prompt_shows_question_and_answers_in_order():
    text = prompt(PAIR)
    places = [text.index(t) for t in ("What is there?", "A dog & a cat.", "Two cats.")]
    assert places == sorted(places)
    assert "Question" not in prompt(Pair("img1", "a", "b"))
    assert "准确性" in prompt(Pair("img1", "一只狗。", "两只猫。"))
    assert "Accuracy" in prompt(Pair("img1", "一只狗。", "两只猫。"), lang="en")


def favours_the_first(text, image):
    """True scores 4 and 6 for accuracy, with 2 more for whoever stands first."""
    assert image == "img1"
    dog_first = text.index("A dog & a cat.") < text.index("Two cats.")
    return f"Accuracy: {'6 6' if dog_first else '8 4'}\nDetailedness: 3 3"


def test_both_orders_cancel_a_bias_for_position():
    judged = judge_pair(PAIR, favours_the_first)
    assert (judged.first.accuracy, judged.second.accuracy) == (5, 7)
    assert judged.first.detailedness == 3
    assert len(judged.replies) == 2


def test_the_peer_asks_once():
    judged = judge_pair(PAIR, favours_the_first, variant="peer")
    assert (judged.first.accuracy, judged.second.accuracy) == (6, 6)
    assert len(judged.replies) == 1


def test_the_swapped_prompt_keeps_its_language():
    asked = []

    def judge(text, image):
        asked.append(text)
        return "准确性：1 2\n详细度：3 4"

    judge_pair(Pair("img1", "一只狗。", "A cat."), judge)
    assert ["准确性" in text for text in asked] == [True, True]


def test_a_bad_reply_of_the_judge_is_raised():
    with pytest.raises(ValueError, match="accuracy"):
        judge_pair(PAIR, lambda text, image: "I like both.")


def test_means_and_wins_over_pairs():
    judged = [
        Judged(Scores(8, 2), Scores(4, 4), ()),
        Judged(Scores(5, 4), Scores(5, 8), ()),
        Judged(Scores(2, 6), Scores(9, 0), ()),
        Judged(Scores(1, 0), Scores(2, 0), ()),
    ]
    found = compare(judged)
    assert found.n == 4
    assert found.first == Scores(4, 3)
    assert found.second == Scores(5, 3)
    assert (found.first_wins, found.ties, found.second_wins) == (1, 1, 2)
    with pytest.raises(ValueError, match="no judged pair"):
        compare([])
