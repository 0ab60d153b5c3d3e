"""Pointer, keys and windows of an X display, through xdotool."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.gui.desktop.display import Display
from tools.gui.failures import Failure
from tools.gui.native.port import Apps

PATIENCE = 20.0
"""Seconds that a call may take."""
SLOWLY = "12"
"""Milliseconds between two signs: faster, programs lose some. MADE_UP are those of a sign that the
keyboard does not have: xdotool gives it a key meanwhile."""
MADE_UP = "300"
COMM = 15
"""Bytes that the kernel keeps of the name of a process."""
NOTCH = 60
"""Pixels that one click of the wheel scrolls, about."""
BUTTONS = {"click": "1", "double": "1", "right": "3"}
WHEEL = {"up": "4", "down": "5", "left": "6", "right": "7"}
KEYS = {"control": "ctrl", "cmd": "super", "meta": "super", "enter": "Return", "return": "Return",
        "esc": "Escape", "escape": "Escape", "tab": "Tab", "space": "space", " ": "space",
        "backspace": "BackSpace", "delete": "Delete", "insert": "Insert", "home": "Home",
        "end": "End", "pageup": "Prior", "pagedown": "Next", "up": "Up", "down": "Down",
        "left": "Left", "right": "Right", "arrowup": "Up", "arrowdown": "Down",
        "arrowleft": "Left", "arrowright": "Right", "ctrl": "ctrl", "alt": "alt",
        "shift": "shift"}  # fmt: skip


@dataclass(frozen=True)
class XWindow:
    """A window that is to be seen. ``app`` is what the lists know its application by."""

    id: str
    title: str
    app: str
    pid: int
    x: int
    y: int


class Xdo:
    def __init__(self, display: Display, apps: Apps) -> None:
        self._display, self._apps = display, apps

    def windows(self) -> list[XWindow]:
        """From the bottom to the top; those that go away meanwhile are left out."""
        ids = self._ask("search", "--onlyvisible", "--name", ".").split()
        classes = {name: self._of_class(name) for name in self._apps.listed}
        told = (self._window(id, [name for name in classes if id in classes[name]]) for id in ids)
        return [window for window in told if window is not None]

    def point(self, how: str, x: float, y: float) -> None:
        self.move(x, y)
        if how == "hover":
            return
        twice = ("--repeat", "2", "--delay", "60") if how == "double" else ()
        self._do("click", *twice, BUTTONS[how])

    def move(self, x: float, y: float) -> None:
        self._do("mousemove", "--sync", str(round(x)), str(round(y)))

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int) -> None:
        self.move(*start)
        self._do("mousedown", "1")
        try:
            for i in range(1, steps + 1):
                share = i / steps
                self.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
                time.sleep(0.01)
        finally:
            self._do("mouseup", "1")

    def scroll(self, x: float, y: float, direction: str, pixels: float) -> None:
        self.move(x, y)
        notches = max(1, round(pixels / NOTCH))
        self._do("click", "--repeat", str(notches), "--delay", "15", WHEEL[direction])

    def press(self, keys: str) -> str:
        """Raises ``Failure`` wrong_kind for keys that there are not."""
        combined = "+".join(map(_key, re.split(r"(?<=.)\+", keys)))
        done = self._run(("key", "--clearmodifiers", combined), "")
        if "No such key name" in done.stderr or done.returncode:
            raise Failure("wrong_kind", f"there is no key {keys!r}; such as Enter, Control+A")
        return combined

    def write(self, text: str) -> None:
        """By keys. The text comes by a pipe: other programs can read command lines."""
        for piece in re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]", text):
            delay = SLOWLY if piece.isascii() else MADE_UP
            self._do("type", "--clearmodifiers", "--delay", delay, "--file", "-", given=piece)

    def raise_window(self, id: str, managed: bool) -> None:
        if managed:
            self._do("windowactivate", "--sync", id)
        else:
            self._do("windowraise", id, "windowfocus", id)

    def focus(self, id: str) -> None:
        self._do("windowfocus", id)

    def active(self) -> str:
        """The window that a window manager calls active, "" where there is none."""
        return self._ask("getactivewindow").strip()

    def focused(self) -> str:
        """The window that gets the keys, "" where that is whichever lies under the pointer."""
        return self._ask("getwindowfocus", "-f").strip()

    def shut(self, id: str) -> None:
        """Ask it to close; an xdotool of before 2021 can only take it away."""
        if self._run(("windowquit", id), "").returncode:
            self._do("windowclose", id)

    def _of_class(self, name: str) -> list[str]:
        """The windows whose WM_CLASS that is, in any case. (Old xdotools do not tell a class.)"""
        whole = f"^{re.escape(name)}$"
        return self._ask("search", "--onlyvisible", "--class", "--classname", whole).split()

    def _window(self, id: str, classes: Sequence[str]) -> XWindow | None:
        told = self._ask(
            "getwindowname", id, "getwindowgeometry", "--shell", id, "getwindowpid", id
        )
        title, _, rest = told.partition("\n")
        found = dict(re.findall(r"^(\w+)=(-?\d+)$", rest, re.M))
        pid = rest.strip().rpartition("\n")[2]
        if not {"X", "Y"} <= found.keys():
            return None
        number = int(pid) if pid.isdigit() else 0
        app = self._apps.known_as(_process(number), classes).replace("/", "_")
        return XWindow(id, title, app, number, int(found["X"]), int(found["Y"]))

    def _do(self, *arguments: str, given: str = "") -> None:
        """Raises ``Failure`` timeout, failed and, where there is no xdotool, crashed."""
        done = self._run(arguments, given)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["without a reason"])[0][:160]
            raise Failure("failed", f"xdotool {arguments[0]} was not possible: {why}")

    def _ask(self, *arguments: str) -> str:
        """The answer, "" where there is none."""
        return self._run(arguments, "").stdout

    def _run(self, arguments: tuple[str, ...], given: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ("xdotool", *arguments),
                env=dict(self._display.environment()),
                input=given,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise Failure("timeout", "the display does not answer; whether it took effect is not "
                          "known. Look at the screen before you repeat it.") from None  # fmt: skip
        except FileNotFoundError:
            raise Failure(
                "crashed", "xdotool cannot be found; `corvid doctor` tells how to get it."
            ) from None


def _key(said: str) -> str:
    plain = said.strip().casefold() or "space"
    if plain in KEYS:
        return KEYS[plain]
    if len(said) == 1 and not said.isalnum():
        return f"U{ord(said):04X}"
    return said


def _process(pid: int) -> tuple[str, ...]:
    """The names of a process, the one that people call it first: what runs, which of a script is
    not its interpreter, and the file that is executed. Empty where there is no such process."""
    try:
        told = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ()
    started, file = list[str](), ""
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
        started = [os.path.basename(word) for word in line.split("\0")[:2]]
    with suppress(OSError):  # of another user's process it is not told
        file = os.path.basename(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)"))
    cut = len(told.encode()) == COMM
    whole = [name for name in (*started, file) if cut and name.startswith(told)]
    return tuple(dict.fromkeys(filter(None, (*whole, told, file))))
