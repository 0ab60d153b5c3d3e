"""Suites of `corvid eval`: an agent measured on questions with known answers."""
