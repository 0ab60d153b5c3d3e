"""Stage 2, questions: what the experts have to tell for the claims to be judged (Woodpecker, arXiv
2310.16045, section 3.2).

A question about an object (is it there, how many, where, of which colour) is one to the detector;
one about words is the reader's, and the detector says on what they stand; any other property only
the model's own eyes can tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.result import Questions
from mllm.claims import ClaimDraft
from prompts import language, render
from tools.color import color_term


def questions(drafts: Sequence[ClaimDraft], unread: Sequence[str] = ()) -> Questions:
    """The questions behind ``drafts``; ``unread`` are the sentences that there are no drafts of
    because the model could not take them apart."""
    named = (name for d in drafts for name in (d.object, d.of) if name)
    looks = (look(d) for d in drafts if needs_look(d))
    return Questions(
        labels=tuple(dict.fromkeys(named)),
        words=any(d.kind == "text" for d in drafts),
        looks=tuple(dict.fromkeys(looks)),
        unread=tuple(unread),
    )


def needs_look(draft: ClaimDraft) -> bool:
    """Whether the claim is of a property that no expert measures."""
    return draft.kind == "attribute" and color_term(draft.value) is None


def look(draft: ClaimDraft) -> str:
    """The yes/no question about such a property."""
    lang = language(draft.object + draft.value)
    thing = ("" if lang == "zh" else " ").join(w for w in (draft.color, draft.object) if w)
    return render("verify/attribute", lang, object=thing, value=draft.value)
