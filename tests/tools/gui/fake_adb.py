"""An ``adb`` without a device: one small application, kept in a JSON file between the calls.

    python fake_adb.py FOLDER ARGUMENTS_OF_ADB...

The trees have the attributes of those that uiautomator writes. What cannot happen on a device
(an unknown command) ends with status 9, so that a test sees it.
"""

from __future__ import annotations

import html
import json
import re
import shlex
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

SIZE = (1080, 1920)
DIALOG = (30, 680, 1050, 1020)
"""Where a dialog is, which is all that its tree tells of."""
SHOWN = (108, 192)
"""Of the screenshot, a tenth of what the tree tells in."""
APP = "com.example.table"
FRESH: dict[str, Any] = {
    "screen": "home", "name": "", "code": "", "rules": False, "guests": "2", "focus": "",
    "rows": ["Milk", "Tea", "Rice"], "sent": [], "moving": 0, "rotation": 0,
    "lost": False, "log": [],
}  # fmt: skip


def main(folder: Path, arguments: list[str]) -> int:
    file = folder / "device.json"
    device = json.loads(file.read_text()) if file.exists() else dict(FRESH)
    if device["lost"]:
        print("error: no devices/emulators found", file=sys.stderr)
        return 1
    status = 0
    if arguments == ["exec-out", "uiautomator", "dump", "/dev/tty"]:
        if device["moving"]:
            device["moving"] -= 1
            print("ERROR: could not get idle state.")
        else:
            print(dump(device) + "UI hierchary dumped to: /dev/tty")
    elif arguments == ["exec-out", "screencap", "-p"]:
        sys.stdout.buffer.write(picture(device))
    elif arguments == ["shell"]:
        script = sys.stdin.read()
        body = re.fullmatch(r"set -e\n\{\n(.*)\n\} </dev/null\n", script, re.S)
        for line in body[1].splitlines() if body else ["no group"]:
            status = status or command(device, shlex.split(line))
    else:
        status = 9
    file.write_text(json.dumps(device))
    return status


def command(device: dict[str, Any], words: list[str]) -> int:
    if words == ["wm", "size"]:
        print("Physical size: 1440x2560\nOverride size: {}x{}".format(*SIZE))
        return 0
    device["log"].append(" ".join(words))
    match words:
        case ["input", "tap", x, y]:
            tap(device, int(x), int(y))
        case ["input", "text", text] if text.isascii() and device["focus"]:
            device[device["focus"]] += text.replace("%s", " ")
        case ["input", "keyevent", *codes]:
            for code in codes:
                key(device, code)
        case ["input", "swipe", _, y0, _, y1, _] if device["screen"] == "list":
            up = int(y1) < int(y0)
            device["rows"] = ["Tea", "Rice", "Salt"] if up else ["Milk", "Tea", "Rice"]
        case ["monkey", "-p", package, *_]:
            if package != APP:
                print("** No activities found to run, monkey aborted.")
            else:
                device["screen"] = "form"
        case ["am", "start", "-W", "-a", "android.intent.action.VIEW", "-d", url, _]:
            device["screen"], device["opened"] = "list", url
        case _:
            print(f"unknown: {words}", file=sys.stderr)
            return 9
    return 0


def tap(device: dict[str, Any], x: int, y: int) -> None:
    hit = [n for n in nodes(device) if n["does"] and inside(x, y, n["bounds"])]
    does = hit[-1]["does"] if hit else ""
    device["focus"] = does if does in ("name", "code") else ""
    if does == "rules":
        device["rules"] = not device["rules"]
    elif does == "guests":
        device["screen"] = "options"
    elif does.startswith("pick "):
        device["screen"], device["guests"] = "form", does[5:]
    elif does == "book":
        device["screen"] = "sure"
    elif does == "yes":
        device["screen"] = "booked"
        device["sent"].append([device["name"], device["code"], device["guests"]])
    elif does == "no":
        device["screen"] = "form"
    elif does.startswith("drop "):
        device["rows"].remove(does[5:])


def key(device: dict[str, Any], code: str) -> None:
    if code == "4":
        device["screen"] = {"form": "home", "list": "home"}.get(device["screen"], "form")
    elif code == "67" and device["focus"]:
        device[device["focus"]] = device[device["focus"]][:-1]


