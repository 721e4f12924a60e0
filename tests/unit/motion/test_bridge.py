"""Single joints between their sound frames."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.gaps import fill_gaps
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.bridge import bridge
from small_hgvae import takes


def test_a_gap_of_all_joints_is_that_of_whole_frames() -> None:
    motion = takes()[0]
    bad = np.zeros(len(motion), dtype=bool)
    bad[[0, 1, 20, 21, 22, -1]] = True
    found, expected = bridge(motion, np.repeat(bad[:, None], 22, axis=1)), fill_gaps(motion, bad)
    np.testing.assert_allclose(found.local_rotations, expected.local_rotations, atol=1e-6)
    np.testing.assert_allclose(found.root_translation, expected.root_translation, atol=1e-6)


def test_only_missing_joints_change() -> None:
    motion = takes()[0]
    for source in (motion, Motion.from_positions(motion.skeleton, motion.fps, motion.positions)):
        missing = np.zeros((len(motion), 22), dtype=bool)
        missing[5:9, 16], missing[30:40, 4] = True, True
        made = bridge(source, missing)
        for old, new in (
            (source.local_rotations, made.local_rotations),
            (source.given_positions, made.given_positions),
        ):
            if old is not None:
                assert np.array_equal(old[~missing], new[~missing])
                assert not np.array_equal(old[missing], new[missing])


def test_a_joint_that_is_never_sound_rests() -> None:
    motion = takes()[0]
    missing = np.zeros((len(motion), 22), dtype=bool)
    missing[:, 18] = True
    assert np.array_equal(bridge(motion, missing).local_rotations[3, 18], np.eye(3))
    missing[:, 0] = True
    with pytest.raises(InputError, match="root is missing"):
        bridge(motion, missing)
