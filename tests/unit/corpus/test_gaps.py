"""Frames without usable numbers: short gaps are interpolated, long ones refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kineme.formats
import naive
from kineme.corpus.gaps import LONGEST_GAP, fill_gaps, read_motions, without_gaps
from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.formats import ReadOptions
from kineme.motion import SMPL22, Motion


@pytest.fixture(scope="module")
def motion() -> Motion:
    return generate(2, 1, 4.0)[0].motion


@given(st.lists(st.booleans(), min_size=2, max_size=30).filter(lambda bad: not all(bad)))
def test_filling_equals_the_naive_one(bad: list[bool]) -> None:
    values = np.random.default_rng(0).normal(size=(len(bad), 22, 3)).astype(np.float32)
    filled = fill_gaps(Motion.from_positions(SMPL22, 30.0, values), np.array(bad)).given_positions
    assert filled is not None
    for joint, axis in ((0, 0), (21, 2)):
        expected = naive.fill_linear(values[:, joint, axis].tolist(), bad)
        np.testing.assert_allclose(filled[:, joint, axis], expected, atol=1e-5)


def test_rotations_are_filled_along_the_arc(motion: Motion) -> None:
    bad = np.zeros(len(motion), dtype=bool)
    bad[40:43] = True
    filled = fill_gaps(motion, bad).local_rotations
    assert filled is not None and motion.local_rotations is not None
    identity = filled @ filled.swapaxes(-1, -2)
    assert np.abs(identity - np.eye(3)).max() < 1e-5
    assert np.array_equal(filled[~bad], motion.local_rotations[~bad])
    steps = filled[39:43].swapaxes(-1, -2) @ filled[40:44]
    angles = np.arccos(np.clip((np.trace(steps, axis1=-2, axis2=-1) - 1) / 2, -1, 1))
    assert np.ptp(angles, axis=0).max() < 2e-3  # the same angle in every step


def _with_nan(motion: Motion, frames: list[int]) -> Motion:
    root = motion.root_translation.copy()
    root[frames, 1] = np.nan
    return motion.replace(root_translation=root)


def test_short_gaps_are_interpolated_and_told(motion: Motion) -> None:
    mended, repairs = without_gaps(_with_nan(motion, [0, 50, 51, 90]))
    assert repairs == ["4 frames without usable numbers were interpolated"]
    assert np.isfinite(mended.positions).all()
    assert np.abs(mended.root_translation - motion.root_translation).max() < 0.05
    assert without_gaps(motion) == (motion, [])


def test_long_gaps_are_refused(motion: Motion) -> None:
    most = int(LONGEST_GAP * motion.fps)
    without_gaps(_with_nan(motion, list(range(30, 30 + most))))
    with pytest.raises(InputError, match=f"{most + 1} of 120 frames have no usable numbers"):
        without_gaps(_with_nan(motion, list(range(30, 31 + most))))
    with pytest.raises(InputError):
        without_gaps(_with_nan(motion, list(range(120))))


@pytest.fixture
def bvh(motion: Motion, tmp_path: Path) -> Path:
    kineme.formats.save(motion, tmp_path / "take.bvh")
    return tmp_path / "take.bvh"


def _spoil(path: Path, frames: range) -> None:
    """Writes NaN over a root channel of some frames of a BVH file."""
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    for frame in frames:
        lines[first + frame] = "nan " + lines[first + frame].split(maxsplit=1)[1]
    path.write_text("\n".join(lines) + "\n")


def test_short_gaps_of_a_file_are_interpolated(bvh: Path, motion: Motion) -> None:
    _spoil(bvh, range(60, 63))
    (mended,), repairs = read_motions(bvh, ReadOptions())
    assert repairs == ["3 frames without usable numbers were interpolated"]
    order = [mended.skeleton.index(name) for name in motion.skeleton.names]
    assert np.abs(mended.positions[60:63, order] - motion.positions[60:63]).max() < 0.08
    assert len({tuple(row) for row in mended.root_translation[59:64].tolist()}) == 5  # nothing is held


def test_long_gaps_of_a_file_are_refused_unless_asked_for(bvh: Path) -> None:
    _spoil(bvh, range(60, 80))
    with pytest.raises(InputError, match="20 of 120 frames"):
        read_motions(bvh, ReadOptions())
    (held,), repairs = read_motions(bvh, ReadOptions(repair=True))
    assert len(held) == 120 and "20 of 120 frames" in repairs[0]


def test_a_cut_file_is_not_taken_for_one_with_gaps(bvh: Path) -> None:
    text = bvh.read_text()
    bvh.write_text(text[: int(len(text) * 0.9)])
    with pytest.raises(InputError):
        read_motions(bvh, ReadOptions())
