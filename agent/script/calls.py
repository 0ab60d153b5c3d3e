"""What was done, as calls of Playwright: the lines that do a deed once more."""

from __future__ import annotations

from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path

from agent.script.deeds import SIZE, words
from agent.script.python import comment, element, literal
from tools.gui.actions import STEPS, DragBy
from tools.gui.deeds import Deed
from tools.gui.safety import with_scheme
from tools.gui.slider import key

POINTED = ("click", "double", "right", "hover")
"""Actions that a point is enough for."""
READS = ("extract", "wait_for", "done")
"""Actions that need no line of their own beside what they assert."""


def calls(deed: Deed, page: str, media: dict[str, Path]) -> Iterator[str]:
    """``page`` is the tab it is done on, ``media`` are the files of the run by id. Only the last
    line acts."""
    action, anchor = deed.action, deed.anchors.get("target")
    if action["name"] in READS:
        return
    if lost := _lost(deed):
        failing = f"pytest.fail({literal(f'no way was found back to {lost}')})"
        yield f"# Left out, nothing leads to it: {comment(lost)}" if deed.recovery else failing
        return
    if anchor is not None and anchor.found and not anchor.found[0].robust:
        yield f"# Not robust: {comment(anchor.words())} has no name of its own on the page."
    if deed.dialogs and (deed.accept_dialog or deed.answer is not None):
        times = f" * {deed.dialogs}" if deed.dialogs > 1 else ""
        yield f"answers[:] = [{literal(deed.answer or '')}]{times}"
    lines = list(_call(deed, page, media))
    if deed.downloads:
        lines = inside(lines, f"with {page}.expect_download() as download:")
        lines.append(f"assert download.value.suggested_filename == {literal(deed.downloads[0])}")
    yield from lines


def inside(lines: list[str], head: str) -> list[str]:
    """The last line, which acts, under a ``with``."""
    return [*lines[:-1], head, f"    {lines[-1]}"]


def _lost(deed: Deed) -> str:
    """What was acted on and cannot be found again, "" for nothing."""
    pointed = deed.point is not None and deed.action["name"] in POINTED
    for end in ("target", "to"):
        anchor = deed.anchors.get(end)
        if end not in deed.action or pointed or (anchor is not None and anchor.found):
            continue
        return anchor.words() if anchor is not None else f"what this was done to: {words(deed)}"
    return ""


