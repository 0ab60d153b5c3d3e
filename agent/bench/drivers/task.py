"""What every driver does alike: take a picture a step, keep the time, print the line."""

from __future__ import annotations

import io
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

TASK = "Take screenshots until the page is done, then say: done."
TOOL = "screenshot"
DESCRIPTION = "Take a screenshot of the page."
WARM_UP = 2
"""Steps of a first run that is not measured: lazy imports, templates, the first connection."""

_SIZE = (1280, 720)
_NOISE = (180, 150)
"""Pixels that do not compress, three bytes each: they make the file's size."""


class Camera:
    """Screenshots of about 120 KB, no two alike, and what they cost."""

    def __init__(self, steps: int, seed: int) -> None:
        self.steps = steps
        self.taken = 0
        self.bytes = 0
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self._random = random.Random(f"{seed} {steps}")
        self._page = Image.new("RGB", _SIZE, "white")
        draw = ImageDraw.Draw(self._page)
        draw.rectangle((0, 0, _SIZE[0], 56), fill="#1f3a5f")
        for row in range(12):
            y = 90 + row * 50
            draw.rectangle((40, y, 300, y + 30), outline="#888888")
            draw.text((330, y + 8), f"Row {row}: a line of text on the page", fill="black")

    def shoot(self) -> bytes:
        """A new screenshot as a PNG file."""
        start, cpu = time.perf_counter(), time.thread_time()
        width, height = _NOISE
        noise = Image.frombytes("RGB", _NOISE, self._random.randbytes(3 * width * height))
        page = self._page.copy()
        page.paste(noise, (700, 100 + self.taken % 400))
        out = io.BytesIO()
        page.save(out, "PNG", compress_level=1)
        data = out.getvalue()
        self.taken += 1
        self.bytes += len(data)
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.thread_time() - cpu
        return data

    @property
    def done(self) -> bool:
        return self.taken >= self.steps


Drive = Callable[[Camera, Path], int]
"""Runs a system to the end of the task, with a folder for what it keeps. Returns the bytes that
its model's interface was handed."""


def main(drive: Drive) -> None:
    """``python -m drivers.NAME STEPS SEED``: measure and print one line of JSON."""
    steps, seed = (int(argument) for argument in sys.argv[1:3])
    warm = Path("warm-up")
    warm.mkdir()
    drive(Camera(WARM_UP, seed), warm)
    camera, folder = Camera(steps, seed), Path("run")
    folder.mkdir()
    start, cpu = time.perf_counter(), time.process_time()
    sent = drive(camera, folder)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert camera.taken == steps, f"{camera.taken} of {steps} steps were made"
    print(
        json.dumps(
            {
                "ms_step": 1000 * seconds / steps,
                "overhead_ms": 1000 * (seconds - camera.seconds) / steps,
                "overhead_cpu_ms": 1000 * (cpu - camera.cpu_seconds) / steps,
                "rss_mb": _peak() / 2**20,
                "sent_bytes": sent,
                "image_bytes": camera.bytes,
                "stored_bytes": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
            }
        )
    )


def _peak() -> int:
    """Bytes: the largest resident size of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
