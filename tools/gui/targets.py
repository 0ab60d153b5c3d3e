"""From what a model calls a target to one element of a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from mllm.content import Point
from tools.gui.failures import Failure, stale
from tools.gui.judge import plain
from tools.gui.observation import Element, Snapshot
from tools.gui.words import NEGATIONS, UNDOES, whole

REFERENCE = re.compile(r"e\d+")
CLAUSE = re.compile(r"[.!?;:,。！？；：，、]")
MOST = 6
"""Candidates that a failure lists."""
LONGER = 2
"""Times as long as the words a text may be that only contains them: longer ones are about them,
but for one that says what they stand for ("Total: 12.50")."""


def by_words(snapshot: Snapshot, words: str) -> Element:
    """The one element with this text or label: exactly so called before containing it, controls
    before text, in view before out of view. What holds them inside of a word, or behind one that
    says the opposite ("Don't save"), is not meant by them, nor what is no control and much longer.
    A control without a name is called by its role ("slider"). Raises ``Failure`` not_found or
    ambiguous."""
    wanted = plain(words)
    called = [(e, plain(e.name)) for e in snapshot.elements if e.role != "iframe"]
    for fits in (
        by_name(snapshot.elements).get(wanted, []),
        [e for e, name in called if name.rstrip(" *:") == wanted.rstrip(" *:")],
        [e for e, _ in called if e.acts and e.role == wanted and not e.name.strip()],
        [e for e, name in called if _holds(name, wanted) and (e.acts or _means(name, wanted))],
    ):
        if fits:
            return _only(likeliest(fits, snapshot, words), words)
    names = {plain(e.words): e for e, _ in called if e.words}
    near = [names[n].label() for n in get_close_matches(wanted, list(names), MOST // 2, 0.5)]
    hint = f" Similar: {'; '.join(near)}." if near else " Look at the page, or scroll."
    raise Failure("not_found", f"nothing on the page is called {words!r}.{hint}")


def by_name(elements: Iterable[Element]) -> dict[str, list[Element]]:
    """All that are called so, by what it is in lower case: controls by their name, those that are
    called by what stands near them (``Element.words``), then text."""
    tiers: tuple[dict[str, list[Element]], ...] = ({}, {}, {})
    for e in elements:
        if e.role != "iframe":
            tiers[0 if e.acts else 2].setdefault(plain(e.name), []).append(e)
            if e.near:
                tiers[1].setdefault(plain(e.words), []).append(e)
    return tiers[2] | tiers[1] | tiers[0]


def likeliest(fits: list[Element], snapshot: Snapshot, words: str) -> list[Element]:
    """Of elements that are called the same those that are meant: controls before text, written
    just so ("Eget", not "eget") before other cases, in view before out of view."""
    fits = [e for e in fits if e.acts] or fits
    fits = [e for e in fits if words in (e.words, e.name)] or fits
    return [e for e in fits if snapshot.in_view(e)] or fits


def called(snapshot: Snapshot, ref: str) -> str:
    """The name of an element where that is enough to find it, else its reference. Who plays a task
    for a model to learn from says names: they stand in the wish, a reference only on the page."""
    element = snapshot.find(ref)
    names = names_of(element, snapshot, by_name(snapshot.elements)) if element else ()
    return next(iter(names), ref)


def names_of(
    element: Element, snapshot: Snapshot, named: Mapping[str, list[Element]]
) -> Iterator[str]:
    """The names that mean this element alone, of all that are ``named`` (``by_name``); of one that
    nothing names its role."""
    for name in dict.fromkeys((element.words, element.name)):
        alike = named.get(plain(name), [])
        meant = name.strip() and not REFERENCE.fullmatch(name)
        if meant and likeliest(alike, snapshot, name) == [element]:
            yield name
    if element.acts and not element.words.strip():
        role = element.role
        alone = [e.ref for e in snapshot.elements if e.role == role] == [element.ref]
        if alone and by_words(snapshot, role).ref == element.ref:
            yield role


def missing(snapshot: Snapshot, ref: str, told: Element | None) -> Failure:
    """The failure of a reference that the page no longer has. ``told`` is what it was.

    What looks like it is named, and the choice is left to the model: in a list whose rows move,
    the button that looks the same is another row's.
    """
    if told is None:
        return Failure("not_found", f"there is no element {ref}. Look at the page.")
    now = [e.label() for e in snapshot.elements if e.essence() == told.essence()]
    return stale(told.row(), now[:MOST])


def spot_is_fresh(point: Point, shown: Snapshot | None, now: Snapshot) -> None:
    """Raise ``Failure`` when the page of a screenshot has scrolled or is another one since."""
    if shown is None:
        raise Failure(
            "not_found",
            f"{point.artifact} is no screenshot of this one; name a screenshot or an element.",
        )
    if (shown.url, shown.scroll) != (now.url, now.scroll):
        raise Failure(
            "stale", f"the page has moved on since {point.artifact}; point at the last screenshot."
        )


def spot_is_same(point: Point, shown: Snapshot, now: Snapshot) -> None:
    """Raise ``Failure`` stale when at a point of a screenshot lies something else since: a part of
    the page was scrolled, or drawn anew."""
    before, after = _lies(point, shown), _lies(point, now)
    if before is after is None:
        return
    if before and after and (before.role, before.name) == (after.role, after.name):
        kept = before.ref == after.ref and not (before.near and after.near)
        if kept or before.near == after.near:
            return
    was, lies = (f'{e.role} "{e.words}"' if e else "nothing" for e in (before, after))
    raise Failure(
        "stale",
        f"what lay there on {point.artifact}, {was}, is not there now, but {lies}, so nothing was "
        "done; point at the last screenshot.",
    )


def _lies(point: Point, snapshot: Snapshot) -> Element | None:
    """The smallest element at a point of a screenshot."""
    x, y = point.x * snapshot.width / point.width, point.y * snapshot.height / point.height
    there = (
        ((x1 - x0) * (y1 - y0), e)
        for e in snapshot.elements
        if e.corners and e.role != "iframe"
        for x0, y0, x1, y1 in (e.corners,)
        if x0 <= x < x1 and y0 <= y < y1
    )
    return min(there, key=lambda one: one[0], default=(0.0, None))[1]


def _only(found: list[Element], words: str) -> Element:
    if len(found) == 1:
        return found[0]
    rows = "; ".join(
        e.label() + (f" at {round(e.corners[0])},{round(e.corners[1])}" if e.corners else "")
        for e in found[:MOST]
    )
    raise Failure(
        "ambiguous", f"{len(found)} elements are called {words!r}: {rows}. Use one's reference."
    )


def _holds(name: str, wanted: str) -> bool:
    """Whether a name holds these words as whole ones and not after a word that negates them."""
    for found in re.finditer(whole(wanted), name):
        before = CLAUSE.split(name[: found.start()].replace("’", "'"))[-1]
        if not (NEGATIONS.find(before) or UNDOES.find(before)):
            return True
    return False


def _means(text: str, words: str) -> bool:
    return len(text) <= LONGER * len(words) or text.startswith((f"{words}:", f"{words}："))
