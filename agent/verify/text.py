"""Text from any source against pictures: what of it holds, and the text put right.

    verified = verify("Two cups stand left of the laptop.", images=["desk.png"])
    verified.answer, verified.claims

The five stages, each for all sentences at once: the model says what every sentence claims, the
experts look once per picture for everything that is claimed, and the model rewrites only the
sentences of which a claim was contradicted. What it wrote is checked again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from agent import media
from agent.context import RunContext
from agent.errors import InputError
from agent.result import Claim, Evidence
from agent.store import MediaStore
from agent.transcript import Transcript, merged
from agent.verify.concepts import concepts
from agent.verify.correction import correct
from agent.verify.findings import Finding, judge, weigh
from agent.verify.questions import questions
from agent.verify.sentences import sentences
from agent.verify.validation import Experts
from mllm.backends.protocol import Backend, Session
from mllm.claims import ClaimDraft, Failed
from mllm.content import Artifact, Usage, Value
from prompts import language
from tools.pool import default_pool
from tools.protocol import Tool

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class Sentence(Value):
    """A sentence as it was, as it is now, and its claims with their verdicts.

    A contradicted claim that the correction took the place of stays in ``claims``.
    """

    said: str
    text: str
    claims: tuple[Claim, ...] = ()
    unread: bool = Field(
        default=False, description="the model could not say what it claims: it was not checked"
    )


class VerifiedAnswer(Value):
    """What ``verify`` returns."""

    answer: str = Field(description="the text with its contradicted sentences corrected")
    sentences: tuple[Sentence, ...]
    claims: tuple[Claim, ...] = Field(description="of the corrected text, in order")
    evidence: tuple[Evidence, ...] = Field(description="of the claims, each once")
    tokens: Usage = Usage()


def verify(
    text: str,
    images: Sequence[media.Source],
    *,
    model: str | Backend | BaseChatModel = "nano",
    tools: Sequence[Tool] | None = None,
) -> VerifiedAnswer:
    """Check ``text``, English or Chinese, against pictures; ``tools`` are the experts, those of
    ``tools.default_tools`` unless given.

    A claim of the result is "supported", "corrected", or "unsupported" when no expert could tell
    or no correction was found that holds. Raises ``InputError`` without text or pictures and for
    a picture that cannot be read, ``ModelError`` for a model that cannot be used.
    """
    if not text.strip():
        raise InputError("There is no text to verify: give some.")
    if not images:
        raise InputError("There is no picture to verify the text against: give at least one.")
    from mllm.backends import load
    from tools import default_tools

    loaded = [media.load_image(source).named(f"img{i}") for i, source in enumerate(images, 1)]
    backend = load(model)
    with tempfile.TemporaryDirectory(prefix="corvid-verify-") as folder:
        store = MediaStore(Path(folder))
        (store.folder / "media").mkdir()
        for one in loaded:
            store.put(one.data, one.artifact.sha256, one.suffix)
        shown = tuple(one.artifact for one in loaded)
        known = Transcript("", language(text), "", shown, artifacts={a.id: a for a in shown})
        given = {t.name: t for t in (default_tools() if tools is None else tools)}
        context = RunContext(store, backend, default_pool(), known)
        experts = Experts(context, given.get("detect"), given.get("read_text"), given.get("look"))
        session = backend.session(store)
        try:
            return _Check(text, shown, session, experts).result()
        finally:
            session.close()


_Weighed = list[tuple[ClaimDraft, Finding]] | None
"""The claims of a text; None where the model could not take it apart."""


@dataclass
class _Check:
    text: str
    images: Sequence[Artifact]
    session: Session
    experts: Experts
    usage: Usage = Usage()
    _ids: count[int] = field(default_factory=lambda: count(1))
    _evidence: int = 0

    def result(self) -> VerifiedAnswer:
        said = sentences(self.text)
        first = self._weighed(said)
        new = self._corrected(said, first)
        second = self._weighed(new)
        done = [self._sentence(*one) for one in zip(said, first, new, second, strict=True)]
        claims = [c for one in done for c in one.claims if c.verdict != "contradicted"]
        evidence = {e.id: e for claim in claims for e in claim.evidence}
        return VerifiedAnswer(
            answer="".join(one.text for one in done),
            sentences=tuple(done),
            claims=tuple(claims),
            evidence=tuple(evidence.values()),
            tokens=self.usage,
        )

    def _weighed(self, texts: Sequence[str]) -> list[_Weighed]:
        """What the experts say of the claims of each text."""
        taken, usage = concepts("", texts, self.session)
        self.usage += usage
        self.experts.answer(self.images, questions([d for some in taken for d in some or ()]))
        return [
            None if some is None else [(d, weigh(d, self.images, self.experts)) for d in some]
            for some in taken
        ]

    def _corrected(self, said: Sequence[str], weighed: Sequence[_Weighed]) -> list[str]:
        """The sentences of which a claim was contradicted, rewritten; nothing for the others."""
        failed = [
            [Failed(d.phrase(), found.found) for d, found in some or () if found.holds is False]
            for some in weighed
        ]
        new, usage = correct(said, failed, self.session)
        self.usage += usage
        return new

    def _sentence(self, said: str, first: _Weighed, new: str, second: _Weighed) -> Sentence:
        """The sentence, as ``new`` if that holds."""
        claims = self._judged(first or ())
        wrong = [c for c in claims if c.verdict == "contradicted"]
        if not wrong:
            return Sentence(said=said, text=said, claims=claims, unread=first is None)
        again = self._judged(second or ())
        # What could not be checked before need not be now; what is wrong or newly open must not be.
        opened = {c.text for c in claims if c.verdict == "unsupported"}
        if not again or any(c.verdict != "supported" and c.text not in opened for c in again):
            return Sentence(said=said, text=said, claims=merged((), claims))
        return Sentence(said=said, text=new, claims=(*wrong, *merged(claims, again)))

    def _judged(self, weighed: Sequence[tuple[ClaimDraft, Finding]]) -> tuple[Claim, ...]:
        claims = []
        for draft, finding in weighed:
            claim = judge(draft, finding, f"c{next(self._ids)}", self._evidence)
            self._evidence += len(claim.evidence)
            claims.append(claim)
        return tuple(claims)
