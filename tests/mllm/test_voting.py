"""Several looks at one picture give one list."""

from mllm.voting import vote
from mllm.yolo import Found


def found(name: str, score: float, x0: float = 0.0) -> Found:
    return Found(name, score, x0, 0.0, x0 + 10.0, 10.0)


def test_the_name_with_most_votes_wins_over_the_surest_single_look() -> None:
    looks = [[found("frog", 0.7)], [found("cup", 0.5, 0.5)], [found("cup", 0.6, 0.2)]]
    (one,) = vote(looks, 0.2, 0.6)
    assert one.name == "cup"
    assert abs(one.score - 1.1 / 3) < 1e-9
    assert one.x0 == 0.0  # the place of the surest box


def test_what_was_asked_for_needs_half_the_votes() -> None:
    looks = [[found("frog", 0.6), found("cup", 0.4)], [found("cup", 0.2, 30.0)]]
    assert [f.name for f in vote(looks, 0.2, 0.6)] == ["frog"]
    asked = vote(looks, 0.2, 0.6, {"cup"})
    assert [(f.name, f.score, f.x0) for f in asked] == [("cup", 0.2, 0.0), ("cup", 0.1, 30.0)]


def test_what_one_look_alone_is_unsure_of_is_dropped() -> None:
    assert vote([[found("cup", 0.5)], [], []], 0.3, 0.6) == []


def test_objects_side_by_side_stay_apart_and_come_best_first() -> None:
    looks = [[found("cup", 0.6), found("cup", 0.9, 20.0)]] * 2
    assert [f.x0 for f in vote(looks, 0.3, 0.6)] == [20.0, 0.0]


def test_what_is_faint_comes_marked_and_changes_nothing_of_what_is_sure() -> None:
    looks = [[found("frog", 0.6), found("cup", 0.25), found("pig", 0.2)], [found("cup", 0.3, 30.0)]]
    marked = vote(looks, 0.25, 0.6, {"cup"}, faint=0.1)
    assert [(f.name, f.x0, f.sure) for f in marked] == [
        ("frog", 0.0, True),
        ("cup", 30.0, True),
        ("cup", 0.0, False),  # the frog may be a cup, which was asked for, but no pig
    ]
    assert [f for f in marked if f.sure] == vote(looks, 0.25, 0.6, {"cup"})
    fainter = vote([[found("cup", 0.15)]], 0.25, 0.6, faint=0.1)
    assert [f.sure for f in fainter] == [False]
