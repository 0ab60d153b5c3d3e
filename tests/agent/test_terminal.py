"""The live view, as it stands in a terminal or a pipe."""

from __future__ import annotations

import io

from rich.console import Console

from agent import events as ev
from agent import media
from agent.terminal import Terminal
from mllm.content import Text, ToolCall, ToolResult
from tests.agent.sample_run import ANSWER, TASK, picture, sample_events


def shown(events: list[ev.Event], *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=terminal, highlight=False)
    with Terminal(console) as view:
        for event in events:
            view.add(event)
    return out.getvalue()


def sample() -> list[ev.Event]:
    return sample_events(media.load_image(picture()).named("img1").artifact)


def test_a_run_reads_from_task_to_totals() -> None:
    text = shown(sample())
    order = [
        TASK, "img1", "plan", "I need both kinds of object.", "There is no image img9",
        'detect(image="img1", labels=["cell phone", "bus"])', "boxes1", "select(", "boxes2", ANSWER,
        "✓ Two cell phones", "~ The bus", "? A sign", "3 steps, 3 calls",
    ]  # fmt: skip
    places = [text.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)
    assert text.count(ANSWER) == 1


def test_a_pipe_gets_no_control_codes() -> None:
    assert "\x1b" not in shown(sample())


def test_what_is_said_cannot_drive_the_terminal_or_the_markup() -> None:
    call = ToolCall(id="c", name="look", arguments={"question": "\x1b[2J"})
    said = ToolResult(call_id="c", name="look", content=(Text(text="\x1b]0;owned\x07[red]x[/]"),))
    events: list[ev.Event] = [
        ev.Decided(step=1, thought="\x1b[31m[bold]hm[/bold]", calls=(call,)),
        ev.Observed(step=1, result=said),
        ev.Answered(answer="[link=http://example.org]yes[/link]\x9b31m"),
    ]
    text = shown(events)
    assert not any(ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 for c in text)
    assert "[bold]hm[/bold]" in text
    assert "[red]x[/]" in text
    assert "[link=http://example.org]yes[/link]" in text


def test_words_are_shown_while_they_are_written() -> None:
    text = shown([ev.Token(step=1, node="decide", text="Counting now")], terminal=True)
    assert "Counting now" in text


def test_a_long_observation_is_cut() -> None:
    call = ToolCall(id="c", name="look", arguments={})
    said = ToolResult(call_id="c", name="look", content=(Text(text="line\n" * 50),))
    events = [ev.Decided(step=1, thought="", calls=(call,)), ev.Observed(step=1, result=said)]
    text = shown(events)
    assert text.count("line\n") < 10
    assert "44 more lines" in text


def test_a_contradicted_answer_is_shown_with_its_claim() -> None:
    claims = sample()[-1].claims  # type: ignore[union-attr]
    wrong = claims[0].model_copy(update={"verdict": "contradicted", "found": "3 cell phones"})
    text = shown(
        [
            ev.Decided(step=1, thought="There are two phones."),
            ev.Verified(step=1, answer="", claims=(wrong,), again=True),
            ev.Answered(answer="There are three."),
        ]
    )
    assert text.index("There are two phones.") < text.index("✗ Two cell phones")
    assert text.index("found 3 cell phones") < text.index("There are three.")
