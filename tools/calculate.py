"""Exact arithmetic and comparison, so that the model never computes in its head.

Numbers are fractions: nothing is rounded unless ``round`` is called. The expression is parsed and
walked, never evaluated as code, and every operation is checked before it can grow large.
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from tools.protocol import Tool, ToolError

Value: TypeAlias = Fraction | bool

MAX_LENGTH = 500
"""Characters of an expression."""
MAX_BITS = 8192
"""Size of a number, about 2,466 digits."""

_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: _power(a, b),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "min": min,
    "max": max,
    "sum": lambda numbers: sum(numbers, Fraction(0)),
    "abs": lambda numbers: abs(_only(numbers, "abs")),
    "round": lambda numbers: _round(numbers),
}
_KNOWN = "numbers, + - * / // % **, comparisons, and/or/not, min, max, sum, abs, round"


class Calculate(Tool):
    """Exact arithmetic. Runs in microseconds and needs no model."""

    name = "calculate"
    timeout = 5.0

    def run(self, expression: str) -> str:
        """Compute or compare numbers exactly.

        Args:
            expression: Such as "2 + 3", "4 > 2", "15% of 80", "max(3, 7)".
        """
        return calculate(expression)


def calculate(expression: str) -> str:
    """The value of an expression as text: ``5``, ``0.1``, ``1/3 (about 0.333333)``, ``true``.

    Raises ``ToolError`` for what is not arithmetic, has no value, or is too large.
    """
    source = _plain(expression)
    try:
        tree = ast.parse(source, mode="eval")
        value = _value(tree.body, source)
    except ZeroDivisionError:
        raise ToolError(f"{expression!r} divides by zero") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolError(f"{_short(expression)} is not an expression of {_KNOWN}") from None
    return _said(value)


def _plain(expression: str) -> str:
    """What people write, in the syntax of the parser: ``3 × 4``, ``２＋３``, ``15% of 80``."""
    if len(expression) > MAX_LENGTH:
        raise ToolError(f"the expression is longer than {MAX_LENGTH} characters; split it")
    text = unicodedata.normalize("NFKC", expression).strip()
    for written, meant in (("×", "*"), ("÷", "/"), ("−", "-"), ("^", "**"), ("≤", "<="),
                           ("≥", ">="), ("≠", "!=")):  # fmt: skip
        text = text.replace(written, meant)
    text = re.sub(r"(?<=\d) +x +(?=[-+\d])", "*", text.rstrip("= "))  # 3 x 4 =
    text = re.sub(r"(?<![<>=!])=(?!=)", "==", text)
    # A per cent sign before a number or a bracket is a remainder, elsewhere a percentage.
    text = re.sub(r"([\d.]+)\s*%\s*(?=of\b)of\b", r"(\1/100)*", text)
    return re.sub(r"([\d.]+)\s*%(?!\s*[\w(.])", r"(\1/100)", text)


def _value(node: ast.expr, source: str) -> Value:
    if isinstance(node, ast.Constant):
        return _literal(node, source)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return not _truth(node.operand, source)
        number = _number(node.operand, source)
        if isinstance(node.op, ast.Invert):
            raise SyntaxError
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _number(node.left, source), _number(node.right, source)
        return _checked(_BINARY[type(node.op)](left, right))
    if isinstance(node, ast.BoolOp):
        truths = [_truth(part, source) for part in node.values]
        return all(truths) if isinstance(node.op, ast.And) else any(truths)
    if isinstance(node, ast.Compare):
        numbers = [_number(part, source) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, numbers, numbers[1:], strict=False)
        return all(_comparison(op)(a, b) for op, a, b in pairs)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _checked(_function(node.func.id)(_numbers(node.args, source)))
    if isinstance(node, ast.Name):
        truth = {"true": True, "false": False}.get(node.id.lower())
        if truth is not None:
            return truth
        raise ToolError(f"calculate knows no {node.id!r}; write numbers, such as 2 + 3")
    raise SyntaxError


def _literal(node: ast.Constant, source: str) -> Value:
    if isinstance(node.value, bool):
        return node.value
    written = ast.get_source_segment(source, node) or ""
    # The text, not the parsed float, so that 0.1 is a tenth.
    if not re.fullmatch(r"[\d_]*\.?[\d_]*([eE][+-]?\d{1,3})?", written):
        raise SyntaxError
    return _checked(Fraction(written))


def _number(node: ast.expr, source: str) -> Fraction:
    value = _value(node, source)
    if isinstance(value, bool):
        raise ToolError("true and false cannot be computed with; compare numbers")
    return value


def _truth(node: ast.expr, source: str) -> bool:
    value = _value(node, source)
    if not isinstance(value, bool):
        raise ToolError("and, or, not join comparisons, such as 2 < 3 and 4 < 5")
    return value


def _numbers(nodes: list[ast.expr], source: str) -> list[Fraction]:
    """Arguments, given one by one or as one list."""
    if len(nodes) == 1 and isinstance(nodes[0], ast.List | ast.Tuple):
        nodes = nodes[0].elts
    if not nodes:
        raise ToolError("a function needs at least one number")
    return [_number(node, source) for node in nodes]


def _function(name: str) -> Callable[[list[Fraction]], Fraction]:
    if name not in _FUNCTIONS:
        raise ToolError(f"calculate has no function {name!r}; it has {', '.join(_FUNCTIONS)}")
    return _FUNCTIONS[name]


def _comparison(op: ast.cmpop) -> Callable[[Fraction, Fraction], bool]:
    if type(op) not in _COMPARE:
        raise SyntaxError
    return _COMPARE[type(op)]


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ToolError("only whole exponents can be computed exactly")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and (bits - 1) * abs(exponent) > MAX_BITS:
        raise ToolError("the power is too large to compute")
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    # 1, 0 and -1 to any power: only whether the exponent is even matters.
    return base ** (int(exponent) if bits > 1 else 2 - int(exponent) % 2 if exponent else 0)


def _only(numbers: list[Fraction], function: str) -> Fraction:
    if len(numbers) != 1:
        raise ToolError(f"{function} takes one number")
    return numbers[0]


def _round(numbers: list[Fraction]) -> Fraction:
    """Half away from zero, as taught at school; to a number of decimals when one is given."""
    if len(numbers) > 2 or (len(numbers) == 2 and numbers[1] not in range(-50, 51)):
        raise ToolError("round takes a number and, if wanted, how many decimals, such as 2")
    scale = Fraction(10) ** int(numbers[1] if len(numbers) == 2 else 0)
    size = (abs(numbers[0]) * scale + Fraction(1, 2)) // 1 / scale
    return size if numbers[0] >= 0 else -size


def _checked(number: Fraction) -> Fraction:
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS:
        raise ToolError("the number is too large to compute")
    return number


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value.denominator == 1:
        return str(value.numerator)
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest == 1 and places <= 12:  # a decimal fraction
        digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    try:
        about = f"about {float(value):.7g}"
    except OverflowError:
        about = "very large"
    return f"{value} ({about})"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
