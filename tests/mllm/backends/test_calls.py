"""Telling text from calls and thoughts, however the pieces fall."""

from __future__ import annotations

import pytest

from mllm.backends.calls import Listener

CALL = '<tool_call>\n{"name": "crop", "arguments": {"image": "</tool_call>"}}\n</tool_call>'


def heard(text: str, size: int, **options: bool) -> tuple[Listener, list[str]]:
    """``text`` in pieces of ``size`` characters."""
    listener = Listener(**{"may_call": True, **options})
    pieces = [listener.hear(text[i : i + size]) for i in range(0, len(text), size)]
    return listener, [*pieces, listener.finish()]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("said", "text", "calls"),
    [
        ("two cups", "two cups", 0),
        ("  a < b <tool_ca \n", "a < b <tool_ca", 0),
        (f"I look.\n{CALL}", "I look.", 1),
        (f"{CALL}\n{CALL}", "", 2),
        ("<think>it may be\n three</think>\n\ntwo", "two", 0),
        (f"<think>I should{CALL}", "", 1),
        ("<think>without end", "", 0),
        ("<thin", "<thin", 0),
        ("", "", 0),
    ],
)
def test_text_and_calls_are_told_apart(said: str, text: str, calls: int, size: int) -> None:
    listener, pieces = heard(said, size)
    assert "".join(pieces) == listener.text == text
    found = listener.calls(first=5)
    assert [c.id for c in found] == [f"call{5 + i}" for i in range(calls)]
    assert all(c.name == "crop" and c.arguments == {"image": "</tool_call>"} for c in found)


def test_text_goes_through_at_once() -> None:
    _, pieces = heard("a bc <x> d", 1)
    assert pieces == ["a", "", " b", "c", "", "", " <x", ">", "", " d", ""]


def test_a_thought_is_kept_apart_whoever_opened_it() -> None:
    said = "it may be three</think>two"
    for whole, opened in ((said, True), (f"<think>{said}", False)):
        listener, _ = heard(whole, 4, thinking=opened)
        assert (listener.text, listener.reasoning) == ("two", "it may be three")


def test_without_calls_everything_is_text() -> None:
    listener, _ = heard(CALL, 4, may_call=False)
    assert listener.text == CALL and listener.calls(first=1) == ()


@pytest.mark.parametrize(
    "said",
    ["<tool_call>", '<tool_call>{"name": "crop"}', '<tool_call>["crop"]</tool_call>', f"{CALL} x"],
)
def test_a_broken_call_is_an_error(said: str) -> None:
    with pytest.raises(ValueError):
        heard(said, 3)[0].calls(first=1)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_thought_that_ends_twice_is_no_text(size: int) -> None:
    listener, _ = heard("<think>it may be</think>three, no</think>\ntwo", size)
    assert (listener.reasoning, listener.text) == ("it may be\nthree, no", "two")
    plain, _ = heard("write </think> behind it", size)
    assert plain.text == "write </think> behind it"
