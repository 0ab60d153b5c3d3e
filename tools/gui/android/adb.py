"""Commands to one Android device, through ``adb``."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence

from tools.gui.failures import Failure

PATIENCE = 25.0
"""Seconds that a command may take."""
TRIES = 3
"""Times that the tree is asked for: a screen that moves has none."""
PAUSE = 0.5
LOST = ("no devices", "device offline", "unauthorized", "not found", "more than one device")
"""What adb says where the device is the trouble."""


class Adb:
    """``serial`` chooses among several devices (``adb devices``); "" where there is one."""

    def __init__(self, serial: str, program: str) -> None:
        self._command = (program, *(("-s", serial) if serial else ()))

    def tree(self) -> str:
        """The XML of the screen. Raises ``Failure`` timeout where it never comes to rest."""
        said = ""
        for i in range(TRIES):
            if i:
                time.sleep(PAUSE)
            said = self._run("exec-out", "uiautomator", "dump", "/dev/tty").decode(
                "utf-8", "replace"
            )
            found = re.search(r"<hierarchy.*</hierarchy>", said, re.S)
            if found:
                return found[0]
        why = (said.strip().splitlines() or ["no answer"])[0][:160]
        raise Failure("timeout", f"the screen cannot be read ({why}). Wait, or press Back.")

    def png(self) -> bytes:
        """The file of a screenshot. Raises ``Failure`` failed where the screen may not be shown."""
        data = self._run("exec-out", "screencap", "-p")
        if not data.startswith(b"\x89PNG"):
            raise Failure("failed", "no screenshot could be taken (the screen may be protected).")
        return data

    def size(self) -> tuple[int, int]:
        """Width and height of the screen of a device that is held upright: what is drawn may be
        smaller, as a dialog is. Raises ``Failure`` failed where it is not told."""
        told = re.findall(r"(\d+)x(\d+)", self.shell("wm size"))
        if not told:
            raise Failure("failed", "the device does not tell how large its screen is (`wm size`).")
        width, height = told[-1]  # an override comes after what the hardware has
        return int(width), int(height)

    def shell(self, *lines: str) -> str:
        """Run lines in the device's shell; they come by a pipe, because other programs can read
        command lines. Raises ``Failure`` failed with what it complains of."""
        # As one group, so that none of the commands reads the lines after it as its input.
        script = "\n".join(("set -e", "{", *lines, "} </dev/null", ""))
        return self._run("shell", given=script.encode()).decode("utf-8", "replace")

    def _run(self, *arguments: str, given: bytes = b"") -> bytes:
        command: Sequence[str] = (*self._command, *arguments)
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("timeout", "the device does not answer; whether it took effect is not "
                          "known. Look at the screen before you repeat it.") from None  # fmt: skip
        except OSError:
            raise Failure(
                "crashed", f"{command[0]} cannot be started; `corvid doctor` tells how to get it."
            ) from None
        if done.returncode == 0:
            return done.stdout
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        why = (said.splitlines() or [f"status {done.returncode}"])[0][:160]
        if any(word in said for word in LOST):
            raise Failure("crashed", f"the device cannot be reached ({why}); see `adb devices`.")
        raise Failure("failed", f"the device refused: {why}")
