"""`corvid bench verify` at its smallest: what it reports, and what it says when it cannot."""

from __future__ import annotations

import json

import pytest

from agent.bench import verify
from agent.bench.measure import CannotRun
from mllm.backends.scripted import Scripted


def test_verifying_at_once_is_compared_with_one_call_at_a_time() -> None:
    measured = verify.run(repetitions=1)
    assert json.loads(json.dumps(measured)) == measured
    assert measured["suite"] == "verify" and set(measured["rows"]) == set(verify.ROWS)
    for row in measured["rows"].values():
        assert set(row) == {"seconds", "ratio_to_answer", "claims"}
        assert all(m["low"] <= m["value"] <= m["high"] and m["n"] == 1 for m in row.values())
        assert row["seconds"]["value"] > 0 and row["ratio_to_answer"]["value"] > 0
    batched, sequential = (measured["rows"][name]["claims"]["value"] for name in verify.ROWS[:2])
    assert batched == sequential > verify.CLAIMS / 2, "the same checks, and most that there are"


def test_a_model_that_cannot_run_has_rows_with_an_error() -> None:
    rows = verify.run("no-such-folder", repetitions=1)["rows"]
    assert set(rows) == set(verify.ROWS)
    assert all("no folder" in row["error"] for row in rows.values())


def test_a_model_whose_tokens_cannot_be_counted_is_refused() -> None:
    answer = verify.answer_of(verify.SEED, 3)
    assert answer is not None
    with pytest.raises(CannotRun, match="scripted is not a local model"):
        verify.Dictated(Scripted([]), answer)


def test_an_answer_has_a_sentence_a_claim_and_repeats_with_the_seed() -> None:
    answer = verify.answer_of(verify.SEED, 3)
    assert answer is not None and len(set(answer.sentences)) == verify.CLAIMS
    assert any("EXIT 28" in sentence for sentence in answer.sentences)
    assert {"car", "pig", "sign"} == set(answer.labels)
    assert verify.answer_of(verify.SEED, 3) == answer
