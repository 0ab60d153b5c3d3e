"""What a run gives back: the answer, its claims with their evidence, the steps, the run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SerializeAsAny, model_serializer

from mllm.claims import ClaimKind, Statement
from mllm.content import Box, Usage, Value
from mllm.episode import Step

Verdict = Literal["supported", "corrected", "unsupported", "contradicted"]
"""``contradicted`` is the verifier's word inside the loop; a result holds the other three."""


class Evidence(Value):
    """Where in an artifact a claim can be seen to hold, and which expert saw it."""

    id: str = Field(description="unique in the run: e1, e2, ...")
    artifact: str = Field(description="id of the artifact, such as img1")
    tool: str = Field(description="the expert, such as detect")
    box: Box | None = Field(default=None, description="pixels of the artifact")
    span: tuple[float, float] | None = Field(default=None, description="seconds of the media")
    element: str | None = Field(default=None, description="an element of a page")
    score: float | None = Field(default=None, description="the expert's confidence, 0 to 1")


class Claim(Statement):
    """A statement of the answer with what the experts say of it. One of the kind "state" says
    what an interface shows: of ``object``, an element, or of the page."""

    kind: ClaimKind | Literal["state"]
    id: str = Field(description="unique in the run: c1, c2, ...")
    text: str = Field(description="the claim in words, in the language of the answer")
    verdict: Verdict
    was: str = Field(default="", description="the claim that a corrected one took the place of")
    found: str = Field(default="", description="what the experts found, in words")
    evidence: tuple[Evidence, ...] = ()


class Run(Value):
    """A run folder. In JSON it is the path of the folder."""

    id: str
    folder: Path

    def report(self) -> Path:
        """Write a self-contained HTML report into the folder and return its path."""
        from agent.report import write

        return write(self.folder)

    @model_serializer
    def _path(self) -> str:
        return str(self.folder)


class Questions(Value):
    """What a verifier asked about every picture of an answer: ``labels`` of the detector, ``words``
    (whether any) of the reader, who is also asked where the detector is in doubt, ``looks`` of the
    model's own eyes. Each once, however many claims need it. ``unread`` are the sentences that the
    model could not take apart into claims: nothing was asked about them, whatever they say."""

    labels: tuple[str, ...] = ()
    words: bool = False
    looks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Result(Value):
    """What ``Agent.run`` returns."""

    answer: str | SerializeAsAny[BaseModel] = Field(
        description="in the language of the task, or an instance of ``output_type``"
    )
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = Field(default=(), description="of all claims, each once")
    steps: tuple[Step, ...] = ()
    run: Run
    seconds: float = Field(description="time at work, pauses between resumes left out")
    tokens: Usage = Usage()
