"""The scripted model and cassettes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mllm.backends.protocol import ModelError, generate
from mllm.backends.scripted import Scripted, record, replay
from mllm.content import Message, ToolCall, Turn
from tests.mllm.backends.conftest import Pictures, say

CALL = Turn(text="looking", calls=(ToolCall(id="call1", name="detect", arguments={"image": "a"}),))


def test_lines_are_said_in_order_whichever_session_asks(pictures: Pictures) -> None:
    backend = Scripted([CALL, "two words", lambda messages: f"{len(messages)} messages"])
    first, second = backend.session(pictures), backend.session(pictures)
    assert generate(first, [say("user", "a")]) == CALL
    assert generate(second, [say("user", "b")]).text == "two words"
    assert generate(first, [say("user", "a"), say("user", "c")]).text == "2 messages"
    assert [m[-1].words() for m in backend.seen] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["", "one", "  several words\nand lines \n", "字"])
def test_pieces_make_the_text(pictures: Pictures, text: str) -> None:
    *pieces, turn = Scripted([text]).session(pictures).stream([say("user", "a")])
    assert "".join(str(p) for p in pieces) == text
    assert turn == Turn(text=text)


def test_errors_are_raised_and_an_ended_script_says_so(pictures: Pictures) -> None:
    session = Scripted([ValueError("broken"), "fine"]).session(pictures)
    with pytest.raises(ValueError, match="broken"):
        generate(session, [])
    assert generate(session, []).text == "fine"
    with pytest.raises(ModelError, match="2 turns"):
        generate(session, [])


def test_a_cassette_plays_what_was_recorded(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "cassette.jsonl"
    picture = pictures.add("img1", 1)
    asked = [say("user", picture, "几个？")]
    moved = [say("user", picture.model_copy(update={"origin": "/elsewhere.png"}), "几个？")]
    schema = {"type": "object"}

    def ask(backend: Scripted, messages: list[Message]) -> list[Turn]:
        session = backend.session(pictures)
        turns = [generate(session, messages), generate(session, messages)]
        return [*turns, generate(session, messages, output_schema=schema)]

    said = ask(record(Scripted([CALL, "两个", "{}"], name="m"), path), asked)  # type: ignore[arg-type]
    played = replay(path)
    assert played.name == "m"
    assert ask(played, moved) == said  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="no turn for this conversation"):
        generate(played.session(pictures), [say("user", pictures.add("img1", 2), "几个？")])


def test_a_file_that_is_no_cassette_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    for name in ("x", "missing"):
        with pytest.raises(ModelError, match="not a cassette"):
            replay(tmp_path / name)
