"""A Linux desktop as a port: what is in front is read, and used by pointer and keys."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence

from PIL import Image as PILImage
from PIL import ImageGrab

from tools.gui.desktop.bus import SPI, Bus, Call
from tools.gui.desktop.display import Display
from tools.gui.desktop.pixels import Pixels
from tools.gui.desktop.tree import Frame, Tree
from tools.gui.desktop.xdo import Xdo, XWindow
from tools.gui.failures import Failure
from tools.gui.native.port import SCHEME, Apps, Names, Window, veiled
from tools.gui.observation import Element, Snapshot
from tools.gui.secrets import Secrets

APPEARS = 30.0
"""Seconds that a program gets to show a window."""
PAUSE = 0.1
ANYWHERE = 1
"""AT-SPI's word for scrolling as little as it takes."""
SILENT = "this window does not describe itself; Desktop(pixels=True) reads such ones from pixels"


class DesktopPort:
    """``programs`` are those that goto may start, by name. With ``pixels`` only the screenshot is
    read; names of windows come from X either way."""

    def __init__(
        self,
        display: Display,
        programs: Mapping[str, Sequence[str]],
        apps: Apps,
        secrets: Secrets,
        size: tuple[int, int],
        pixels: bool,
    ) -> None:
        self.exact = not pixels
        self.display, self._programs, self._secrets = display, programs, secrets
        self._xdo = Xdo(display, apps)
        self._names = Names()
        self._ids: dict[str, str] = {}
        self._size = size
        self._reader: tuple[Mapping[str, str], Bus, Tree] | None = None
        self._pixels = Pixels(secrets, self._names) if pixels else None

    def read(self) -> Snapshot:
        front = self._front()
        elements: Sequence[Element] = ()
        notes: tuple[str, ...] = ()
        if self._pixels is not None:
            picture = self._grab()
            self._size = picture.size
            elements = self._pixels.read(picture, front.pid if front else 0)
        elif front is not None:
            frame = _frame_of(front, self._tree().frames())
            elements = self._tree().read(frame) if frame else ()
            notes = () if elements else (SILENT,)
        if front is None:
            notes = ("no window is open; goto opens one",) if self._programs else ("nothing here",)
        title = self._secrets.mask(front.title) if front else ""
        rows = tuple(elements)
        return Snapshot(
            url=f"{SCHEME}{front.app}/{title}" if front else SCHEME,
            title=title,
            width=self._size[0],
            height=self._size[1],
            scroll=(0, 0),
            extent=self._size,
            elements=rows,
            notes=notes,
            veiled=veiled(rows),
        )

    def png(self) -> bytes:
        file, picture = io.BytesIO(), self._grab()
        self._size = picture.size
        picture.save(file, "PNG")
        return file.getvalue()

    def open(self, what: str) -> str:
        """Start one of the programs and wait for its window. Raises ``Failure`` refused for another
        one, crashed for one that ends without having shown any."""
        if what not in self._programs:
            listed = ", ".join(self._programs) or "none"
            raise Failure("refused", f"{what!r} is not among the programs to start: {listed}.")
        known = {window.id for window in self._xdo.windows()}
        program = self.display.run(self._programs[what])
        end = time.monotonic() + APPEARS
        while time.monotonic() < end:
            if any(window.id not in known for window in self._xdo.windows()):
                return "its window is open"
            if program.poll() is not None:
                raise Failure(
                    "crashed", f"{what} ended without a window (status {program.returncode})."
                )
            time.sleep(PAUSE)
        raise Failure("timeout", f"{what} was started and shows no window yet; look again.")

    def back(self) -> None:
        raise Failure(
            "wrong_kind", "a desktop has no way back; press Escape, or close the window with tabs."
        )

    def point(self, how: str, x: float, y: float) -> None:
        self._xdo.point(how, x, y)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int) -> None:
        self._xdo.drag(start, end, steps)

    def scroll(self, x: float, y: float, direction: str, screens: float) -> None:
        side = self._size[0] if direction in ("left", "right") else self._size[1]
        self._xdo.scroll(x, y, direction, screens * side)

    def press(self, keys: str) -> str:
        return self._xdo.press(keys)

    def write(self, text: str, field: Element) -> None:
        """By keys. What no keyboard has is handed to the application instead where it takes that:
        keys that are made up for a moment get lost on a busy machine."""
        if not text.isascii() and self._pixels is None and (node := self._tree().node(field)):
            whole = Call(node, f"{SPI}EditableText", "SetTextContents", "s", (text,))
            if self._tree_bus().ask([whole])[0]:
                return
        self._xdo.press("ctrl+a")
        self._xdo.press("BackSpace")
        self._xdo.write(text)

    def veil(self, field: Element, text: str) -> None:
        """What is read from pixels may be misread, and then would not be masked."""
        if self._pixels is not None:
            self._pixels.veiled[field.ref] = text

    def focus(self, element: Element) -> None:
        node = self._tree().node(element) if self._pixels is None else None
        took = node and self._tree_bus().ask([Call(node, f"{SPI}Component", "GrabFocus")])[0]
        if not took:
            raise Failure(
                "wrong_kind",
                f"{element.label()} cannot be given the focus; click it, or leave the target out.",
            )

    def reveal(self, element: Element) -> bool:
        node = self._tree().node(element) if self._pixels is None else None
        scroll = Call(node, f"{SPI}Component", "ScrollTo", "u", (ANYWHERE,)) if node else None
        return bool(scroll and self._tree_bus().ask([scroll])[0])

    def windows(self) -> list[Window]:
        mask = self._secrets.mask
        return [Window(self._id(w.id), mask(w.title), w.app) for w in self._stack()]

    def switch(self, window: Window) -> None:
        self._xdo.raise_window(self._x(window), managed=not self.display.own)

    def shut(self, window: Window) -> None:
        self._xdo.shut(self._x(window))

    def close(self) -> None:
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None
        self.display.close()

    def _front(self) -> XWindow | None:
        """The window on top. On a display of its own it gets the keys, as elsewhere a window
        manager sees to."""
        windows = self._stack()
        front = windows[-1] if windows else None
        if front and self.display.own and self._xdo.focused() != front.id:
            self._xdo.focus(front.id)
        return front

    def _stack(self) -> list[XWindow]:
        """From the bottom to the top. A window manager says itself which window is in use, for
        panels may lie above it."""
        windows = self._xdo.windows()
        active = "" if self.display.own else self._xdo.active()
        return sorted(windows, key=lambda window: window.id == active)

    def _grab(self) -> PILImage.Image:
        try:
            return ImageGrab.grab(xdisplay=self.display.environment()["DISPLAY"]).convert("RGB")
        except OSError as error:
            raise Failure("crashed", f"no screenshot could be taken ({error}).") from None

    def _tree(self) -> Tree:
        return self._connected()[2]

    def _tree_bus(self) -> Bus:
        return self._connected()[1]

    def _connected(self) -> tuple[Mapping[str, str], Bus, Tree]:
        """To the bus of the display as it is now: another one may have started."""
        environment = self.display.environment()
        if self._reader is None or self._reader[0] is not environment:
            bus = Bus(environment.get("DBUS_SESSION_BUS_ADDRESS", ""))
            self._reader = (environment, bus, Tree(bus, self._secrets, self._names))
        return self._reader

    def _id(self, x: str) -> str:
        return self._ids.setdefault(x, f"t{len(self._ids) + 1}")

    def _x(self, window: Window) -> str:
        return next(x for x, id in self._ids.items() if id == window.id)


def _frame_of(front: XWindow, frames: Sequence[Frame]) -> Frame | None:
    """What the accessibility bus knows the window in front as."""

    def differs(frame: Frame) -> tuple[bool, bool, float]:
        far = abs(frame.corner[0] - front.x) + abs(frame.corner[1] - front.y)
        return frame.title != front.title, not frame.active, far

    return min((f for f in frames if f.pid == front.pid), key=differs, default=None)
