"""Dates and times in the form that a date or time field takes, from the form that people type."""

from __future__ import annotations

import re
from datetime import date

_DATE = re.compile(r"(\d{1,4})[-./ ](\d{1,2})[-./ ](\d{1,4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)


def as_filled(role: str, text: str, order: str) -> str:
    """``text`` for a field with this role: "12/31/2026" is "2026-12-31" for a ``date`` where the
    browser's people write months first (``order`` "mdy"; or "dmy", "ymd"), "6:30 PM" is "18:30" for
    a ``time``. What is no such date or time is left as it is."""
    if role == "date":
        found = _DATE.fullmatch(text.strip())
        return _day(found.groups(), order) or text if found else text
    if role == "time" and (found := _TIME.fullmatch(text.strip())):
        hour, minute, second, half = found.groups()
        hours = int(hour)
        if half and 1 <= hours <= 12:
            hours = hours % 12 + (12 if half in "pP" else 0)
        return f"{hours:02}:{minute}" + (f":{second}" if second else "")
    return text


def dates(text: str) -> set[str]:
    """All days that ``text`` may mean, "2026-12-31": of "10/11/2026" two."""
    found = [found.groups() for found in _DATE.finditer(text)]
    return {day for parts in found for order in ("mdy", "dmy") if (day := _day(parts, order))}


def times(text: str) -> set[str]:
    """All times of a day in ``text``, "18:30"."""
    return {as_filled("time", found[0], "")[:5] for found in _TIME.finditer(text)}


def without(text: str) -> str:
    """``text`` without its days and times."""
    return _TIME.sub(" ", _DATE.sub(" ", text))


def _day(parts: tuple[str, ...], order: str) -> str:
    """Years have four digits. A day that the order makes impossible is read in another one."""
    year_first, year_last = len(parts[0]) == 4, len(parts[2]) == 4
    for way in ("ymd",) if year_first else (order, "mdy", "dmy") if year_last else ():
        said = dict(zip(way, map(int, parts), strict=True))
        try:
            return date(said["y"], said["m"], said["d"]).isoformat()
        except ValueError:
            continue
    return ""
