"""Stage 5, correction: a sentence of which a claim was contradicted is put right (Woodpecker, arXiv
2310.16045, section 3.5).

In the agent's loop the contradiction goes back to the model as an observation instead, since it may
want to use tools again; see ``agent.graph``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mllm.backends.protocol import MalformedOutput, Session, generate
from mllm.claims import Failed, correction_messages
from mllm.content import Usage
from prompts import language

SENTENCE_TOKENS = 256
"""Most tokens of a corrected sentence."""


def correct(said: str, findings: Sequence[Failed], session: Session) -> tuple[str, Usage]:
    """The sentence as the model puts it right, with the white space that it had after it; nothing
    where the model fails or changes nothing."""
    bare = said.rstrip()
    asked = correction_messages(bare, findings, language(bare))
    try:
        turn = generate(session, asked, tool_choice="none", max_tokens=SENTENCE_TOKENS)
    except MalformedOutput:
        return "", Usage()
    new = turn.text.strip()
    return (new + said[len(bare) :] if new and new != bare else ""), turn.usage
