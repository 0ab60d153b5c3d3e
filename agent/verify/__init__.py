"""Verification: what an answer claims, checked by experts, with boxes as evidence.

In the loop the graph calls ``verify_answer``; ``verify`` checks text from any source.
"""

from agent.verify.answer import put_right, verify_answer
from agent.verify.text import Sentence, VerifiedAnswer, verify
from agent.verify.validation import Experts

__all__ = ["Experts", "Sentence", "VerifiedAnswer", "put_right", "verify", "verify_answer"]
