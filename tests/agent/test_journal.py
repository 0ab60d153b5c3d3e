from __future__ import annotations

from pathlib import Path

from agent.journal import NAME, Journal, Outcome
from mllm.content import Text, ToolCall

PAY = ToolCall(id="call3", name="pay", arguments={"amount": 7})
PAID = Outcome(parts=(Text(text="paid"),))


def test_what_a_killed_run_finds(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert not journal.intended(PAY)
    journal.begin(PAY)
    again = Journal(tmp_path)
    assert again.intended(PAY) and again.outcome(PAY) is None
    journal.end(PAY, PAID)
    assert Journal(tmp_path).outcome(PAY) == PAID
    journal.close()


def test_another_call_under_the_same_id_is_another_call(tmp_path: Path) -> None:
    Journal(tmp_path).begin(PAY)
    other = PAY.model_copy(update={"arguments": {"amount": 8}})
    assert not Journal(tmp_path).intended(other)


def test_a_torn_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin(PAY)
    journal.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"call":{"id":"call3"')
    again = Journal(tmp_path)
    assert again.intended(PAY) and again.outcome(PAY) is None
    again.end(PAY, PAID)
    again.close()
    assert Journal(tmp_path).outcome(PAY) == PAID
