"""The measured rows of a suite or a benchmark as a table for a person."""

from __future__ import annotations

from typing import Any

from rich.table import Table


def table(measured: dict[str, Any]) -> Table:
    """A row a metric, a column a row of the JSON: values with their intervals."""
    rows: dict[str, dict[str, Any]] = measured["rows"]
    title = f"{measured['suite']}, {measured['model']}, seed {measured['seed']}"
    out = Table(title=title, title_justify="left", header_style="bold")
    out.add_column("")
    for name in rows:
        out.add_column(name, justify="right")
    names = dict.fromkeys(m for row in rows.values() if "error" not in row for m in row)
    for name in names:
        out.add_row(name, *(_cell(row.get(name)) for row in rows.values()))
    for name, row in rows.items():
        if "error" in row:
            out.caption = f"{out.caption or ''}\n{name} could not run: {row['error']}".strip()
    return out


def _cell(metric: dict[str, Any] | None) -> str:
    if metric is None or metric["value"] is None:
        return ""
    value = _number(metric["value"])
    if metric["low"] is None:
        return value
    return f"{value} [{_number(metric['low'])}, {_number(metric['high'])}]"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
