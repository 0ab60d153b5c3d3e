"""Yes or no from free answers: commitment counts, and each peer's reading is reproduced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mllm.evaluation.yes_no import parse_yes_no

PEERS = Path(__file__).parent / "fixtures" / "yes_no_peers.json"


@pytest.mark.parametrize(
    "answer",
    [
        *("yes", "YES", " Yes. ", "**Yes**", "Yes, there is a dog.", "Yep", "Correct."),
        *("Yes, but not a red one", "Yes, there is; no doubt.", "Yes, there is no doubt about it."),
        *("The answer is yes.", "Answer: Yes", "So yes.", "There is a dog. Yes.", "True"),
        *("是", "是的。", "有，图中有狗。", "有的", "对", "没错", "正确", "答案是：是", "存在"),
        *("有一只狗。", "有2只狗", "对，杯子是红色的。", "答案：有", "是的，有一只", "ＹＥＳ"),
    ],
)
def test_says_yes(answer: str) -> None:
    assert parse_yes_no(answer) == "yes"


@pytest.mark.parametrize(
    "answer",
    [
        *("no", "NO", "No.", "no!", "Nope", "False", "No, there is a cat instead.", "No dogs."),
        *(
            "No, it is blue.",
            'no, it is not "pool." the correct',
            "The final answer is: no",
            "I looked twice. No.",
            "(no)",
            "no, sorry",
        ),
        *("没有", "没有狗。", "没有，图中没有狗", "不是", "不是的", "不对", "否", "不", "不存在"),
        *("答案是否", "沒有", "错", "没看到狗", "无", "答案是否定的", "不是，是红色的。"),
    ],
)
def test_says_no(answer: str) -> None:
    assert parse_yes_no(answer) == "no"


@pytest.mark.parametrize(
    "answer",
    [
        *("", "  ", "maybe", "There is a snowboard.", "I know it.", "nothing", "Yesterday"),
        *("Yes and no.", "yes or no", "yes/no", "No, yes", "Yes. No.", "No. Yes."),
        *("Yes, there is no dog.", "No, there is.", "No, it is.", "Yes, it isn't."),
        *("No idea.", "I cannot tell.", "No way to know.", "No. 5 is a dog", "not sure"),
        *("是或否", "是否有狗", "是也不是", "无法判断", "不确定", "不知道", "有没有狗", "有可能"),
        *("是的，没有狗", "有一只猫，没有狗", "没法说", "对于这张图", "不是很确定", "答案是"),
    ],
)
def test_says_neither_or_both(answer: str) -> None:
    assert parse_yes_no(answer) is None


def test_where_the_answer_is_given_later() -> None:
    assert parse_yes_no("I see a cat. The final answer is: no") == "no"
    assert parse_yes_no("图中有一只猫。所以答案是：没有") == "no"
    assert parse_yes_no("Please answer yes or no. Yes") == "yes"
    assert parse_yes_no("No. The answer is yes.") is None


def test_peers_are_read_as_their_own_code_reads() -> None:
    fixture = json.loads(PEERS.read_text(encoding="utf-8"))
    for row in fixture["rows"]:
        answer = row["answer"]
        seen = {
            "pope": parse_yes_no(answer, "pope"),
            "vcd_gold_yes": parse_yes_no(answer, "vcd", "yes"),
            "vcd_gold_no": parse_yes_no(answer, "vcd", "no"),
            "vlmevalkit": parse_yes_no(answer, "vlmevalkit"),
            "mme": parse_yes_no(answer, "mme"),
        }
        assert seen == row["peers"], answer


def test_the_survey_table() -> None:
    """SURVEY.md, "Yes/no parser disagreement": pope, vcd/yes, vcd/no, vlmevalkit, mme."""
    table = {
        "NO": ["yes", "no", "no", "no", "no"],
        "There is a snowboard.": ["yes", "no", "no", None, None],
        "Yes, but not a red one": ["no", "yes", "no", "yes", "yes"],
        "Yes, there is; no doubt.": ["no", "yes", "no", None, "yes"],
        "The image shows a cat. No dog is visible.": ["yes", "no", "no", "no", None],
        "": ["yes", "no", "yes", None, None],
    }
    for answer, row in table.items():
        seen = [
            parse_yes_no(answer, "pope"),
            parse_yes_no(answer, "vcd", "yes"),
            parse_yes_no(answer, "vcd", "no"),
            parse_yes_no(answer, "vlmevalkit"),
            parse_yes_no(answer, "mme"),
        ]
        assert seen == row, answer


def test_wrong_use_is_told() -> None:
    with pytest.raises(ValueError, match="beside its gold"):
        parse_yes_no("yes", "vcd")
    with pytest.raises(ValueError, match="choose one of strict, pope"):
        parse_yes_no("yes", "lmms")  # type: ignore[arg-type]