def nodes(device: dict[str, Any]) -> list[dict[str, Any]]:
    """What is on the screen, in the order in which it is drawn."""
    match device["screen"]:
        case "home":
            return [node("TextView", 100, "Home")]
        case "form" | "options":
            ready = bool(device["name"]) and device["rules"]
            form = [
                node("TextView", 100, "Book a table"),
                node("TextView", 200, "Name", high=50),
                node("EditText", 260, device["name"], "name", id="name", hint=""),
                node("EditText", 400, "•" * len(device["code"]), "code", id="code",
                     hint="Code", password="true"),
                node("CheckBox", 540, "I accept the rules", "rules", id="rules",
                     checkable="true", checked=str(device["rules"]).lower()),
                node("TextView", 680, "Guests", left=40, right=300),
                node("Spinner", 680, "", "guests", id="guests", left=320),
                node("TextView", 690, device["guests"], inner=True, left=330),
                node("Button", 820, "Book", "book", enabled=str(ready).lower()),
            ]  # fmt: skip
            if device["screen"] == "options":
                return [node("CheckedTextView", 300 + 120 * i, n, f"pick {n}", checkable="true")
                        for i, n in enumerate(("2", "4", "6"))]  # fmt: skip
            return form
        case "sure":
            return [
                node("TextView", 700, "Sure?", id="android:id/alertTitle"),
                node("TextView", 800, "This cannot be undone."),
                node("Button", 900, "Cancel", "no", right=500),
                node("Button", 900, "Confirm", "yes", left=520),
            ]
        case "booked":
            return [node("TextView", 300, f"Booked for {device['name']}")]
        case "list":
            rows = []
            for i, row in enumerate(device["rows"]):
                rows.append(node("TextView", 300 + 200 * i, row, right=600, row=i))
                rows.append(
                    node("Button", 300 + 200 * i, "Drop", f"drop {row}", left=620, row=i, id="drop")
                )
            return rows
    raise AssertionError(device["screen"])


def node(kind: str, top: int, text: str, does: str = "", /, **more: Any) -> dict[str, Any]:
    left, right = more.pop("left", 40), more.pop("right", 1040)
    id, high = more.pop("id", ""), more.pop("high", 100)
    return {
        "kind": kind, "text": text, "does": does, "row": more.pop("row", None),
        "inner": more.pop("inner", False), "bounds": (left, top, right, top + high),
        "id": id if ":" in id or not id else f"{APP}:id/{id}", "more": more,
    }  # fmt: skip


def dump(device: dict[str, Any]) -> str:
    listed, parts = device["screen"] == "list", []
    for n in nodes(device):
        focused = str(bool(n["does"]) and device["focus"] == n["does"]).lower()
        more = {"clickable": str(bool(n["does"])).lower(), "focused": focused, **n["more"]}
        tag = opening(f"android.widget.{n['kind']}", n["text"], n["id"], n["bounds"], **more)
        if n["inner"] or listed and n["kind"] == "Button":
            parts[-1] = parts[-1].removesuffix("</node>") + f"{tag}</node></node>"
        elif listed:
            row = opening("android.widget.LinearLayout", "", "", n["bounds"])
            parts.append(f"{row}{tag}</node></node>")
        else:
            parts.append(f"{tag}</node>")
    body = "".join(parts)
    if listed:
        whole = opening("androidx.recyclerview.widget.RecyclerView", "", "", (0, 200, *SIZE),
                        scrollable="true")  # fmt: skip
        body = f"{whole}{body}</node>"
    whole = DIALOG if device["screen"] == "sure" else (0, 0, *SIZE)
    root = opening("android.widget.FrameLayout", "", "", whole)
    head = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
    return f'{head}<hierarchy rotation="{device["rotation"]}">{root}{body}</node></hierarchy>'


def opening(kind: str, text: str, id: str, bounds: tuple[int, ...], **more: str) -> str:
    x0, y0, x1, y1 = bounds
    given = {
        "index": "0", "text": text, "resource-id": id, "class": kind, "package": APP,
        "content-desc": "", "checkable": "false", "checked": "false", "clickable": "false",
        "enabled": "true", "focusable": "false", "focused": "false", "scrollable": "false",
        "long-clickable": "false", "password": "false", "selected": "false",
        "bounds": f"[{x0},{y0}][{x1},{y1}]", **more,
    }  # fmt: skip
    told = " ".join(f'{name}="{html.escape(value)}"' for name, value in given.items())
    return f"<node {told}>"


def picture(device: dict[str, Any]) -> bytes:
    """A PNG in one grey, another one for every screen that says something else."""
    width, height = SHOWN
    grey = zlib.crc32(json.dumps(nodes(device)).encode()) % 256
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([grey]) * width) * height)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def inside(x: int, y: int, bounds: tuple[int, ...]) -> bool:
    return bounds[0] <= x < bounds[2] and bounds[1] <= y < bounds[3]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
