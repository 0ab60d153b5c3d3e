"""The measured rows of a suite or a benchmark as tables for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

Rows = dict[str, dict[str, Any]]


def tables(measured: dict[str, Any], *, percent: bool) -> Iterator[Table | Text]:
    """A table for rows that are measured alike: a column a row of the JSON, a line a metric.

    Values stand with the ends of their 95 % interval. ``percent``: they are shares. What the
    measurement notes about its rows comes last.
    """
    yield Text(f"{measured['suite']}, {measured['model']}, seed {measured['seed']}", "bold")
    rows: Rows = measured["rows"]
    alike: dict[str, Rows] = {}
    for name, row in rows.items():
        if "error" not in row:
            alike.setdefault(next(iter(row), ""), {})[name] = row
    for some in alike.values():
        yield _table(some, _percent if percent else _number)
    for name, row in rows.items():
        if "error" in row:
            yield Text(f"{name} could not run: {row['error']}", "yellow")
    yield from (Text(note) for note in measured.get("notes", ()))


def _table(rows: Rows, say: Callable[[float], str]) -> Table:
    out = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    out.add_column("% [95 % interval]" if say is _percent else "", no_wrap=True)
    for name in rows:
        out.add_column(name, justify="right", no_wrap=True)
    for metric in dict.fromkeys(m for row in rows.values() for m in row):
        family = metric.removeprefix("accuracy.")
        word = _number if metric == "seconds" else say
        cells = [_cell(row.get(metric), word) for row in rows.values()]
        out.add_row(f"  {family}" if family != metric else metric, *cells)
    return out


def _cell(metric: dict[str, Any] | None, say: Callable[[float], str]) -> Text:
    if metric is None or metric["value"] is None:
        return Text()
    cell = Text(say(metric["value"]))
    if metric["low"] is not None:
        cell.append(f" {say(metric['low'])}–{say(metric['high'])}", "dim")
    return cell


def _percent(value: float) -> str:
    return f"{100 * value:.0f}"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
