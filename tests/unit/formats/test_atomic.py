"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kineme.formats.atomic import atomic_write


def test_the_file_appears_with_its_content_and_nothing_beside_it(tmp_path: Path):
    target = tmp_path / "deep" / "a.txt"
    with atomic_write(target) as temporary:
        assert temporary.parent == target.parent and temporary.suffix == ".txt"
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_file_stands_untouched(tmp_path: Path, error: type[BaseException]):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), atomic_write(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_result_is_as_readable_as_any_other_file(tmp_path: Path):
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    other = tmp_path / "b.txt"
    other.write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == other.stat().st_mode
