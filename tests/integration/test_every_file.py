"""Real files of every kind through every reader and writer; `python -m benchmarks formats` takes them all.

Set KINEME_EVERY_FILE=1 to take all of them here.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bodies import walkabout
from every_file import ARCHIVES, RESULTS, Member, check_members, members, reads_text, table
from kineme.formats import save

#: files of each kind that are taken, spread evenly
SOME = 3


def chosen(data: Path) -> list[Member]:
    kinds: dict[str, list[Member]] = {}
    for member in members(data):
        kinds.setdefault(member.kind, []).append(member)
    if os.environ.get("KINEME_EVERY_FILE"):
        return [member for found in kinds.values() for member in found]
    return [found[k * (len(found) - 1) // (SOME - 1)] for found in kinds.values() for k in range(SOME)]


def test_every_kind_is_there(data_dir: Path) -> None:
    found = members(data_dir)
    texts = sum("text" in member.kind for member in found)
    assert len(found) - texts == 2966
    assert texts == (78 if reads_text() else 0)
    assert {member.kind for member in found} == {
        k for k in ARCHIVES.values() if reads_text() or "text" not in k
    }


@pytest.mark.slow
def test_files_are_read_placed_mapped_written_and_read_back(data_dir: Path) -> None:
    results = list(check_members(dict.fromkeys(chosen(data_dir))))
    text = table(results)
    print("\n" + text)
    assert all(result.good == set(RESULTS) for result in results), text


def test_the_table_names_what_is_wrong(tmp_path: Path) -> None:
    """The check can fail: by what is no motion, and by a body without a name for its knee."""
    save(walkabout(frames=30), tmp_path / "good.bvh")
    text = (tmp_path / "good.bvh").read_text()
    (tmp_path / "none.bvh").write_text("HIERARCHY\n")
    (tmp_path / "odd.bvh").write_text(text.replace("left_knee", "j1").replace("left_ankle", "j2"))
    results = list(check_members(Member("made", path) for path in sorted(tmp_path.glob("*.bvh"))))
    good, none, odd = (result.good for result in results)
    assert {"loaded", "to scale", "mapped", "bvh", "csv", "npy", "glb"} <= good
    assert not none and "loaded" in odd and "mapped" not in odd
    assert "none.bvh" in table(results) and "j1" in table(results)
