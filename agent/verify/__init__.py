"""Verification: what an answer claims, checked by experts, with boxes as evidence.

In the loop the graph calls ``verify_answer``; ``verify`` checks text from any source.
"""

from agent.verify.experts import Experts
from agent.verify.text import Sentence, VerifiedAnswer, verify
from agent.verify.verify import verify_answer

__all__ = ["Experts", "Sentence", "VerifiedAnswer", "verify", "verify_answer"]
