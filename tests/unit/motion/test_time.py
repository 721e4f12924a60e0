from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from bodies import random_turns, turn_angles, walkabout
from kineme.errors import InputError
from kineme.motion import SMPL22, Motion, Segment
from kineme.motion.time import legacy_stride, resample

RATES = st.sampled_from([5, 24, 25, 29.97, 30, 50, 59.94, 60, 100, 120])


def test_the_same_rate_changes_nothing() -> None:
    body = walkabout()
    assert resample(body, body.fps) is body


@given(RATES, RATES, st.integers(1, 80))
def test_time_is_kept(fps: float, target: float, frames: int) -> None:
    body = walkabout(frames=frames).replace(fps=float(fps), labels=(Segment(0, 0.5, "x"),))
    again = resample(body, target)
    last, new_last = (frames - 1) / fps, (len(again) - 1) / target
    assert again.fps == target and again.labels == body.labels
    assert new_last <= last + 1e-6  # nothing is made up past the last frame
    assert last - new_last < 1 / target + 1e-6  # and nothing is left out
    assert np.allclose(again.root_translation[0], body.root_translation[0])


@given(RATES, RATES)
def test_rotations_stay_orthonormal(fps: float, target: float) -> None:
    turns = resample(walkabout(frames=20, degrees=170).replace(fps=float(fps)), target).local_rotations
    assert np.allclose(turns @ np.swapaxes(turns, -1, -2), np.eye(3), atol=1e-5)
    assert np.allclose(np.linalg.det(turns), 1, atol=1e-5)


def test_between_frames_as_scipys_slerp_and_numpys_interp() -> None:
    body = walkabout(frames=9, degrees=80)
    again = resample(body, 47)
    old, new = np.arange(9) / 30, np.arange(len(again)) / 47
    for joint in (0, 4, 18):
        expected = Slerp(old, Rotation.from_matrix(body.local_rotations[:, joint]))(new).as_matrix()
        assert turn_angles(again.local_rotations[:, joint], expected).max() < 0.05
    for axis in range(3):
        expected = np.interp(new, old, body.root_translation[:, axis])
        assert np.allclose(again.root_translation[:, axis], expected, atol=1e-5)


def test_a_whole_fraction_takes_the_frames_themselves() -> None:
    body = walkabout(frames=41).replace(fps=120.0)
    again = resample(body, 30)
    assert np.array_equal(again.local_rotations, body.local_rotations[::4])
    assert np.array_equal(again.root_translation, body.root_translation[::4])


def test_positions_and_moving_bones_go_along() -> None:
    places = np.linspace(0, 1, 5)[:, None, None] * np.ones((5, 22, 3))
    given_ = resample(Motion.from_positions(SMPL22, 4, places), 8)
    assert np.allclose(given_.given_positions[:, 7, 1], np.linspace(0, 1, 9), atol=1e-6)
    body = Motion(SMPL22, 4, places[:, 0], random_turns(5, 22, degrees=9), local_translations=places)
    assert np.allclose(resample(body, 8).local_translations[:, 7, 1], np.linspace(0, 1, 9), atol=1e-6)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e9])
def test_an_unusable_rate_is_rejected(fps: float) -> None:
    with pytest.raises(InputError, match="not usable"):
        resample(walkabout(), fps)


def test_legacy_stride_calls_a_hundred_hertz_twenty_five_by_dropping() -> None:
    body = walkabout(frames=20).replace(fps=120.0)
    old = legacy_stride(body, 25)
    assert old.fps == 25 and np.array_equal(old.local_rotations, body.local_rotations[::4])