def _call(deed: Deed, page: str, media: dict[str, Path]) -> Iterator[str]:
    action, held, anchor = deed.action, deed.held, deed.anchors.get("target")
    at = element(anchor, page) if anchor is not None and anchor.found else ""
    match action["name"]:
        case "goto":
            yield f"{page}.goto({literal(with_scheme(action['url']))})"
        case "back":
            yield f"{page}.go_back()"
        case how if deed.point is not None and how in POINTED:
            x, y = deed.point
            yield "# Not robust: a point on a picture."
            more = {"click": "click", "double": "dblclick", "hover": "move"}.get(how, "click")
            button = ', button="right"' if how == "right" else ""
            yield f"{page}.mouse.{more}({x:g}, {y:g}{button})"
        case "click" if deed.recovery:
            yield f"banner = {at}"
            yield "with contextlib.suppress(Error):  # it may not be in the way"
            yield "    banner.wait_for(timeout=2000)"
            yield "if banner.is_visible():"
            yield "    banner.click()"
        case "click" if deed.by_label:
            yield f'{at}.dispatch_event("click")'
        case "click" | "download":
            yield f"{at}.click()"
        case "double":
            yield f"{at}.dblclick()"
        case "right":
            yield f'{at}.click(button="right")'
        case "hover":
            yield f"{at}.hover()"
        case "type" if deed.presses:
            yield f"for _ in range({abs(deed.presses)}):"
            yield f'    {at}.press("{key(deed.presses)}")'
        case "type" | "clear":
            text = action.get("text", "")
            listens = deed.anchors["target"].role == "combobox"
            formed = held and held.input and not held.hidden and held.value not in (text, None)
            if text and (listens or formed):
                yield f"{at}.clear()"
                yield f"{at}.press_sequentially({literal(text)})"
            else:
                yield f"{at}.fill({literal(text)})"
        case "press":
            keys = literal(deed.what.removeprefix("press "))
            yield f"{at}.press({keys})" if at else f"{page}.keyboard.press({keys})"
        case "select":
            chosen = held.options if held and held.options else action["options"]
            said = ", ".join(literal(option) for option in chosen)
            yield f"{at}.select_option(label={said if len(chosen) == 1 else f'[{said}]'})"
        case "check" if deed.by_label:
            how = "||" if action.get("on", True) else "&&"
            yield f'{at}.evaluate("box => box.checked {how} box.click()")'
        case "check":
            yield f"{at}.{'check' if action.get('on', True) else 'uncheck'}()"
        case "drag":
            yield from _centred(deed)
            given = {
                "source_position": _position(deed, "target"),
                "target_position": _position(deed, "to"),
            }
            more = "".join(f", {name}={place}" for name, place in given.items() if place)
            yield f"{at}.drag_to({element(deed.anchors['to'], page)}{more})"
        case "drag_by":
            dx, dy = DragBy.model_validate(action).end(0, 0)
            place = _position(deed, "target")
            yield from _centred(deed)
            yield f"{at}.hover({f'position={place}' if place else ''})"
            yield f"box = {at}.bounding_box()"
            yield "assert box"
            if place:
                yield f'left, top = {at}.evaluate("el => [el.clientLeft, el.clientTop]")'
                right, down = deed.grips["target"]
                start = f"left + {right:g}", f"top + {down:g}"
            else:
                start = "box['width'] / 2", "box['height'] / 2"
            yield f"{page}.mouse.down()"
            yield f"x = box['x'] + {start[0]} + {dx:g}"
            yield f"y = box['y'] + {start[1]} + {dy:g}"
            yield f"{page}.mouse.move(x, y, steps={STEPS})"
            yield f"{page}.mouse.up()"
        case "scroll":
            across = action["direction"] in ("left", "right")
            width, height = deed.size or SIZE
            far = action["screens"] * (width if across else height)
            far = -far if action["direction"] in ("left", "up") else far
            if at:
                yield f"{at}.hover()"
            yield f"{page}.mouse.wheel({f'{far:g}, 0' if across else f'0, {far:g}'})"
        case "upload":
            yield f"file = {_file(deed, media)}"
            if deed.anchors["target"].role == "file":
                yield f"{at}.set_input_files(file)"
            else:
                yield f"with {page}.expect_file_chooser() as chooser:"
                yield f"    {at}.click()"
                yield "chooser.value.set_files(file)"


def _centred(deed: Deed) -> Iterator[str]:
    """Where a drag held or left an element is not known of records that do not tell it."""
    for end, how in (("target", "began"), ("to", "ended")):
        if isinstance(deed.action.get(end), dict) and end not in deed.grips:
            yield f"# Not robust: where on it this {how} is not known, so its middle is taken."


def _position(deed: Deed, end: str) -> str:
    """A point in an element as Playwright takes it, "" for its middle."""
    if end not in deed.grips:
        return ""
    x, y = deed.grips[end]
    return f'{{"x": {x:g}, "y": {y:g}}}'


def _file(deed: Deed, media: dict[str, Path]) -> str:
    """A file of the run as Playwright takes one, under the name that it had."""
    id = deed.action["file"]
    path = media.get(id, Path(id))
    said, to, _ = deed.what.removeprefix("upload ").partition(f" to {deed.anchors['target'].role} ")
    name = said if to else path.name
    mime = guess_type(name)[0] or guess_type(path.name)[0] or "application/octet-stream"
    data = f"pathlib.Path({literal(str(path))}).read_bytes()"
    return f'{{"name": {literal(name)}, "mimeType": {literal(mime)}, "buffer": {data}}}'
