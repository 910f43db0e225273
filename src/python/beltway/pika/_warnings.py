"""Warnings of what Beltway ignores, each once a process."""

from __future__ import annotations

import warnings

_given: set[str] = set()


class IgnoredWarning(UserWarning):
    """The program asks for something that means nothing here."""


def warn_once(subject: str, text: str, calls: int) -> None:
    """Warns, if nothing was said of this subject before. `calls`: how many calls the program's own line is away."""
    if subject not in _given:
        _given.add(subject)
        warnings.warn(text, IgnoredWarning, stacklevel=calls + 1)
