"""One script a system, run as ``python -m drivers.NAME`` with the interpreter that has it.

They import nothing of Corvid but each other (``corvid`` is the exception), so that a peer's
process holds the peer and nothing else.
"""
