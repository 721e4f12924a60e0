"""One file to clips, and what the report says about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kineme.formats
from kineme.corpus import convert
from kineme.corpus.convert import read_clips
from kineme.corpus.synthetic import generate
from kineme.formats import ReadOptions
from kineme.motion import Motion


@pytest.fixture(scope="module")
def motion() -> Motion:
    return generate(6, 1, 5.0, fps=60.0)[0].motion


def test_a_file_is_taken_and_resampled(motion: Motion, tmp_path: Path) -> None:
    file = tmp_path / "take.bvh"
    kineme.formats.save(motion, file)
    (clip,), row = read_clips(file, 30.0, ReadOptions())
    assert (row.status, row.reason, row.clips, row.frames) == ("taken", "", 1, 150)
    assert (row.size, row.mtime_ns) == (file.stat().st_size, file.stat().st_mtime_ns)
    assert clip.values.shape == (150, 135) and clip.values.dtype == np.float32
    assert clip.row.source_fps == 60.0 and clip.row.sha256 == row.sha256 == convert.file_digest(file)
    assert np.abs(clip.values[:, :3] - motion.root_translation[::2]).max() < 0.02


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello", "no BVH file"),
        (b"HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n", "brace|cut"),
        (None, "cannot be read|no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "bad.bvh"
    if content is not None:
        file.write_bytes(content)
    clips, row = read_clips(file, 30.0, ReadOptions())
    assert clips == [] and row.status == "rejected"
    assert any(word in row.reason for word in says.split("|"))


def test_a_skeleton_that_is_no_body_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "box.bvh"
    rows = "\n".join(f"0 {k} 0 0 0 0 0 {k} 0" for k in range(30))
    file.write_text(
        "HIERARCHY\nROOT box\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation "
        "Yrotation\nJOINT lid\n{\nOFFSET 0 10 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\n"
        f"OFFSET 0 10 0\n}}\n}}\n}}\nMOTION\nFrames: 30\nFrame Time: 0.0333333\n{rows}\n"
    )
    clips, row = read_clips(file, 30.0, ReadOptions())
    assert clips == [] and row.status == "rejected" and "joint" in row.reason


def test_a_fault_of_ours_does_not_lose_the_other_files(
    motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kineme.formats.save(motion, tmp_path / "take.bvh")
    monkeypatch.setattr(convert, "to_clip", lambda *args: 1 / 0)
    clips, row = read_clips(tmp_path / "take.bvh", 30.0, ReadOptions())
    assert clips == [] and row.status == "rejected"
    assert "fault in kineme (ZeroDivisionError" in row.reason


def test_a_leading_rest_pose_is_dropped_and_told(data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "cmu" / "samples" / "007_12.bvh"
    (clip,), row = read_clips(file, 30.0, ReadOptions())
    assert (row.status, row.reason) == ("repaired", "a leading rest pose was dropped")
    assert clip.row.source_start == pytest.approx(1 / 60, rel=0.01)
    steps = np.linalg.norm(np.diff(clip.values[:, :3], axis=0), axis=1)
    assert steps.max() < 0.2


@pytest.mark.parametrize("name", ["02_01.amc", "002_03.bvh"])
def test_real_files_stand_upright_on_the_floor(data_dir: Path, name: str) -> None:
    (clip,), row = read_clips(data_dir / "cmu" / "samples" / name, 30.0, ReadOptions())
    assert row.status == "taken"
    height = clip.values[:, 1]
    assert 0.7 < np.median(height) < 1.1
    own = clip.display * (clip.row.display_scale / 1000) + np.array(clip.row.display_origin)
    lowest = own[..., 1].min(axis=1)
    assert -0.15 < np.median(lowest) < 0.15
