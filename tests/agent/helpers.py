"""Small real tools, deterministic models and child processes for the tests of the loop."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PILImage

from mllm.backends.scripted import Scripted
from mllm.content import Box, Boxes, MediaReader, Message, ToolCall, Turn
from tools import Image, Picture, tool


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(id="x", name=name, arguments=arguments)


def calls(*made: ToolCall, thought: str = "") -> Turn:
    return Turn(text=thought, calls=made)


def white(width: int = 64, height: int = 48) -> PILImage.Image:
    return PILImage.new("RGB", (width, height), "white")


@tool
def find(image: Image) -> Boxes:
    """Find cups.

    Args:
        image: Where to look.
    """
    a = image.artifact
    assert a.width is not None and a.height is not None
    box = Box(
        artifact=a.id, width=a.width, height=a.height, x0=2, y0=3, x1=12, y1=13, label="cup"
    )
    return Boxes(artifact=a.id, boxes=(box, box.model_copy(update={"x0": 4.0})))


@tool
def cut(image: Image, region: Boxes) -> Picture:
    """Cut a region out.

    Args:
        image: The picture.
        region: What to cut out.
    """
    box = region.boxes[0]
    part = image.pil().crop((int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
    return Picture(part, image.artifact.id, "crop")


@tool
def double(number: int) -> int:
    """Twice a number.

    Args:
        number: The number.
    """
    return 2 * number


def after(steps: Sequence[Turn | str]) -> Scripted:
    """A model without memory: what it says depends only on how many steps it is shown, so a
    resumed run meets the model that it had. The plan comes on top."""

    def say(messages: Sequence[Message]) -> Turn | str:
        if messages[-1].words().startswith("Plan"):
            return "Step by step."
        done = sum(bool(m.calls) for m in messages)
        return steps[min(done, len(steps) - 1)]

    return Scripted([say] * 1000)


def in_child(
    work: Callable[[], Any],
    *,
    kill_after: float | None = None,
    with_signal: signal.Signals = signal.SIGKILL,
    ready: Callable[[], bool] = lambda: True,
) -> tuple[int, Any]:
    """Do ``work`` in a forked process, give it ``with_signal`` so many seconds after ``ready``,
    and return its exit status (negative: the signal that ended it) and what it returned."""
    out, back = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.write(back, json.dumps(work()).encode())
            status = 0
        except KeyboardInterrupt:
            status = 130
        except BaseException as error:
            os.write(back, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(status)
    os.close(back)
    if kill_after is not None:
        give_up = time.monotonic() + 30
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while not ready() and time.monotonic() < give_up:
            if os.waitid(os.P_PID, pid, ended) is not None:
                break
            time.sleep(0.001)
        time.sleep(kill_after)
        os.kill(pid, with_signal)
    with os.fdopen(out, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, json.loads(said) if said else None


class Sleepy:
    """A model that never comes back."""

    name = "sleepy"

    def session(self, media: MediaReader) -> Sleepy:
        return self

    def stream(self, *args: Any, **options: Any) -> Iterator[str | Turn]:
        yield "Well"
        time.sleep(60)
        yield Turn(text="Well")

    def close(self) -> None:
        pass


def only_run(runs: Path) -> Path:
    """The one run folder in ``runs``."""
    (folder,) = (path.parent for path in runs.glob("*/run.json"))
    return folder
