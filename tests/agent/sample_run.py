"""A recorded run, written by hand: two tools in sequence, an error on the way, one correction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from agent import events as ev
from agent import log, media, store
from agent.budget import Budget
from agent.result import Claim, Evidence
from mllm.content import Artifact, Box, Boxes, Text, ToolCall, ToolResult, Usage

TASK = "How many cell phones are right of the yellow bus?"
ANSWER = "There are two cell phones right of the yellow bus."


def picture() -> Image.Image:
    """256 x 256 pixels: three phones and a bus, as far as rectangles go."""
    image = Image.new("RGB", (256, 256), "#c79adb")
    draw = ImageDraw.Draw(image)
    for corners in ((180, 153, 213, 199), (218, 167, 250, 212), (30, 141, 57, 181)):
        draw.rectangle(corners, fill="#39a0ed", outline="#222222", width=4)
    draw.rectangle((105, 152, 180, 208), fill="#e8c31b", outline="#222222", width=3)
    return image


def write_run(
    runs: Path,
    image: media.Source,
    events: Sequence[ev.Event] | None = None,
    *,
    id: str = "20261121-003100-0001",
    task: str = TASK,
    answer: str = ANSWER,
    lang: str = "en",
) -> Path:
    """A run folder with that record (the whole sample without ``events``)."""
    loaded = media.load_image(image)
    artifact = loaded.artifact.model_copy(update={"id": "img1"})
    info = store.RunInfo(
        id=id, created=1795221060.0, task=task, lang=lang, model="nano",
        tools=("detect", "read_text", "select"), inputs=(artifact,), budget=Budget(), verify=True,
    )  # fmt: skip
    run = store.create(runs, info, [loaded])
    record = log.Log(run.folder)
    for event in events if events is not None else sample_events(artifact, task, answer, lang):
        record.append(event)
    record.close()
    return run.folder


def sample_events(
    image: Artifact, task: str = TASK, answer: str = ANSWER, lang: str = "en"
) -> list[ev.Event]:
    """Events of a whole run about ``image`` (256 x 256, id img1)."""

    def box(
        label: str, color: str | None, x0: float, y0: float, x1: float, y1: float, score: float
    ) -> Box:
        return Box(
            artifact=image.id, width=256, height=256, x0=x0, y0=y0, x1=x1, y1=y1,
            label=label, color=color, score=score,
        )  # fmt: skip

    bus = box("bus", "yellow", 105, 152, 180, 208, 0.94)
    phones = (
        box("cell phone", "blue", 180, 153, 213, 199, 0.91),
        box("cell phone", "blue", 218, 167, 250, 212, 0.88),
        box("cell phone", "blue", 30, 141, 57, 181, 0.86),
    )
    detect = ToolCall(
        id="call1", name="detect", arguments={"image": "img1", "labels": ["cell phone", "bus"]}
    )
    read = ToolCall(id="call2", name="read_text", arguments={"image": "img9"})
    select = ToolCall(
        id="call3",
        name="select",
        arguments={"boxes": "boxes1", "label": "cell phone", "relation": "right of", "of": "bus"},
    )
    found = Boxes(id="boxes1", artifact="img1", boxes=(*phones, bus))
    chosen = Boxes(id="boxes2", artifact="img1", boxes=phones[:2])
    claim = Claim(
        id="c1", kind="count", object="cell phone", relation="right of", of="bus", value="2",
        text="Two cell phones are right of the bus.", verdict="supported",
        found="2 cell phone right of bus",
        evidence=tuple(
            Evidence(id=f"e{i}", artifact="img1", tool="detect", box=b, score=b.score)
            for i, b in enumerate(phones[:2], 1)
        ),
    )  # fmt: skip
    color = Claim(
        id="c2", kind="attribute", object="bus", value="yellow", text="The bus is yellow.",
        verdict="corrected", found="yellow",
        evidence=(Evidence(id="e3", artifact="img1", tool="detect", box=bus, score=bus.score),),
    )  # fmt: skip
    sign = Claim(
        id="c3", kind="text", object="sign", value="EXIT", text="A sign says EXIT.",
        verdict="unsupported", found="no text",
    )  # fmt: skip
    use = Usage(input=612, cached=480, output=31)
    return [
        ev.RunStarted(
            run="20261121-0031-sample", folder="runs/20261121-0031-sample", task=task, lang=lang,
            model="nano", tools=("detect", "read_text", "select"), elapsed=0.0,
        ),
        ev.Perceived(artifacts=(image,), elapsed=0.01),
        ev.Planned(plan="Detect phones and the bus, keep those right of it, count.", usage=use,
                   seconds=0.2, elapsed=0.2),
        ev.Decided(step=1, thought="I need both kinds of object.", calls=(detect, read), usage=use,
                   seconds=0.31, elapsed=0.5),
        ev.Called(step=1, call=detect, elapsed=0.5),
        ev.Called(step=1, call=read, elapsed=0.5),
        ev.Observed(step=1, elapsed=0.6, seconds=0.02, result=ToolResult(
            call_id="call2", name="read_text", error=True,
            content=(Text(text="There is no image img9; known images: img1"),))),
        ev.Observed(step=1, elapsed=0.7, seconds=0.14, result=ToolResult(
            call_id="call1", name="detect", content=(found,))),
        ev.StepDone(step=1, note="Budget left: 11 steps", seconds=0.5, elapsed=0.8),
        ev.Decided(step=2, thought="", calls=(select,), usage=use, seconds=0.2, elapsed=1.0),
        ev.Called(step=2, call=select, elapsed=1.0),
        ev.Observed(step=2, elapsed=1.1, seconds=0.001, result=ToolResult(
            call_id="call3", name="select", content=(chosen,))),
        ev.StepDone(step=2, note="", seconds=0.3, elapsed=1.1),
        ev.Decided(step=3, thought=answer, usage=use, seconds=0.22, elapsed=1.4),
        ev.Verified(
            step=3, answer=answer, claims=(claim, color, sign), usage=use, seconds=0.4, elapsed=1.8
        ),
        ev.Answered(step=3, answer=answer, claims=(claim, color, sign),
                    tokens=Usage(input=3060, cached=2400, output=155), elapsed=1.8),
    ]  # fmt: skip
