"""Durations on the command line."""

from __future__ import annotations

from kineme.errors import UsageError


def seconds_in(text: str) -> float:
    """Seconds of ``0.5s``, ``500ms`` or ``0.5``. Raises UsageError for anything else."""
    number, factor = text.strip().lower(), 1.0
    for ending, scale in (("ms", 0.001), ("s", 1.0)):
        if number.endswith(ending):
            number, factor = number.removesuffix(ending), scale
            break
    try:
        seconds = float(number) * factor
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise UsageError(f"{text!r} is no duration; write it as 0.5s or 500ms")
    return seconds
