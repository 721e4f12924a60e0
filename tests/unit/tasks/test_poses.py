"""Poses know neither heading, place, body size nor frame rate, and a mirror swaps their sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.corpus.synthetic import generate
from kineme.motion import Motion
from kineme.motion.frame import mirror, turn
from kineme.motion.retarget import to_standard_body
from kineme.motion.time import resample
from kineme.tasks.poses import COLUMNS, at_times, mirrored, pose_count, poses, quantise, restore


@pytest.fixture(scope="module")
def motion() -> Motion:
    return generate(2, 1, 6.0)[0].motion


def of(motion: Motion) -> np.ndarray:
    return poses(to_standard_body(motion).positions, motion.fps)


def test_one_every_tenth_of_a_second(motion: Motion) -> None:
    found = of(motion)
    assert found.shape == (pose_count(len(motion), motion.fps), COLUMNS) and found.dtype == np.float32
    assert len(found) == int((len(motion) - 1) / motion.fps * 10 + 1e-6) + 1


@given(st.floats(-3, 3))
def test_heading_and_place_do_not_matter(angle: float) -> None:
    motion = generate(2, 1, 3.0)[0].motion
    moved = turn(motion, angle)
    moved = moved.replace(root_translation=moved.root_translation + np.float32([3, 0, -2]))
    assert np.abs(of(moved) - of(motion)).max() < 2e-3


def test_body_size_does_not_matter(motion: Motion) -> None:
    taller = motion.replace(
        skeleton=motion.skeleton.scaled(1.2), root_translation=motion.root_translation * np.float32(1.2)
    )
    assert np.abs(of(taller) - of(motion)).max() < 1e-3


def test_frame_rate_hardly_matters(motion: Motion) -> None:
    assert np.abs(of(resample(motion, 60.0)) - of(motion))[2:-2].mean() < 3e-3


def test_a_mirror_swaps_the_sides(motion: Motion) -> None:
    seen, expected = of(mirror(to_standard_body(motion))), mirrored(of(motion))
    assert np.abs(seen - expected).max() < 2e-3
    assert np.allclose(mirrored(expected), of(motion))
    assert np.abs(seen - of(motion)).max() > 0.05


def test_speeds_are_of_the_body(motion: Motion) -> None:
    still = motion.replace(
        root_translation=np.repeat(motion.root_translation[:1], len(motion), axis=0),
        local_rotations=np.repeat(motion.local_rotations[:1], len(motion), axis=0),  # type: ignore[index]
    )
    assert np.abs(of(still)[:, -3:]).max() < 1e-6


@given(st.integers(0, 10**6))
def test_whole_numbers_keep_a_tenth_of_a_millimetre(seed: int) -> None:
    rows = np.random.default_rng(seed).uniform(-3, 3, (4, COLUMNS)).astype(np.float32)
    assert np.abs(restore(quantise(rows)) - rows).max() <= 0.51e-4
    assert np.isfinite(restore(quantise(rows * 1000))).all()


def test_between_neighbours() -> None:
    rows = np.arange(8.0, dtype=np.float32).reshape(4, 2)
    assert at_times(rows, np.array([0.0, 0.5, 2.75, 9.0])).tolist() == [[0, 1], [1, 2], [5.5, 6.5], [6, 7]]
