"""`corvid eval captions` with models whose claims are known beforehand."""

from __future__ import annotations

import json
import random

import pytest

from agent.evaluation import captions
from mllm.backends.scripted import Scripted
from mllm.content import Message
from mllm.data.captions import KINDS, caption_of
from mllm.data.scenes import sample_scene

N = 6


def test_a_model_that_claims_nothing_finds_nothing_and_alarms_nobody() -> None:
    measured = captions.evaluate(N, 11, Scripted(["[]"] * 5 * N), quiet=True)
    rows = measured["rows"]
    assert set(rows) <= {"all", *KINDS}
    assert rows["all"]["found"]["n"] == N
    assert rows["all"]["false_alarms"]["n"] > N
    for metric in ("found", "corrected", "false_alarms"):
        assert rows["all"][metric]["value"] == 0
    assert sum(row["found"]["n"] for kind, row in rows.items() if kind != "all") == N


def test_a_model_that_doubts_everything_alarms_at_every_sentence() -> None:
    nonsense = json.dumps([{"kind": "text", "object": "sign", "value": "QQQQ QQQQ"}])

    def doubt(messages: list[Message]) -> str:
        return nonsense if "JSON" in messages[0].words() else "Something else."

    measured = captions.evaluate(2, 11, Scripted([doubt] * 30), quiet=True)
    row = measured["rows"]["all"]
    assert row["found"]["value"] == row["false_alarms"]["value"] == 1
    assert row["corrected"]["value"] == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_one_sentence_is_changed_and_its_kind_is_named(seed: int) -> None:
    seen = set()
    for index in range(80):
        caption = caption_of(sample_scene(seed, index), seed)
        change = caption.changed(random.Random(index))
        if change is None:
            continue
        pairs = list(zip(caption.sentences, change.sentences, strict=True))
        assert [a != b for a, b in pairs] == [i == change.number for i in range(len(pairs))]
        seen.add(change.kind)
    assert seen == set(KINDS)
