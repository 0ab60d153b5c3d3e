"""Verification: what an answer claims, checked by experts, with boxes as evidence.

In the loop the graph calls ``verify_answer``; ``verify`` checks text from any source,
``verify_many`` several texts about the same pictures at once.
"""

from agent.verify.answer import put_right, things, verify_answer
from agent.verify.states import states
from agent.verify.text import Sentence, VerifiedAnswer, verify, verify_many
from agent.verify.validation import Experts

__all__ = [
    "Experts", "Sentence", "VerifiedAnswer", "put_right", "states", "things", "verify",
    "verify_answer", "verify_many",
]  # fmt: skip
