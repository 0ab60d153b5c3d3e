"""Rows of observations, read by tests."""

from __future__ import annotations

from tools.gui.observation import read


def reference(line: str) -> str:
    """The reference of the element that a row tells of."""
    row = read(line)
    assert row is not None, f"no row: {line!r}"
    return row.ref
