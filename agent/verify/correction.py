"""Stage 5, correction: sentences of which a claim was contradicted are put right (Woodpecker, arXiv
2310.16045, section 3.5).

In the agent's loop the contradiction goes back to the model as an observation instead, since it may
want to use tools again; see ``agent.graph``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mllm.backends.protocol import Session, generate_many
from mllm.claims import Failed, correction_messages
from mllm.content import Turn, Usage
from prompts import language

SENTENCE_TOKENS = 256
"""Most tokens of a corrected sentence."""


def correct(
    sentences: Sequence[str], findings: Sequence[Sequence[Failed]], session: Session
) -> tuple[list[str], Usage]:
    """Each sentence as the model puts it right, with the white space that it had after it, and
    what they cost. Nothing stands for one without findings, and where the model fails or changes
    nothing. Raises ``ModelError``."""
    wrong = [(s.rstrip(), found) for s, found in zip(sentences, findings, strict=True) if found]
    turns = generate_many(
        session,
        [correction_messages(bare, found, language(bare)) for bare, found in wrong],
        max_tokens=SENTENCE_TOKENS,
    )
    replies = iter(turns)
    out = []
    for said, found in zip(sentences, findings, strict=True):
        turn, bare = next(replies) if found else None, said.rstrip()
        new = turn.text.strip() if isinstance(turn, Turn) else ""
        out.append(new + said[len(bare) :] if new and new != bare else "")
    return out, sum((t.usage for t in turns if isinstance(t, Turn)), Usage())
