"""An Android device as a port: one screen, used by taps, swipes and keys."""

from __future__ import annotations

import re
import shlex

from tools.gui import failures
from tools.gui.android.adb import Adb
from tools.gui.android.tree import Tree
from tools.gui.failures import Failure
from tools.gui.native.port import LONG, SCHEME, Names, Window, veiled
from tools.gui.observation import Element, Snapshot
from tools.gui.safety import Limits, with_scheme
from tools.gui.secrets import Secrets

PACKAGE = re.compile(r"[a-z]\w*(\.\w+)+", re.I)
LONG_PRESS = 700
"""Milliseconds; DRAG are those of a step of a drag."""
DRAG = 30
SWIPE = 0.6
"""Most of the screen that one swipe scrolls."""
SPARE = 8
"""Deletions beyond the length that a field is known to hold; BLIND where that is not known, or
longer than is told."""
BLIND = 400
KEYS = {
    "enter": 66, "return": 66, "back": 4, "escape": 111, "esc": 111, "tab": 61, "space": 62,
    "backspace": 67, "delete": 112, "up": 19, "down": 20, "left": 21, "right": 22, "arrowup": 19,
    "arrowdown": 20, "arrowleft": 21, "arrowright": 22, "pageup": 92, "pagedown": 93, "home": 122,
    "end": 123, "homescreen": 3, "recents": 187, "menu": 82, "power": 224, "control": 113,
    "ctrl": 113, "alt": 57, "shift": 59, "search": 84,
}  # fmt: skip


class AndroidPort:
    """``sites`` are the addresses that may be opened. Applications are opened by their package,
    within the limits that the driver keeps."""

    exact = True

    def __init__(self, adb: Adb, apps: Limits, sites: Limits, secrets: Secrets) -> None:
        self._adb, self._apps, self._sites, self._secrets = adb, apps, sites, secrets
        self._tree = Tree(secrets, Names())
        self._size = (1080, 1920)

    def read(self) -> Snapshot:
        screen = self._tree.read(self._adb.tree())
        width, height = self._adb.size()
        self._size = (height, width) if screen.turned else (width, height)
        return Snapshot(
            url=f"{SCHEME}{screen.app}/{screen.title}",
            title=screen.title,
            width=self._size[0],
            height=self._size[1],
            scroll=(0, 0),
            extent=self._size,
            elements=screen.elements,
            veiled=veiled(screen.elements),
        )

    def png(self) -> bytes:
        return self._adb.png()

    def open(self, what: str) -> str:
        """Start an application by its package, or open an address in whatever opens such ones; it
        is checked here, not where it leads. Raises ``Failure`` refused, navigation_error."""
        if PACKAGE.fullmatch(what):
            if objection := self._apps.objection(f"{SCHEME}{what}/"):
                raise failures.refused(what, objection)
            launch = "-c android.intent.category.LAUNCHER 1"
            said = self._adb.shell(f"monkey -p {shlex.quote(what)} {launch} 2>&1 || true")
            if "No activities found" in said or "aborted" in said:
                raise failures.navigation(what, "no such application is installed")
            return "it was started"
        url = with_scheme(what)
        if objection := self._sites.objection(url):
            raise failures.refused(url, objection)
        view = f"am start -W -a android.intent.action.VIEW -d {shlex.quote(url)} 2>&1"
        if "Error" in self._adb.shell(view):
            raise failures.navigation(url, "nothing on the device opens it")
        return "it was opened"

    def back(self) -> None:
        self._key("4")

    def point(self, how: str, x: float, y: float) -> None:
        place = f"{round(x)} {round(y)}"
        if how == "hover":
            raise Failure("wrong_kind", "a finger cannot hover; click or right (a long press).")
        taps = {
            "click": [f"input tap {place}"],
            "double": [f"input tap {place}"] * 2,
            "right": [f"input swipe {place} {place} {LONG_PRESS}"],
        }
        self._adb.shell(*taps[how])

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int) -> None:
        way = " ".join(str(round(v)) for v in (*start, *end))
        self._adb.shell(f"input draganddrop {way} {LONG_PRESS + DRAG * steps}")

    def scroll(self, x: float, y: float, direction: str, screens: float) -> None:
        """A finger moves against the direction, in swipes of a part of the screen."""
        width, height = self._size
        across = direction in ("left", "right")
        side = width if across else height
        sign = -1 if direction in ("down", "right") else 1
        while screens > 0.01:
            part = min(screens, SWIPE) * side * sign
            dx, dy = (part / 2, 0.0) if across else (0.0, part / 2)
            ends = (x - dx, y - dy, x + dx, y + dy)
            limits = (width - 1, height - 1) * 2
            way = (str(round(min(max(v, 1), most))) for v, most in zip(ends, limits, strict=True))
            self._adb.shell(f"input swipe {' '.join(way)} 400")
            screens -= SWIPE

    def press(self, keys: str) -> str:
        codes = [_code(key, keys) for key in re.split(r"(?<=.)\+", keys)]
        if len(codes) == 1:
            self._key(codes[0])
        else:
            self._adb.shell(f"input keycombination {' '.join(codes)}")
        return keys

    def write(self, text: str, field: Element) -> None:
        """Raises ``Failure`` wrong_kind for text beyond ASCII, which adb cannot type."""
        if not text.isascii():
            raise Failure(
                "wrong_kind", "adb types ASCII only, so nothing was typed; use other words."
            )
        held = field.value
        known = held is not None and len(held) < LONG
        count = BLIND if not known else len(held or "") + SPARE if held else 0
        lines = [f"input keyevent 123 {'67 ' * count}".strip()] if count else []
        for i, line in enumerate(text.split("\n")):
            lines += ["input keyevent 66"] if i else []
            # "%s" is a space to Android, so that the sign and the letter are typed apart.
            pieces = line.replace("%s", "%\ns").split("\n")
            lines += [f"input text {shlex.quote(p.replace(' ', '%s'))}" for p in pieces if p]
        if lines:
            self._adb.shell(*lines)

    def veil(self, field: Element, text: str) -> None:
        """Nothing is to be done: what the tree tells is exact, and masked."""

    def focus(self, element: Element) -> None:
        if element.role != "textbox" or element.corners is None:
            raise Failure(
                "wrong_kind",
                f"{element.label()} cannot be given the focus; click it, or leave the target out.",
            )
        x0, y0, x1, y1 = element.corners
        self.point("click", (x0 + x1) / 2, (y0 + y1) / 2)

    def reveal(self, element: Element) -> bool:
        return False

    def windows(self) -> list[Window]:
        return []

    def switch(self, window: Window) -> None:
        raise Failure("wrong_kind", "a device shows one application; goto opens another.")

    def shut(self, window: Window) -> None:
        raise Failure("wrong_kind", "an application is not closed here; use back, or goto another.")

    def _key(self, code: str) -> None:
        self._adb.shell(f"input keyevent {code}")


def _code(key: str, keys: str) -> str:
    plain = key.strip().casefold() or "space"
    if plain in KEYS:
        return str(KEYS[plain])
    if len(plain) == 1 and plain.isascii() and plain.isalnum():
        return str(ord(plain) - ord("a") + 29 if plain.isalpha() else ord(plain) - ord("0") + 7)
    raise Failure("wrong_kind", f"there is no key {keys!r}; such as Enter, Back, HomeScreen")
