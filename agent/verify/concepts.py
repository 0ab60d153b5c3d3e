"""Stage 1, key concepts: what a text speaks of (Woodpecker, arXiv 2310.16045, section 3.1).

The model takes the text apart into drafts of claims: an object, what narrows it down, and what is
said of it. Woodpecker lists the objects first and asks about them later; a draft holds both.
"""

from __future__ import annotations

from agent.verify.sentences import sentences
from mllm.backends.protocol import MalformedOutput, Session, generate
from mllm.claims import ClaimDraft, claims_messages, claims_schema, parse_claims
from mllm.content import Usage

SENTENCE_TOKENS = 192
"""Most tokens that the claims of a sentence take, six of them or so."""
TRIES = 2
"""How often the model may write the list of claims before the text counts as claimless."""


def concepts(
    question: str, text: str, lang: str, session: Session
) -> tuple[list[ClaimDraft], Usage]:
    """The drafts of what ``text`` claims, each once, and what they cost. ``question`` is what it
    answers, or empty."""
    usage, room = Usage(), SENTENCE_TOKENS * max(len(sentences(text)), 1)
    for _ in range(TRIES):
        try:
            turn = generate(
                session,
                claims_messages(question, text, lang),
                output_schema=claims_schema(),
                max_tokens=room,
            )
            usage += turn.usage
            return list(dict.fromkeys(parse_claims(turn.text))), usage
        except (MalformedOutput, ValueError):
            continue
    return [], usage
