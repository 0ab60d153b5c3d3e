"""Stage 5, correction: sentences of which a claim was contradicted are put right (Woodpecker, arXiv
2310.16045, section 3.5).

Where words can stand in the place of others they do; what takes more, the model rewrites. In the
agent's loop the contradiction goes back to the model as an observation instead, since it may want
to use tools again; see ``agent.graph``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.verify.checks import Finding
from agent.verify.replacement import replaced
from mllm.backends.protocol import Session, generate_many
from mllm.claims import ClaimDraft, Failed, correction_messages
from mllm.content import Turn, Usage
from prompts import language

SENTENCE_TOKENS = 256
"""Most tokens of a corrected sentence."""

Wrong = Sequence[tuple[ClaimDraft, Finding]]
"""The claims of a sentence that do not hold, and what was found."""


@dataclass(frozen=True)
class Correction:
    """A sentence put right, with the white space that it had after it. ``true`` are the claims
    that took the places of the wrong ones; None where only the model knows what it wrote."""

    text: str
    true: tuple[ClaimDraft, ...] | None = None


def correct(
    sentences: Sequence[str], wrong: Sequence[Wrong], session: Session
) -> tuple[list[Correction | None], Usage]:
    """Each sentence put right, and what that cost. None stands for one without wrong claims, and
    where the model fails or changes nothing. Raises ``ModelError``."""
    out = [_edited(said, some) for said, some in zip(sentences, wrong, strict=True)]
    left = [i for i, some in enumerate(wrong) if some and out[i] is None]
    turns = generate_many(
        session,
        [
            correction_messages(sentences[i].rstrip(), _failed(wrong[i]), language(sentences[i]))
            for i in left
        ],
        max_tokens=SENTENCE_TOKENS,
    )
    for i, turn in zip(left, turns, strict=True):
        bare = sentences[i].rstrip()
        new = turn.text.strip() if isinstance(turn, Turn) else ""
        if new and new != bare:
            out[i] = Correction(new + sentences[i][len(bare) :])
    return out, sum((t.usage for t in turns if isinstance(t, Turn)), Usage())


def _edited(said: str, wrong: Wrong) -> Correction | None:
    """The sentence with every wrong claim replaced; None where one cannot be, or none is."""
    true, text = tuple(finding.instead for _, finding in wrong), said.rstrip()
    for (draft, _), right in zip(wrong, true, strict=True):
        text = replaced(text, draft, right) if right else ""
    if not wrong or not text:
        return None
    return Correction(text + said[len(said.rstrip()) :], tuple(one for one in true if one))


def _failed(wrong: Wrong) -> list[Failed]:
    """The claims as the model is told of them, and as they would hold where that is known."""
    return [
        Failed(draft.phrase(), found.instead.phrase() if found.instead else found.found)
        for draft, found in wrong
    ]
