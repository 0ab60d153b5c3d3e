"""Fields: typing, choosing, checking. Each reads back what the field then holds."""

from __future__ import annotations

from tools.gui import failures
from tools.gui.failures import Failure
from tools.gui.judge import Done, plain
from tools.gui.native.aim import aim, under
from tools.gui.native.facts import same
from tools.gui.native.hand import Hand
from tools.gui.native.port import short
from tools.gui.observation import MARKS, WRITABLE, Element, Snapshot

HELD = 1.5
"""Seconds within which a field shows what was put into it."""
OPENS = 2.0
"""Seconds within which a list opens."""


def write(hand: Hand, text: str, how: str) -> Done:
    """Replace what a field holds, by keys, and read it back."""
    spot = hand.aim(hand.target)
    element = spot.element
    if element.role not in WRITABLE:
        raise failures.wrong_kind(str(spot), "a field that takes text (use click, select or check)")
    if "readonly" in element.state:
        raise failures.disabled(str(spot))
    hand.secrets.check(text, hand.now.url)
    hand.begin()
    hand.port.point("click", spot.x, spot.y)
    front = hand.port.read()
    hand.secrets.check(text, front.url)  # another window may have come to the front since
    at = front.find(element.ref)
    focused = [e for e in front.elements if "focused" in e.state]
    if at is None or (focused and at not in focused):
        raise Failure("no_effect", f"{spot} does not take the focus, so nothing was typed.")
    hand.port.write(hand.secrets.reveal(text), at)
    if hand.secrets.named(text):
        hand.port.veil(element, text)
    if "secret" in element.state:
        return Done(f"{how} {spot}", element.ref, None, "it shows dots for what it holds")
    exact = hand.port.exact
    wanted = short(text if exact else text.replace("\n", " "))
    got = lambda now: same(_value(now, element.ref), wanted, exact)  # noqa: E731
    held = _value(hand.until(got, HELD), element.ref)
    fits = same(held, wanted, exact)
    proof = f"it holds {held[:80]!r}" if exact else f"it reads {held[:80]!r}"
    # A reading of pixels that differs may be misread: it proves as little for as against.
    return Done(f"{how} {spot}", element.ref, True if fits else False if exact else None, proof)


def select(hand: Hand, options: tuple[str, ...]) -> Done:
    """Open a list and click the option, as it is called."""
    spot = hand.aim(hand.target)
    if spot.element.role != "combobox":
        raise failures.wrong_kind(str(spot), "a list that opens: click the option itself")
    if len(options) != 1:
        raise failures.wrong_kind(str(spot), "a list that takes several options; name one")
    wanted, known, exact = options[0], spot.element.options, hand.port.exact
    if known and not any(plain(wanted) == plain(option) for option in known):
        listed = "|".join(known[:40])
        raise Failure("not_found", f"{spot} has no option {wanted!r}; its options: {listed}")
    hand.begin()
    hand.port.point("click", spot.x, spot.y)
    before = {e.ref for e in hand.now.elements if hand.now.in_view(e)}

    def offered(now: Snapshot) -> list[Element]:
        fits = [e for e in now.elements if now.in_view(e) and _says(e, wanted, exact)]
        return [e for e in fits if e.ref not in before and e.ref != spot.element.ref]

    found = offered(hand.until(lambda now: bool(offered(now)), OPENS))
    if not found:
        hand.port.press("Escape")
        raise Failure("not_found", f"{spot} was opened and shows no option {wanted!r}.")
    option = aim(found[0], hand.port)
    hand.port.point("click", option.x, option.y)
    ref = spot.element.ref

    def value(now: Snapshot) -> str:
        # What was covered by its list may be told as another one.
        again = None if exact else under(spot.x, spot.y, now).element
        return (again.value or "") if again and not now.find(ref) else _value(now, ref)

    held = value(hand.until(lambda now: same(value(now), wanted, exact), HELD))
    fits = same(held, wanted, exact)
    own = True if fits else False if exact else None
    return Done(f"select {wanted!r} in {spot}", ref, own, f"it holds {held[:80]!r}")


def check(hand: Hand, on: bool) -> Done:
    """Bring a checkbox to a state; one that is in it already is left alone."""
    spot = hand.aim(hand.target)
    element = spot.element
    if element.role not in MARKS:
        raise failures.wrong_kind(str(spot), "a checkbox or radio button")
    hand.begin()

    def so(now: Snapshot) -> bool:
        found = now.find(element.ref)
        return found is not None and ("checked" in found.state) == on

    if ("checked" in element.state) != on:
        hand.port.point("click", spot.x, spot.y)
    own = so(hand.until(so, HELD))
    state = "checked" if on == own else "not checked"
    return Done(f"{'check' if on else 'uncheck'} {spot}", element.ref, own, f"it is {state}")


def _says(e: Element, option: str, exact: bool) -> bool:
    """Whether it is an option that is called so; from pixels one may look like a field."""
    if exact:
        return plain(e.name) == plain(option)
    return any(said and same(said, option, exact) for said in (e.name, e.value))


def _value(now: Snapshot, ref: str) -> str:
    found = now.find(ref)
    return (found.value or "") if found else ""
