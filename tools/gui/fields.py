"""Fields: typing, choosing, checking, uploading. Each reads back what the field then holds."""

from __future__ import annotations

import asyncio
import re

from tools.gui import failures
from tools.gui.dates import as_filled
from tools.gui.failures import Failure
from tools.gui.hand import Hand
from tools.gui.judge import Done
from tools.gui.observation import FILLED, MARKS, OFFERED, WRITABLE
from tools.gui.preflight import Aim, guarded
from tools.gui.slider import slide

ASKING = 5.0
"""Seconds within which a clicked element asks for its file."""
SIGNS = re.compile(r"[\x00-\x1f\x7f]")
"""What would be pressed as a key, such as Enter, where it is typed."""
_ORDER = """() => new Intl.DateTimeFormat().formatToParts()
  .map(part => ({ year: "y", month: "m", day: "d" })[part.type] ?? "").join("")"""
"""In which order the browser's people write a date."""
_INPUT = "el => el.localName === 'input'"
_LINES = "el => el.localName === 'textarea' || el.isContentEditable"


async def write(hand: Hand, text: str, how: str) -> Done:
    """Replace what the field holds, by keys."""
    spot = await hand.aim(hand.target)
    element, page = spot.element, hand.view.page
    if element.options or element.role not in WRITABLE and element.role not in FILLED:
        raise failures.wrong_kind(str(spot), "a field that takes text (use click, select or check)")
    if "readonly" in element.state:
        raise failures.disabled(str(spot))
    handle = await hand.handle(element)
    if SIGNS.search(text) and not await handle.evaluate(_LINES):
        raise Failure(
            "wrong_kind",
            f"{spot} takes one line, and the text has a line break or a tab in it, so nothing was "
            "typed. Type it without; Enter and Tab are pressed by press.",
        )
    if element.role in FILLED:
        text = as_filled(element.role, text, await handle.evaluate(_ORDER))
    await hand.may_type(text, element)
    if element.role == "slider" and not await handle.evaluate(_INPUT):
        return await slide(hand, element, text, f"{how} {spot}")
    await hand.begin()
    if element.role in FILLED:
        await handle.fill(hand.session.secrets.reveal(text))
    else:
        async with guarded(spot, hand.view):
            await page.mouse.click(spot.x, spot.y)
        home = hand.view.home(element.ref)
        if home is None or not await home.ask("active", int(element.ref[1:])):
            raise Failure("no_effect", f"{spot} does not take the focus, so nothing was typed.")
        await page.keyboard.press("ControlOrMeta+A")
        secrets = hand.session.secrets
        if secrets:
            await home.ask("veil", int(element.ref[1:]), text if secrets.named(text) else "")
        if not text:
            await page.keyboard.press("Delete")
        elif secrets.named(text):
            await hand.may_type(text, element)  # the page may have moved on since
            await page.keyboard.insert_text(secrets.reveal(text))  # in one piece, into one field
        elif len(text) > 100 or SIGNS.search(text):
            await page.keyboard.insert_text(text)
        else:
            await page.keyboard.type(text)
    # Fields may set spaces and signs of their own: 030/123 becomes (030) 123.
    held = await hand.field(element)
    same = held.value == text or (bool(_signs(text)) and _signs(held.value) == _signs(text))
    hint = f"; write it like {FILLED[element.role]}" if element.role in FILLED and not same else ""
    return Done(f"{how} {spot}", element.ref, same, held.words(same) + hint)


async def select(hand: Hand, options: tuple[str, ...]) -> Done:
    """Choose options of a native list by their text, or by the only text that holds it."""
    spot = await hand.aim(hand.target)
    handle = await hand.handle(spot.element)
    labels: list[str] | None = await handle.evaluate(
        "el => el.localName === 'select' ? [...el.options].map(o => o.label.trim()) : null"
    )
    if labels is None:
        raise failures.wrong_kind(str(spot), "a plain list: click it, then click the option")
    labels = hand.session.secrets.mask(labels)
    chosen = [_option(labels, wanted, spot) for wanted in options]
    await hand.begin()
    await handle.select_option(index=chosen)
    held = await hand.field(spot.element)
    wanted = ", ".join(" ".join(labels[i].split()) for i in sorted(set(chosen)))
    what = f"select {wanted!r} in {spot}"
    return Done(what, spot.element.ref, held.value == wanted, held.words())


async def check(hand: Hand, on: bool) -> Done:
    """Bring a checkbox to a state; one that is in it already is left alone."""
    spot = await hand.aim(hand.target)
    element = spot.element
    if element.role not in MARKS:
        raise failures.wrong_kind(str(spot), "a checkbox or radio button")
    await hand.begin()
    if ("checked" in element.state) != on:
        async with guarded(spot, hand.view):
            await hand.view.page.mouse.click(spot.x, spot.y)
    state = "checked" if "checked" in (await hand.field(element)).state else "not checked"
    own = (state == "checked") == on
    return Done(f"{'check' if on else 'uncheck'} {spot}", element.ref, own, f"it is {state}")


async def upload(hand: Hand) -> Done:
    """Hand a file of the run to a file field, or to what asks for one when clicked."""
    element = hand.element
    assert hand.file is not None and element is not None
    payload = {"name": hand.file.name, "mimeType": hand.file.mime, "buffer": hand.file.data}
    what = f"upload {hand.file.name} to {element.label()}"
    if element.role == "file":
        handle = await hand.handle(element)
        await hand.begin()
        await handle.set_input_files(payload)  # type: ignore[arg-type]
        held = await hand.field(element)
        return Done(what, element.ref, held.value == hand.file.name, held.words())
    spot = await hand.aim(hand.target)
    await hand.begin()
    assert hand.session.watch is not None
    log = hand.session.watch.log
    async with guarded(spot, hand.view):
        await hand.view.page.mouse.click(spot.x, spot.y)
    try:
        chooser = await asyncio.wait_for(log.chooser, ASKING)
    except TimeoutError:
        raise failures.wrong_kind(str(spot), "a file field, nor does it ask for a file") from None
    await chooser.set_files(payload)  # type: ignore[arg-type]
    log.chooser = asyncio.Future()
    return Done(what, element.ref)


def _option(labels: list[str], wanted: str, spot: Aim) -> int:
    plain = [" ".join(label.split()).casefold() for label in labels]
    key = " ".join(wanted.split()).casefold()
    fits = [i for i, label in enumerate(plain) if label == key]
    fits = fits or [i for i, label in enumerate(plain) if key and key in label]
    if len(fits) == 1:
        return fits[0]
    known = "|".join(labels[:OFFERED])
    if len(labels) > OFFERED:
        known += f" and {len(labels) - OFFERED} more; find them by their words, or extract the list"
    raise Failure("not_found", f"{spot} has no option {wanted!r}; its options: {known}")


def _signs(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).casefold()
