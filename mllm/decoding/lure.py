"""LURE, arXiv 2310.00754: a revisor looks again at what a description should be doubted for.

    lure = LURE(speaker=load("nano"), revisor=load("runs/train/lure-s/model"))
    lure.revise("The picture shows a cup and a fork.", asked, media)

It changes no token while a model speaks. What the model has said is read again by the same model,
to learn how sure it was of each object; the doubtful ones are masked (``mllm.decoding.masking``);
and another model, trained for it (``mllm.training.lure``), rewrites the rest with the picture
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mllm.backends.protocol import Backend, MalformedOutput, generate
from mllm.content import MediaReader, Message
from mllm.decoding.masking import CoOccurrence, Limits, Piece, masked, score
from mllm.episode import Episode, messages
from mllm.evaluation.vocabulary import Vocabulary
from mllm.model.chat import pictures
from prompts import language, render

if TYPE_CHECKING:
    from mllm.backends.local import Local

REVISION_TOKENS = 512


class LURE:
    """The method (algorithm 2). ``speaker`` is the model whose descriptions are revised, which
    runs here, since its probabilities are needed. ``counts`` matter only where ``limits`` has one
    for co-occurrence; ``vocabulary`` is that of ``masking.score``."""

    def __init__(
        self,
        speaker: Local,
        revisor: Backend,
        limits: Limits | None = None,
        counts: CoOccurrence | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.speaker, self.revisor = speaker, revisor
        self.limits = limits or Limits()
        self._counts, self._vocabulary = counts, vocabulary

    def revise(self, text: str, asked: Sequence[Message], media: MediaReader) -> str:
        """``text`` as the revisor rewrites it. ``asked`` is the conversation that it answers, with
        its pictures.

        A text without a doubtful object is returned as it is, and so is one to which the revisor
        has nothing to say. Raises ``ModelError``.
        """
        pieces = read_again(self.speaker, text, asked, media)
        objects = score(text, pieces, self._counts, self._vocabulary)
        doubted = masked(text, objects, self.limits)
        if doubted == text:
            return text
        task = Episode(task=revision(doubted), media=tuple(pictures(asked)), lang=language(text))
        session = self.revisor.session(media)
        try:
            turn = generate(
                session, messages(task), tool_choice="none", max_tokens=REVISION_TOKENS
            )
        except MalformedOutput:
            return text
        finally:
            session.close()
        return turn.text.strip() or text


def revision(doubted: str) -> str:
    """What a revisor is asked about a masked text."""
    return render("revise", language(doubted), text=doubted)


def read_again(
    model: Local, text: str, asked: Sequence[Message], media: MediaReader
) -> list[Piece]:
    """The tokens of ``text`` and how surprising ``model`` finds each as an answer to ``asked``,
    whoever gave it. Costs about what saying it costs. Raises ``ModelError``."""
    engine, template, _ = model.parts()
    seen = [engine.picture(a.sha256, media.image(a)) for a in pictures(asked)]
    prompt = engine.prompt(template.render(asked, []), seen)
    told = engine.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    reader = model.reader()
    logits, _ = reader.prefill(prompt)
    ids, places = told["input_ids"], told["offset_mapping"]
    pieces: list[Piece] = []
    for i, (start, end) in enumerate(places):
        if i:
            logits = reader.extend(ids[i - 1 : i])
        pieces.append(Piece(start, end, -float(logits.log_softmax(-1)[ids[i]])))
    return pieces
