from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.pool import ExpertPool, default_pool


class Weights:
    """A loaded expert; counts how often it was made."""

    made: list[str] = []

    def __init__(self, name: str) -> None:
        self.name = name
        self.itself = self  # a cycle, as in most models
        Weights.made.append(name)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Weights.made = []


def use(pool: ExpertPool, name: str, size: int = 40) -> Weights:
    with pool.get(name, lambda: Weights(name), size) as expert:
        return expert


def test_an_expert_loads_once() -> None:
    pool = ExpertPool(100)
    assert use(pool, "a") is use(pool, "a")
    assert Weights.made == ["a"]


def test_the_least_recently_used_leaves_when_the_budget_is_short() -> None:
    pool = ExpertPool(100)
    gone = weakref.ref(use(pool, "b"))
    use(pool, "a")
    use(pool, "b")
    use(pool, "c")
    assert pool.loaded() == {"b": 40, "c": 40}
    use(pool, "d")
    assert pool.loaded() == {"c": 40, "d": 40}
    assert gone() is None, "an evicted expert must free its memory"
    use(pool, "b")
    assert Weights.made == ["b", "a", "c", "d", "b"]


def test_an_expert_in_use_stays_and_leaves_afterwards() -> None:
    pool = ExpertPool(100)
    with pool.get("a", lambda: Weights("a"), 90) as a:
        use(pool, "b", 90)
        assert a.name == "a"
        assert list(pool.loaded()) == ["a"], "the idle one went, not the one in use"
        use(pool, "c", 10)
    assert set(pool.loaded()) == {"a", "c"}


def test_one_larger_than_the_budget_still_loads() -> None:
    pool = ExpertPool(10)
    with pool.get("big", lambda: Weights("big"), 1000) as big:
        assert big.name == "big"
    assert pool.loaded() == {}


def test_two_threads_load_once_and_use_it_in_turn() -> None:
    pool = ExpertPool(100)
    together = threading.Barrier(8)
    inside: list[int] = []
    most: list[int] = []

    def work(_: int) -> int:
        together.wait()
        with pool.get("a", lambda: Weights("a"), 40) as expert:
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            return id(expert)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(work, range(8)))) == 1
    assert Weights.made == ["a"]
    assert max(most) == 1


def test_different_experts_work_at_the_same_time() -> None:
    pool = ExpertPool(100)
    meet = threading.Barrier(2, timeout=10)

    def work(name: str) -> int:
        with pool.get(name, lambda: Weights(name), 40):
            return meet.wait()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(work, "ab")) == [0, 1]


def test_many_threads_under_pressure_never_see_a_wrong_or_lost_expert() -> None:
    pool = ExpertPool(100)

    def work(k: int) -> bool:
        name = "abc"[k % 3]
        with pool.get(name, lambda: Weights(name), 40) as expert:
            return expert.name == name and name in pool.loaded()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(30)))
    assert sum(pool.loaded().values()) <= 100


def test_a_failed_load_is_tried_again() -> None:
    pool = ExpertPool(100)

    def broken() -> Weights:
        raise FileNotFoundError("no weights")

    with pytest.raises(FileNotFoundError), pool.get("a", broken, 40):
        pass
    assert pool.loaded() == {}
    assert use(pool, "a").name == "a"


def test_clear_keeps_what_is_in_use() -> None:
    pool = ExpertPool(100)
    use(pool, "a")
    with pool.get("b", lambda: Weights("b"), 40):
        pool.clear()
        assert list(pool.loaded()) == ["b"]


def test_the_process_shares_one_pool() -> None:
    assert default_pool() is default_pool()
    assert default_pool().budget_bytes > 0
