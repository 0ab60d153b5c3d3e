"""What an answer claims about a picture, in a form that experts can check.

A claim names an object, what narrows it down (colour, relation to another object) and a value.
The model takes an answer apart into drafts (Woodpecker's key concepts and visual claims, arXiv
2310.16045, section 3); the verifier, a floor above, checks each draft against experts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mllm.content import Message, Text
from mllm.geometry import Relation
from prompts import render

ClaimKind = Literal["existence", "count", "attribute", "relation", "text"]
Comparison = Literal["more than", "fewer than", "as many as"]
"""Between the numbers of two kinds of objects."""
ClaimRelation = Relation | Comparison | Literal[""]


class Statement(BaseModel):
    """What is said of ``object``, or of nothing in particular."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    object: str
    color: str = ""
    relation: ClaimRelation = ""
    of: str = ""
    value: str

    def phrase(self) -> str:
        """In a few words: ``3 red cups left of laptop``, ``cup: no``, ``cup: red``."""
        thing = " ".join(w for w in (self.color, self.object, self.relation, self.of) if w)
        if self.kind == "count":
            return f"{self.value} {thing}"
        return f"{thing}: {self.value}".removeprefix(": ")


class ClaimDraft(Statement):
    """One checkable statement about a picture.

    - existence: ``value`` yes or no (``object`` "sign", say, stands in the picture or not)
    - count: ``value`` a number
    - attribute: ``value`` the colour or other property of ``object``
    - relation: ``object`` ``relation`` ``of``, with ``value`` yes or no; relations are those of
      ``mllm.geometry`` and comparisons of numbers
    - text: ``value`` the words printed in the picture (on ``object``, where one is named)
    """

    kind: ClaimKind

    def words(self) -> dict[str, str]:
        """Only what is set, in schema order: what the model writes."""
        return {k: v for k, v in self.model_dump().items() if v or k in ("object", "value")}


DRAFTS: TypeAdapter[list[ClaimDraft]] = TypeAdapter(list[ClaimDraft])


def claims_schema() -> dict[str, Any]:
    """The JSON schema of a list of drafts, for constrained decoding."""
    return DRAFTS.json_schema()


def claims_messages(question: str, answer: str, lang: str) -> list[Message]:
    """The conversation that takes ``answer`` apart. It holds no picture: a claim is what the
    text says, whatever the picture shows."""
    task = render("verify/claims_task", lang, question=question, answer=answer)
    return [
        Message(role="system", content=(Text(text=render("verify/claims", lang)),)),
        Message(role="user", content=(Text(text=task),)),
    ]


@dataclass(frozen=True)
class Failed:
    """A claim that a check contradicted, and what was found instead, both in a few words."""

    claim: str
    found: str


def correction_messages(sentence: str, findings: Sequence[Failed], lang: str) -> list[Message]:
    """The conversation that corrects one sentence of an answer (Woodpecker, section 3.5)."""
    task = render("verify/correct_task", lang, sentence=sentence, findings=findings)
    return [
        Message(role="system", content=(Text(text=render("verify/correct", lang)),)),
        Message(role="user", content=(Text(text=task),)),
    ]


def parse_claims(text: str) -> list[ClaimDraft]:
    """The drafts in a model's reply, without those that relate a thing to itself, which say
    nothing. Raises ``ValueError`` when it is not a list of drafts."""
    try:
        return [d for d in DRAFTS.validate_json(text) if not d.of or d.object != d.of]
    except ValidationError as error:
        raise ValueError(f"not a list of claims: {error.errors()[0]['msg']}") from error
