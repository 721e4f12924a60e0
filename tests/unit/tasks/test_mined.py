"""What a library's motifs were mined from: what is written comes back, and what is new is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.tasks.mined import FILE, Mined, read_mined

RECORD = Mined("given: small", "ab", True, 3, "0.1.0", 300, ("k1 0.0", "k2 0.5"))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(RECORD.text(), encoding="utf-8")
    assert read_mined(tmp_path) == RECORD
    assert read_mined(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", "nonsense", RECORD.text().replace('"format": 1', '"format": 2'),
        RECORD.text().replace("300", '"many"'), RECORD.text().replace("true", "1"),
        RECORD.text().replace('"seed"', '"soil"'), RECORD.text().replace('"keys": [', '"keys": 3, "k": ['),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_mined(tmp_path) is None


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 100))),
    st.sets(st.sampled_from("abcdefgh")),
)
def test_the_share_of_what_is_new(now: list[tuple[str, int]], mined: set[str]) -> None:
    record = replace(RECORD, frames=500, keys=tuple(sorted(mined)))
    assert record.new_share(now) == sum(frames for key, frames in now if key not in mined) / 500
