"""Expert tools and the protocol that they follow. Names load at first use (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.annotate import Annotate as Annotate
    from tools.calculate import Calculate as Calculate
    from tools.crop import Crop as Crop
    from tools.crop import Zoom as Zoom
    from tools.detect import Detect as Detect
    from tools.gui.android.android import Android as Android
    from tools.gui.browser import Browser as Browser
    from tools.gui.desktop.desktop import Desktop as Desktop
    from tools.look import Look as Look
    from tools.protocol import Audio as Audio
    from tools.protocol import Document as Document
    from tools.protocol import Image as Image
    from tools.protocol import Picture as Picture
    from tools.protocol import Tool as Tool
    from tools.protocol import ToolContext as ToolContext
    from tools.protocol import ToolError as ToolError
    from tools.protocol import Video as Video
    from tools.protocol import tool as tool
    from tools.read_text import ReadText as ReadText
    from tools.select import Select as Select

_HOME = {
    "Audio": "protocol",
    "Document": "protocol",
    "Image": "protocol",
    "Picture": "protocol",
    "Tool": "protocol",
    "ToolContext": "protocol",
    "ToolError": "protocol",
    "Video": "protocol",
    "tool": "protocol",
    "Android": "gui.android.android",
    "Annotate": "annotate",
    "Browser": "gui.browser",
    "Calculate": "calculate",
    "Crop": "crop",
    "Desktop": "gui.desktop.desktop",
    "Detect": "detect",
    "Look": "look",
    "ReadText": "read_text",
    "Select": "select",
    "Zoom": "crop",
}

__all__ = [*_HOME, "default_tools"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tools' has no attribute {name!r}")
    return getattr(import_module(f"tools.{_HOME[name]}"), name)


def default_tools() -> list[Tool]:
    """What an agent has when nothing else is asked for. Weights load at the first call."""
    names = ("Detect", "ReadText", "Select", "Calculate", "Look", "Crop", "Annotate")
    return [__getattr__(name)() for name in names]
