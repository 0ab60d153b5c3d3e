"""What was verified of a deed, as Playwright's ``expect``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.script.python import element, literal, within
from tools.gui.deeds import Deed, Held
from tools.gui.observation import WRITABLE
from tools.gui.secrets import PLACEHOLDER
from tools.gui.targets import REFERENCE


def assertions(deed: Deed, page: str, front: str) -> Iterator[str]:
    """A line each. ``page`` is the tab it was done on, ``front`` the one in front afterwards."""
    if deed.verdict != "verified":
        return
    yield from _own(deed, page)
    action = deed.action
    for claim in (deed.expect, action.get("until"), *action.get("evidence", [])):
        yield from _claim(claim or {}, deed, page, front)


def _own(deed: Deed, page: str) -> Iterator[str]:
    """The action's own claim: the field holds what was entered."""
    held, anchor, action = deed.held, deed.anchors.get("target"), deed.action
    if held is None or anchor is None or not anchor.found:
        return
    if PLACEHOLDER.search(action.get("text") or "") or held.hidden:
        yield "# What the field holds is not asserted: a failure would print the secret."
        return
    at = element(anchor, page)
    match action["name"]:
        case "type" if deed.presses:
            if held.value is not None:
                yield f'expect({at}).to_have_attribute("aria-valuenow", {literal(held.value)})'
        case "type" | "clear" if held.value is not None:
            yield _holds(at, held, held.value)
        case "select" if held.options:
            yield _holds(at, held, "")
        case "check":
            state = "to_be_checked" if action.get("on", True) else "not_to_be_checked"
            yield f"expect({at}).{state}()"


def _holds(at: str, held: Held, value: str) -> str:
    """That a field holds ``value``; a list is asked for the texts of what is chosen in it."""
    if held.options:
        chosen = ", ".join(literal(option) for option in held.options)
        said = chosen if len(held.options) == 1 else f"[{chosen}]"
        return f'expect({at}.locator("option:checked")).to_have_text({said})'
    how = "to_have_value" if held.input else "to_have_text"
    return f"expect({at}).{how}({literal(value)})"


def _claim(claim: dict[str, Any], deed: Deed, page: str, front: str) -> Iterator[str]:
    if text := claim.get("text"):
        if text in deed.places:
            seen = f"{within(deed.places[text], front)}.get_by_text({literal(text)})"
            yield f"expect({seen}.filter(visible=True).first).to_be_visible()"
        else:  # it runs over several elements
            yield (
                f'expect({front}.locator("body")).to_contain_text({literal(text)}, '
                "use_inner_text=True, ignore_case=True)"
            )
    if url := claim.get("url"):
        yield f"expect({front}).to_have_url(re.compile(re.escape({literal(url)})))"
    if (value := claim.get("value")) is not None:
        whose = claim.get("target")
        anchor = deed.anchors.get(whose or "target")
        held = deed.fields.get(whose) if whose else deed.held
        if anchor is None or not anchor.found or held is None:
            yield f"# Not asserted: no way was found back to the field that held {literal(value)}"
        elif not (held.input or held.options or anchor.role in WRITABLE):
            yield f"# Not asserted: {literal(anchor.words())} is no field that holds a value"
        else:
            yield _holds(element(anchor, page), held, value)
    if gone := claim.get("gone"):
        anchor = deed.anchors.get(gone)
        if anchor is not None and anchor.found and anchor.found[0].robust:
            yield f"expect({element(anchor, page)}).to_be_hidden()"
        elif anchor is not None:
            yield f"# Not asserted: no sure way was found back to {literal(anchor.words())}"
        elif REFERENCE.fullmatch(gone):
            yield "# Not asserted: nothing is known of the element that was gone."
        else:
            seen = f"{within(deed.places.get(gone, ()), page)}.get_by_text({literal(gone)})"
            yield f"expect({seen}.filter(visible=True)).to_have_count(0)"
