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
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field

from agent import media
from agent.context import RunContext
from agent.errors import InputError
from agent.result import Claim, Evidence
from agent.store import MediaStore
from agent.transcript import Transcript, merged
from agent.verify.answer import things
from agent.verify.checks import Weighed
from agent.verify.concepts import Drafts, concepts
from agent.verify.correction import Correction, correct
from agent.verify.findings import judge, weigh_all
from agent.verify.questions import questions
from agent.verify.sentences import sentences
from agent.verify.validation import Experts
from mllm.backends.protocol import Backend, Session
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
    question: str = "",
    model: str | Backend | BaseChatModel = "nano",
    tools: Sequence[Tool] | None = None,
) -> VerifiedAnswer:
    """Check ``text``, English or Chinese, against pictures. ``question`` is what it answers, if
    anything: a bare "Yes." claims nothing without. ``tools`` are the experts, those of
    ``tools.default_tools`` unless given.

    A claim of the result is "supported", "corrected", or "unsupported" when no expert could tell
    or no correction was found that holds. Raises ``InputError`` without text or pictures and for
    a picture that cannot be read, ``ModelError`` for a model that cannot be used.
    """
    (verified,) = verify_many([(question, text)], images, model=model, tools=tools)
    return verified


def verify_many(
    texts: Sequence[tuple[str, str]],
    images: Sequence[media.Source],
    *,
    model: str | Backend | BaseChatModel = "nano",
    tools: Sequence[Tool] | None = None,
) -> list[VerifiedAnswer]:
    """``verify`` for several texts about the same pictures, each given behind the question that
    it answers, or "", with the same verdicts. The model reads the sentences of all of them side
    by side, and the pictures are read once; ``tokens`` of each are those of all together. Raises
    as ``verify`` does, also where one of the texts is blank."""
    if not texts:
        return []
    if not all(text.strip() for _, text in texts):
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
        lang = language(" ".join(text for _, text in texts))
        known = Transcript("", lang, "", shown, artifacts={a.id: a for a in shown})
        given = {t.name: t for t in (default_tools() if tools is None else tools)}
        context = RunContext(store, backend, default_pool(), known)
        experts = Experts(context, given.get("detect"), given.get("read_text"), given.get("look"))
        session = backend.session(store)
        try:
            each = [experts, *(experts.for_another() for _ in texts[1:])]
            return _Check(shown, session, each).results(texts)
        finally:
            session.close()


_Weighed: TypeAlias = Weighed | None
"""The claims of a sentence; None where the model could not take it apart."""


@dataclass
class _Check:
    """The stages, for all sentences at once. ``experts`` are those of each text."""

    images: Sequence[Artifact]
    session: Session
    experts: Sequence[Experts]
    usage: Usage = Usage()

    def results(self, texts: Sequence[tuple[str, str]]) -> list[VerifiedAnswer]:
        parts = [(question, sentences(text)) for question, text in texts]
        asked = [(question, one) for question, some in parts for one in some]
        said = [one for _, one in asked]
        sizes = [len(some) for _, some in parts]
        first = self._weighed(self._taken(asked), sizes)
        new = self._corrected(said, first)
        second = self._weighed(self._claimed(asked, first, new), sizes)
        rows = iter(zip(said, first, new, second, strict=True))
        return [_Judge().answer(list(islice(rows, size)), self.usage) for size in sizes]

    def _taken(self, asked: Sequence[tuple[str, str]]) -> list[Drafts]:
        """What the model says that each sentence claims."""
        taken, usage = concepts(asked, self.session)
        self.usage += usage
        return taken

    def _weighed(self, taken: Sequence[Drafts], sizes: Sequence[int]) -> list[_Weighed]:
        """What the experts say of the claims; ``sizes`` are the sentences of each text."""
        weighed: list[_Weighed] = []
        for experts, size in zip(self.experts, sizes, strict=True):
            some = taken[len(weighed) : len(weighed) + size]
            experts.answer(self.images, questions([d for drafts in some for d in drafts or ()]))
            weighed += [
                None if drafts is None else weigh_all(drafts, self.images, experts)
                for drafts in some
            ]
        return weighed

    def _corrected(
        self, said: Sequence[str], weighed: Sequence[_Weighed]
    ) -> list[Correction | None]:
        """The sentences of which a claim was contradicted, put right."""
        new, usage = correct(said, [some or () for some in weighed], self.session)
        self.usage += usage
        return new

    def _claimed(
        self,
        asked: Sequence[tuple[str, str]],
        first: Sequence[_Weighed],
        new: Sequence[Correction | None],
    ) -> list[Drafts]:
        """What the corrected sentences claim: what the others claimed was said before, and of one
        in which words were replaced it is known."""
        taken = self._taken(
            [
                (question, one.text if one and one.true is None else "")
                for (question, _), one in zip(asked, new, strict=True)
            ]
        )
        for i, (some, one) in enumerate(zip(first, new, strict=True)):
            if one and one.true is not None:
                true = iter(one.true)
                taken[i] = [next(true) if f.holds is False else d for d, f in some or ()]
        return taken


_Row: TypeAlias = tuple[str, _Weighed, Correction | None, _Weighed]
"""A sentence, its claims, the sentence put right, the claims of that."""


@dataclass
class _Judge:
    """The verdicts on one text, whose claims and evidence are numbered."""

    _ids: count[int] = field(default_factory=lambda: count(1))
    _evidence: int = 0

    def answer(self, rows: Sequence[_Row], usage: Usage) -> VerifiedAnswer:
        done = [self._sentence(*row) for row in rows]
        claims = [c for one in done for c in one.claims if c.verdict != "contradicted"]
        evidence = {e.id: e for claim in claims for e in claim.evidence}
        return VerifiedAnswer(
            answer="".join(one.text for one in done),
            sentences=tuple(done),
            claims=tuple(claims),
            evidence=tuple(evidence.values()),
            tokens=usage,
        )

    def _sentence(
        self, said: str, first: _Weighed, new: Correction | None, second: _Weighed
    ) -> Sentence:
        """The sentence, as ``new`` if that holds."""
        claims = self._judged(first or ())
        wrong = [c for c in claims if c.verdict == "contradicted"]
        if not wrong:
            return Sentence(said=said, text=said, claims=claims, unread=first is None)
        again = self._judged(second or ())
        # What could not be checked before need not be now; what is wrong or newly open must not be,
        # nor is a true sentence about other things a correction, or one that leaves out what held.
        opened = {c.text for c in claims if c.verdict == "unsupported"}
        held = [c for c in claims if c.verdict == "supported"]
        if (
            new is None
            or not again
            or any(c.verdict != "supported" and c.text not in opened for c in again)
            or things(again) - things(claims)
            or things(held) - things(again)
        ):
            return Sentence(said=said, text=said, claims=merged((), claims))
        done = merged(claims, again) if new.true is None else _replaced(claims, again)
        return Sentence(said=said, text=new.text, claims=(*wrong, *done))

    def _judged(self, weighed: Weighed) -> tuple[Claim, ...]:
        claims = []
        for draft, finding in weighed:
            claim = judge(draft, finding, f"c{next(self._ids)}", self._evidence)
            self._evidence += len(claim.evidence)
            claims.append(claim)
        return tuple(claims)


def _replaced(claims: Sequence[Claim], again: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims ``again`` that took the places of ``claims``."""
    return tuple(
        after.model_copy(update={"verdict": "corrected", "was": before.text})
        if before.verdict == "contradicted"
        else after
        for before, after in zip(claims, again, strict=True)
    )
