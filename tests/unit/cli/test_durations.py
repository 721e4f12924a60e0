"""Durations as people write them."""

from __future__ import annotations

import pytest

from kineme.cli.durations import seconds_in
from kineme.errors import UsageError


@pytest.mark.parametrize(
    "text, seconds", [("0.5s", 0.5), ("500ms", 0.5), (" 2 S", 2.0), ("3", 3.0), ("0", 0.0)]
)
def test_seconds(text: str, seconds: float) -> None:
    assert seconds_in(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "fast", "-1s", "nan", "inf", "1e9", "5min"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        seconds_in(text)
