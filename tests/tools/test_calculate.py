from __future__ import annotations

import pytest

from mllm.content import Text
from tests.tools.conftest import Context
from tools.calculate import Calculate, calculate
from tools.protocol import ToolError


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3", "5"),
        ("8 x 5 =", "40"),
        ("3 x -2", "-6"),
        ("4 > 2", "true"),
        ("1 == 2", "false"),
        ("0.1 + 0.2", "0.3"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("10/3*3", "10"),
        ("1/3", "1/3 (about 0.3333333)"),
        ("-7/4", "-1.75"),
        ("-1/20", "-0.05"),
        ("5 // 2", "2"),
        ("-7 // 2", "-4"),
        ("7 % 3", "1"),
        ("2 ** -3", "0.125"),
        ("2 ^ 10", "1024"),
        ("(-1) ** 1000000000001", "-1"),
        ("0 ** 0", "1"),
        ("50%", "0.5"),
        ("15% of 80", "12"),
        ("100 * 15%", "15"),
        ("5 - 2%", "4.98"),
        ("max(3, 7) - min([3, 7])", "4"),
        ("sum(1, 2, 3)", "6"),
        ("abs(-4)", "4"),
        ("round(2.5)", "3"),
        ("round(-2.345, 2)", "-2.35"),
        ("3 × 4 ÷ 2", "6"),
        ("２＋３", "5"),
        ("2 + 3 = 5", "true"),
        ("2 < 3 < 4 and not 1 > 2", "true"),
        ("3 ≥ 4 or false", "false"),
        ("1e-3", "0.001"),
        ("1_000", "1000"),
        ("12345678901234567890 * 98765432109876543210", "1219326311370217952237463801111263526900"),
    ],
)
def test_values_are_exact(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("2**10**9", "too large"),
        ("9**9**9**9", "too large"),
        ("2**8000 * 2**8000", "too large"),
        ("1e9999", "is not an expression"),
        ("1/0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("2 ** 0.5", "whole exponents"),
        ("__import__('os').system('true')", "is not an expression"),
        ("__import__('os')", "no function '__import__'"),
        ("(1).real", "is not an expression"),
        ("'a' * 3", "is not an expression"),
        ("[1, 2]", "is not an expression"),
        ("lambda: 1", "is not an expression"),
        ("cups + 1", "knows no 'cups'"),
        ("factorial(3)", "no function 'factorial'"),
        ("", "is not an expression"),
        ("2 +", "is not an expression"),
        ("2 in [2]", "is not an expression"),
        ("~2", "is not an expression"),
        ("0x10", "is not an expression"),
        ("1j", "is not an expression"),
        ("(" * 400, "is not an expression"),
        ("1" * 501, "longer than 500"),
        ("max()", "at least one number"),
        ("abs(1, 2)", "one number"),
        ("true + 1", "cannot be computed with"),
        ("2 and 3", "join comparisons"),
        ("round(1, 1000)", "round takes"),
    ],
)
def test_anything_else_is_refused_clearly(expression: str, message: str) -> None:
    with pytest.raises(ToolError, match=message) as caught:
        calculate(expression)
    assert len(str(caught.value)) < 200


def test_as_a_tool(context: Context) -> None:
    assert Calculate().call({"expression": "2 + 3"}, context) == (Text(text="5"),)
