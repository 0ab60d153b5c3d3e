"""A run as a plain pytest test: Playwright alone, no Corvid, no model.

One line an action, found by what a person reads; what was verified in the run is asserted. An
action that was contradicted is left out with a comment, and so is what only reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template

from agent.script.assertions import assertions
from agent.script.python import element, literal, secret_names
from tools.gui.actions import DragBy
from tools.gui.deeds import Deed
from tools.gui.safety import with_scheme

REFERENCE = re.compile(r"\be\d+ ")
READS = ("extract", "wait_for", "done", "tabs")
"""Actions that need no line of their own beside what they assert."""


def script(deeds: Sequence[Deed], task: str, run: str, media: dict[str, Path]) -> str:
    """The text of a test file. ``media`` are the files of the run by id, for uploads."""
    lines = [line for line, _ in groupby(_lines(deeds, media))]  # a claim of "done" stands once
    names = sorted(secret_names("\n".join(d.model_dump_json() for d in deeds)))
    needs = f"\n\nSecrets are read from the environment: {', '.join(names)}." if names else ""
    text = "\n".join(f"    {line}" if line else "" for line in lines)
    imports = [name for name in ("os", "re") if re.search(rf"\b{name}\.\w", text)]
    return Template(files("agent.script").joinpath("test.py.txt").read_text("utf-8")).substitute(
        doc=_doc(task),
        run=run,
        needs=needs,
        imports="".join(f"import {name}\n" for name in imports),
        name=_name(task),
        lines=text,
    )


def _lines(deeds: Sequence[Deed], media: dict[str, Path]) -> Iterator[str]:
    tabs, front = {deeds[0].tab}, ""
    names = {deeds[0].tab: "page"}
    for deed in deeds:
        page = names.setdefault(deed.tab, deed.tab)
        if deed.verdict == "contradicted":
            what = _comment(REFERENCE.sub("", deed.what))
            yield f"# Left out, it was contradicted: {what} ({_comment(deed.why)})"
            continue
        if deed.tab not in tabs:
            yield f"{page} = page.context.new_page()"
            tabs.add(deed.tab)
        if front and front != deed.tab:
            yield f"{page}.bring_to_front()"
        done = list(_action(deed, page, media))
        if deed.front not in tabs and done:
            names[deed.front] = deed.front
            tabs.add(deed.front)
            done = _inside(done, f"with {page}.expect_popup() as opened:")
            done.append(f"{deed.front} = opened.value")
        front = deed.front
        yield from done
        yield from assertions(deed, page, names.get(deed.front, deed.front))


def _action(deed: Deed, page: str, media: dict[str, Path]) -> Iterator[str]:
    """The lines that do it."""
    action, anchor = deed.action, deed.anchors.get("target")
    if action["name"] in READS:
        if action["name"] == "tabs" and action.get("do") == "close":
            yield f"{page}.close()"
        return
    if "target" in action and anchor is not None and not anchor.found and deed.point is None:
        yield f"pytest.fail({literal('no way was found back to ' + anchor.words())})"
        return
    if anchor is not None and anchor.found and not anchor.found[0].robust:
        yield f"# Not robust: {_comment(anchor.words())} has no name of its own on the page."
    lines = list(_call(deed, page, media))
    if deed.dialogs and (deed.accept_dialog or deed.answer is not None):
        said = literal(deed.answer) if deed.answer is not None else ""
        yield f'{page}.once("dialog", lambda dialog: dialog.accept({said}))'
    if deed.downloads:
        lines = _inside(lines, f"with {page}.expect_download() as download:")
        lines.append(f"assert download.value.suggested_filename == {literal(deed.downloads[0])}")
    yield from lines


def _call(deed: Deed, page: str, media: dict[str, Path]) -> Iterator[str]:
    action, held = deed.action, deed.held
    at = element(deed.anchors["target"], page) if "target" in deed.anchors else ""
    match action["name"]:
        case "goto":
            yield f"{page}.goto({literal(with_scheme(action['url']))})"
        case "back":
            yield f"{page}.go_back()"
        case ("click" | "double" | "right" | "hover") as how if deed.point is not None:
            x, y = deed.point
            yield "# Not robust: a point on a picture."
            more = {"click": "click", "double": "dblclick", "hover": "move"}.get(how, "click")
            button = ', button="right"' if how == "right" else ""
            yield f"{page}.mouse.{more}({x:g}, {y:g}{button})"
        case "click" | "download":
            yield f"{at}.click()"
        case "double":
            yield f"{at}.dblclick()"
        case "right":
            yield f'{at}.click(button="right")'
        case "hover":
            yield f"{at}.hover()"
        case "type" | "clear":
            text = action.get("text", "")
            listens = deed.anchors["target"].role == "combobox"
            if text and (listens or (held and held.input and held.value not in (text, None))):
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
        case "check":
            yield f"{at}.{'check' if action.get('on', True) else 'uncheck'}()"
        case "drag":
            to = deed.anchors.get("to")
            yield f"{at}.drag_to({element(to, page)})" if to else "# Left out: a drag to a point."
        case "drag_by":
            dx, dy = DragBy.model_validate(action).end(0, 0)
            yield f"{at}.hover()"
            yield f"box = {at}.bounding_box()"
            yield "assert box"
            yield f"{page}.mouse.down()"
            yield f"x = box['x'] + box['width'] / 2 + {dx:g}"
            yield f"y = box['y'] + box['height'] / 2 + {dy:g}"
            yield f"{page}.mouse.move(x, y, steps={action['steps']})"
            yield f"{page}.mouse.up()"
        case "scroll":
            across = action["direction"] in ("left", "right")
            far = action["screens"] * (1280 if across else 720)
            far = -far if action["direction"] in ("left", "up") else far
            if at:
                yield f"{at}.hover()"
            yield f"{page}.mouse.wheel({f'{far:g}, 0' if across else f'0, {far:g}'})"
        case "upload":
            path = literal(str(media.get(action["file"], action["file"])))
            if deed.anchors["target"].role == "file":
                yield f"{at}.set_input_files({path})"
            else:
                yield f"with {page}.expect_file_chooser() as chooser:"
                yield f"    {at}.click()"
                yield f"chooser.value.set_files({path})"


def _inside(lines: list[str], head: str) -> list[str]:
    """The last line, which acts, under a ``with``."""
    return [*lines[:-1], head, f"    {lines[-1]}"]


def _comment(text: str) -> str:
    return " ".join(text.split())[:160]


def _doc(task: str) -> str:
    return " ".join(task.split()).replace("\\", "\\\\").replace('"', "'")[:200]


def _name(task: str) -> str:
    words = re.findall(r"[a-z0-9]+", task.casefold())[:8]
    return "_".join(words) or "run"
