"""What this machine has of what Corvid can use, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Never

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Names under which Chromium is installed, the preferred one first."""

AT_SPI = (
    "/usr/libexec/at-spi-bus-launcher",
    "/usr/lib/at-spi2-core/at-spi-bus-launcher",
    "/usr/lib/at-spi-bus-launcher",
)
"""Where distributions put the accessibility bus, which is not on the path."""

ENOUGH_MEMORY = 4.0
"""GiB that nano with its experts needs to run without swapping."""


@dataclass(frozen=True)
class Finding:
    """One thing looked for. ``found`` is empty when it is missing; ``get`` says how to get it."""

    name: str
    use: str
    found: str
    get: str = ""

    @property
    def missing(self) -> bool:
        return not self.found


@dataclass(frozen=True)
class _Library:
    distribution: str
    use: str
    extra: str


_LIBRARIES = (
    _Library("langgraph", "the loop", ""),
    _Library("langchain-openai", "remote models (openai:NAME@URL)", ""),
    _Library("torch", "local models", "local"),
    _Library("transformers", "local models", "local"),
    _Library("llguidance", "tool calls that are always well formed", "local"),
    _Library("ultralytics", "the detector", "vision"),
    _Library("rapidocr-onnxruntime", "reading text", "vision"),
    _Library("matplotlib", "loss plots of training", "train"),
    _Library("playwright", "driving a browser", "gui"),
    _Library("jeepney", "using a desktop", "desktop"),
    _Library("miniwob", "the pages of MiniWoB++", "miniwob"),
    _Library("openai-whisper", "listening", "speech"),
    _Library("diffusers", "painting", "generate"),
)


def examine() -> Iterator[Finding]:
    """Look at everything, cheap things first. The last findings load the shipped weights."""
    yield _python()
    yield _processor()
    yield _memory()
    yield from map(_library, _LIBRARIES)
    yield _accelerator()
    yield _program("Chromium", CHROMIUM, "web pages", "apt install chromium")
    yield _program("xdotool", ("xdotool",), "desktops", "apt install xdotool")
    yield _program("Xvfb", ("Xvfb",), "desktops of their own", "apt install xvfb dbus")
    yield _at_spi()
    yield _program("adb", ("adb",), "Android devices", "apt install adb")
    yield _program("espeak-ng", ("espeak-ng",), "speech data", "apt install espeak-ng")
    yield _loads("nano", "the controller that decides", _load_nano)
    yield _loads("nano detector", "finding objects", _load_detector)
    yield _loads("text reader", "reading text in pictures", _load_reader)


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("Python", "everything", found if ok else "", "install Python 3.11 or newer")


def _processor() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("Processor", "local models", f"{count} cores")


def _memory() -> Finding:
    try:
        gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):  # not every system says
        return Finding("Memory", "local models", "unknown")
    found = f"{gib:.1f} GiB"
    ok = gib >= ENOUGH_MEMORY
    advice = f"{found} is little: nano and its experts want {ENOUGH_MEMORY:.0f} GiB"
    return Finding("Memory", "local models", found if ok else "", advice)


def _library(library: _Library) -> Finding:
    package = f"corvid-agent[{library.extra}]" if library.extra else "corvid-agent"
    try:
        found = version(library.distribution)
    except PackageNotFoundError:
        found = ""
    return Finding(library.distribution, library.use, found, f"pip install '{package}'")


def _accelerator() -> Finding:
    name, use = "GPU", "faster local models (the CPU is enough for nano)"
    try:
        import torch
    except ImportError:
        return Finding(name, use, "", "pip install 'corvid-agent[local]', on a machine with one")
    if torch.cuda.is_available():
        return Finding(name, use, torch.cuda.get_device_name(0))
    if torch.backends.mps.is_available():
        return Finding(name, use, "Apple MPS")
    return Finding(name, use, "none, and none is needed")


def _program(name: str, commands: tuple[str, ...], use: str, get: str) -> Finding:
    path = next(filter(None, map(shutil.which, commands)), "")
    return Finding(name, use, path or "", get)


def _at_spi() -> Finding:
    path = next(filter(os.path.exists, AT_SPI), "")
    get = "apt install at-spi2-core (reading desktops from pixels does without)"
    return Finding("AT-SPI", "what desktops say of themselves", path, get)


def _loads(name: str, use: str, load: Callable[[], str]) -> Finding:
    # Weights come from outside as far as this check is concerned: whatever goes wrong while
    # they load is the finding.
    try:
        return Finding(name, use, load())
    except Exception as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
        return Finding(name, use, "", f"does not load: {sentence}")


def _load_nano() -> str:
    from mllm.backends import load
    from mllm.backends.protocol import generate
    from mllm.content import Artifact, Message, Text

    class NoMedia:
        def image(self, artifact: Artifact) -> Never:
            raise FileNotFoundError(artifact.id)

    session = load("nano").session(NoMedia())
    try:
        generate(session, [Message(role="user", content=(Text(text="Hello"),))], max_tokens=1)
    finally:
        session.close()
    return "loads and speaks"


def _load_detector() -> str:
    from mllm.yolo import NANO, Detector

    return f"loads, knows {len(Detector(NANO).names)} kinds of objects"


def _load_reader() -> str:
    from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-untyped]

    RapidOCR()
    return "loads"
