"""A screen to work on: one of its own under Xvfb with a D-Bus session, or one that is there."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.gui.failures import Failure

QUIET = "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n"
"""What lets a GTK screen come to rest."""
SPEAKS = {"QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "ACCESSIBILITY_ENABLED": "1"}
"""Makes toolkits describe themselves that otherwise do so only beside a screen reader."""
ENDS = 3.0
"""Seconds that a program gets to end."""


class Display:
    """``name`` such as ``:0`` is a display that is there. Without one a display of its own starts,
    ``size`` pixels large, which nobody sees and whose windows nobody else manages."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self.own = not name
        self._name, self._size = name, size
        self._environment: dict[str, str] = {}
        self._servers: list[subprocess.Popen[bytes]] = []
        self._programs: list[subprocess.Popen[bytes]] = []
        self._folder: Path | None = None

    def environment(self) -> Mapping[str, str]:
        """That of programs on this display, which starts if need be. Raises ``Failure`` crashed
        where it cannot start or has ended."""
        if any(server.poll() is not None for server in self._servers):
            self.close()
            raise Failure(
                "crashed", "the display ended with its programs; goto starts another one."
            )
        if not self._environment:
            self._environment = self._start() if self.own else {**os.environ, "DISPLAY": self._name}
        return self._environment

    def run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program there. Raises ``Failure`` crashed where there is none."""
        environment = self.environment()
        try:
            program = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise Failure("crashed", f"{command[0]} does not start: {error.strerror}.") from None
        self._programs.append(program)
        return program

    def close(self) -> None:
        """End the programs that were started here, and a display of its own."""
        for process in (*self._programs, *reversed(self._servers)):
            _end(process)
        self._programs.clear()
        self._servers.clear()
        self._environment = {}
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        atexit.unregister(self.close)

    def _start(self) -> dict[str, str]:
        missing = [name for name in ("Xvfb", "dbus-daemon") if shutil.which(name) is None]
        if missing:
            raise Failure(
                "crashed",
                f"{' and '.join(missing)} cannot be found; `corvid doctor` tells how to get them, "
                "or name a display that is there.",
            )
        atexit.register(self.close)
        folder = self._folder = Path(tempfile.mkdtemp(prefix="corvid-desktop-"))
        (folder / "gtk-3.0").mkdir()
        (folder / "gtk-3.0" / "settings.ini").write_text(QUIET, "utf-8")
        known = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        environment = {
            **{k: v for k, v in os.environ.items() if k != "NO_AT_BRIDGE"},
            **SPEAKS,
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_DIRS": f"{folder}:{known}",
        }
        width, height = self._size
        # Without -r a key repeats itself where a busy machine holds it down too long.
        screen = ("-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-r", "-noreset")
        number = self._serve(("Xvfb", *screen, "-displayfd"), environment)
        environment["DISPLAY"] = f":{number}"
        bus = ("dbus-daemon", "--session", "--nofork", "--nosyslog", "--print-address")
        environment["DBUS_SESSION_BUS_ADDRESS"] = self._serve(bus, environment)
        return environment

    def _serve(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Start a server that tells where it listens, on the descriptor that its last option
        names. Raises ``Failure`` crashed."""
        read, write = os.pipe()
        with os.fdopen(read, "rb") as told:
            last = f"{command[-1]}={write}" if command[-1].startswith("--") else command[-1]
            number = () if last != command[-1] else (str(write),)
            server = subprocess.Popen(
                (*command[:-1], last, *number),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(write,),
                start_new_session=True,
            )
            os.close(write)
            self._servers.append(server)
            if line := told.readline().decode().strip():
                return line
        self.close()
        raise Failure("crashed", f"{command[0]} does not start; try it by hand.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    for way in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, way)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS)
            return
