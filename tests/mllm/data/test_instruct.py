"""Training conversations are complete, consistent and repeatable."""

from __future__ import annotations

import re
from collections import Counter

from mllm.claims import parse_claims
from mllm.content import Media
from mllm.data.instruct import A_SCENE, KINDS, Conversation, conversations
from prompts import language
from tests.mllm.data.specs import TOOLS, fits

ALL = [c for i in range(80) for c in conversations(9, i, TOOLS)]


def test_same_number_same_conversations() -> None:
    again = conversations(9, 3, TOOLS)
    first = ALL[3 * A_SCENE : 4 * A_SCENE]
    assert [c.messages for c in again] == [c.messages for c in first]
    assert [c.tools for c in again] == [c.tools for c in first]
    for one, other in zip(again, first, strict=True):
        assert {k: v.tobytes() for k, v in one.images.items()} == {
            k: v.tobytes() for k, v in other.images.items()
        }


def test_the_mix_is_as_promised() -> None:
    share = Counter(c.kind.split(".")[0] for c in ALL)
    for kind, promised in KINDS.items():
        assert 0.6 * promised < share[kind] / len(ALL) < 1.4 * promised, kind


def test_every_picture_is_there_in_the_size_that_is_told() -> None:
    for c in ALL:
        shown = [p.artifact for m in c.messages for p in m.content if isinstance(p, Media)]
        assert {a.id for a in shown} == set(c.images), c.kind
        for a in shown:
            assert c.images[a.id].size == (a.width, a.height)
            assert c.images[a.id].mode == "RGB"


def test_calls_fit_the_tools_that_are_told() -> None:
    calls = [(call, c) for c in ALL for m in c.messages for call in m.calls]
    assert len(calls) > 120
    assert all(fits(call, c.tools) for call, c in calls)


def test_every_result_answers_a_call_and_the_last_word_is_an_answer() -> None:
    for c in ALL:
        made = [call.id for m in c.messages for call in m.calls]
        assert made == [m.call_id for m in c.messages if m.role == "tool"]
        last = c.messages[-1]
        assert last.role == "assistant" and not last.calls and last.words()


def test_answers_are_in_the_language_of_the_task() -> None:
    def task(c: Conversation) -> str:
        return next(m for m in c.messages if m.role == "user").content[-1].text  # type: ignore[union-attr]

    checked = [c for c in ALL if c.kind in ("trace", "direct") and len(c.messages[-1].words()) > 9]
    assert {language(task(c)) for c in checked} == {"en", "zh"}
    for c in checked:
        assert language(c.messages[-1].words()) == language(task(c))


def test_claims_are_lists_of_drafts() -> None:
    lists = [parse_claims(c.messages[-1].words()) for c in ALL if c.kind == "claims"]
    kinds = Counter(claim.kind for claims in lists for claim in claims)
    assert set(kinds) >= {"existence", "count", "attribute", "relation"}
    assert any(not claims for claims in lists), "answers that claim nothing give an empty list"


def test_every_number_of_a_list_is_a_claim() -> None:
    told = [c.messages for c in ALL if c.kind == "claims"]
    listings = [m for m in told if re.search(r"shows \d+ .* and \d+", m[-2].words())]
    assert listings
    for messages in listings:
        said = messages[-2].words().split("shows ")[-1]
        numbers = set(re.findall(r"(\d+) ([a-z ]+?)(?:,| and |\.)", said))
        claims = parse_claims(messages[-1].words())
        assert {(claim.value, claim.object) for claim in claims} == numbers


def test_without_tools_nothing_is_called() -> None:
    without = [c for i in range(20) for c in conversations(4, i, [])]
    assert not any(m.calls for c in without for m in c.messages)
