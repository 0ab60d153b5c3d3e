"""Boxes drawn on the pictures of a run: observations, and the evidence of claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.report.pictures import data_uri
from agent.report.view import TONES, Found, Mark, Picture, Row, Scene
from agent.result import Claim
from agent.store import MediaStore
from mllm.content import Artifact, Box, Boxes, Record
from tools.protocol import SCREENSHOT

MAX_ROWS = 40
"""Boxes listed one by one beside a picture; the rest is only drawn and counted."""


@dataclass
class Drawing:
    """The pictures of one run. A picture that the store lost is left out, not fatal."""

    media: MediaStore
    key: str
    _artifacts: dict[str, Artifact] = field(default_factory=dict)
    _pictures: dict[str, Picture | None] = field(default_factory=dict)
    _screen: Artifact | None = None
    _sets: int = 0

    def know(self, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            self._artifacts[artifact.id] = artifact
            if artifact.kind == "image" and artifact.id.startswith(SCREENSHOT):
                self._screen = artifact

    def aimed(self, records: Iterable[Record]) -> tuple[Scene, ...]:
        """The last screenshot with what was acted on, and what came of it: a deed of a browser has
        a ``place`` there (``tools.gui.deeds``)."""
        deeds = [record.data for record in records if record.data.get("place")]
        if not deeds or self._screen is None or (picture := self.picture(self._screen)) is None:
            return ()
        marks = []
        for tone, deed in enumerate(deeds):
            x0, y0, x1, y1 = deed["place"]
            box = Box(
                artifact=picture.id,
                width=picture.width,
                height=picture.height,
                x0=x0,
                y0=y0,
                x1=x1,
                y1=y1,
            )
            words = f"{deed['action']['name']}: {deed['verdict']}"
            marks.append(_mark(box, tone % TONES, "", words))
        return (Scene(picture, tuple(marks)),)

    def picture(self, artifact: Artifact) -> Picture | None:
        """The embedded picture, or None when there is none to show."""
        if artifact.kind != "image":
            return None
        if artifact.id not in self._pictures:
            self._pictures[artifact.id] = self._embed(artifact)
        return self._pictures[artifact.id]

    def found(self, boxes: Boxes) -> Found:
        """An observation: the boxes on their picture and as rows, linked to each other."""
        self._sets += 1
        tones = _tones(boxes.boxes)
        marks, rows = [], []
        for number, box in enumerate(boxes.boxes, 1):
            link = f"{self.key}-set{self._sets}-{number}"
            marks.append(_mark(box, tones[box.label], link, str(number)))
            rows.append(_row(box, tones[box.label], link, number))
        picture = self._known(boxes.artifact)
        return Found(
            id=boxes.id,
            headline=boxes.words().partition("\n")[0].partition(": ")[2],
            scene=Scene(picture, tuple(marks)) if picture and marks else None,
            rows=tuple(rows[:MAX_ROWS]),
            more=max(0, len(rows) - MAX_ROWS),
        )

    def evidence(self, inputs: Sequence[Artifact], claims: Sequence[Claim]) -> tuple[Scene, ...]:
        """The task's pictures, then others that carry evidence, with the evidence drawn in."""
        links: dict[str, dict[Box, list[str]]] = {a.id: {} for a in inputs}
        for claim in claims:
            for evidence in claim.evidence:
                if evidence.box is not None:
                    here = links.setdefault(evidence.artifact, {})
                    here.setdefault(evidence.box, []).append(f"{self.key}-{claim.id}")
        scenes = []
        for id, here in links.items():
            picture = self._known(id)
            if picture is not None:
                tones = _tones(here)
                marks = [
                    _mark(box, tones[box.label], " ".join(keys), box.text or box.label or "")
                    for box, keys in here.items()
                ]
                scenes.append(Scene(picture, tuple(marks)))
        return tuple(scenes)

    def _known(self, id: str) -> Picture | None:
        artifact = self._artifacts.get(id)
        return self.picture(artifact) if artifact else None

    def _embed(self, artifact: Artifact) -> Picture | None:
        try:
            data = data_uri(artifact, self.media)
        except OSError:
            return None
        return Picture(
            key=f"m-{artifact.sha256[:16]}",
            id=artifact.id,
            width=artifact.width or 1,
            height=artifact.height or 1,
            origin=artifact.origin,
            data=data,
        )


def _tones(boxes: Iterable[Box]) -> dict[str | None, int]:
    """A colour for each label, in order of appearance."""
    labels = dict.fromkeys(box.label for box in boxes)
    return {label: i % TONES for i, label in enumerate(labels)}


def _mark(box: Box, tone: int, links: str, caption: str) -> Mark:
    return Mark(
        x=round(box.x0, 1),
        y=round(box.y0, 1),
        width=round(box.x1 - box.x0, 1),
        height=round(box.y1 - box.y0, 1),
        left=_percent(box.x0, box.width),
        right=_percent(box.x1, box.width),
        top=_percent(box.y0, box.height),
        caption=caption,
        tone=tone,
        links=links,
    )


def _row(box: Box, tone: int, link: str, number: int) -> Row:
    return Row(
        number=number,
        label=box.label or "",
        color=box.color or "",
        text=box.text,
        score="" if box.score is None else f"{box.score:.2f}",
        where=f"{box.x0:.0f}, {box.y0:.0f} – {box.x1:.0f}, {box.y1:.0f}",
        tone=tone,
        link=link,
    )


def _percent(pixels: float, size: int) -> float:
    return round(min(max(100 * pixels / size, 0), 100), 2)
