"""Verification: what an answer claims, checked by experts, with boxes as evidence."""

from agent.verify.experts import Experts
from agent.verify.verify import verify_answer

__all__ = ["Experts", "verify_answer"]
