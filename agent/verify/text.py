"""Text from any source against pictures: what of it holds, and the text put right.

    verified = verify("Two cups stand left of the laptop.", images=["desk.png"])
    verified.answer, verified.claims

The five stages, sentence by sentence: the model says what a sentence claims, the experts look once
per picture for everything that is claimed, and the model rewrites only the sentences of which a
claim was contradicted. What it wrote is checked again.
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
from agent.verify.findings import judge, weigh
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
        experts = Experts(
            context, given.get("detect"), given.get("read_text"), given.get("look")
        )
        session = backend.session(store)
        try:
            return _Check(text, shown, session, experts).result()
        finally:
            session.close()


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
        parts = sentences(self.text)
        drafts = [self._drafts(part) for part in parts]
        self.experts.answer(self.images, questions([d for some in drafts for d in some]))
        done = [
            self._sentence(part, self._judged(some))
            for part, some in zip(parts, drafts, strict=True)
        ]
        claims = [c for one in done for c in one.claims if c.verdict != "contradicted"]
        evidence = {e.id: e for claim in claims for e in claim.evidence}
        return VerifiedAnswer(
            answer="".join(one.text for one in done),
            sentences=tuple(done),
            claims=tuple(claims),
            evidence=tuple(evidence.values()),
            tokens=self.usage,
        )

    def _sentence(self, said: str, claims: tuple[Claim, ...]) -> Sentence:
        """The sentence, corrected where that is needed and possible."""
        wrong = [c for c in claims if c.verdict == "contradicted"]
        if not wrong:
            return Sentence(said=said, text=said, claims=claims)
        corrected, usage = correct(said, [Failed(c.text, c.found) for c in wrong], self.session)
        self.usage += usage
        drafts = self._drafts(corrected) if corrected else []
        self.experts.answer(self.images, questions(drafts))
        again = self._judged(drafts)
        # What could not be checked before need not be now; what is wrong or newly open must not be.
        opened = {c.text for c in claims if c.verdict == "unsupported"}
        if not again or any(c.verdict != "supported" and c.text not in opened for c in again):
            return Sentence(said=said, text=said, claims=merged((), claims))
        return Sentence(said=said, text=corrected, claims=(*wrong, *merged(claims, again)))

    def _drafts(self, sentence: str) -> list[ClaimDraft]:
        drafts, usage = concepts("", sentence.strip(), language(sentence), self.session)
        self.usage += usage
        return drafts

    def _judged(self, drafts: Sequence[ClaimDraft]) -> tuple[Claim, ...]:
        claims = []
        for draft in drafts:
            finding = weigh(draft, self.images, self.experts)
            claim = judge(draft, finding, f"c{next(self._ids)}", self._evidence)
            self._evidence += len(claim.evidence)
            claims.append(claim)
        return tuple(claims)
