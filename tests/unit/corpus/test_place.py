"""Frames of reference around a moment."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kineme.corpus.place import CHANNELS, Place
from kineme.corpus.synthetic import generate
from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix

PLACES = generate(0, 1, 4.0, 30.0)[0].motion.positions


def moved(places: np.ndarray, angle: float, way: tuple[float, float]) -> np.ndarray:
    """Turned about the vertical and moved over the floor."""
    turned = places @ yaw_matrix(angle).astype(np.float32).T
    return turned + np.array([way[0], 0, way[1]], dtype=np.float32)


@given(st.floats(-3, 3), st.floats(-20, 20), st.floats(-20, 20))
def test_channels_know_neither_place_nor_heading(angle: float, x: float, z: float) -> None:
    other = moved(PLACES, angle, (x, z))
    own, same = (Place.of(p[30]).channels(p[20:50]) for p in (PLACES, other))
    assert own.shape == (30, CHANNELS)
    np.testing.assert_allclose(own, same, atol=2e-4)


def test_positions_come_back() -> None:
    poses = np.stack([PLACES[10:40], PLACES[60:90]])
    place = Place.of(poses[:, 5])
    np.testing.assert_allclose(place.positions(place.channels(poses)), poses, atol=1e-5)


def test_at_its_own_moment_the_body_stands_at_the_origin_and_faces_ahead() -> None:
    channels = Place.of(PLACES[30]).channels(PLACES[30:31])[0]
    np.testing.assert_allclose(channels[[63, 65]], 0, atol=1e-6)
    left_hip, right_hip = channels[:3], channels[3:6]
    assert left_hip[0] > right_hip[0]


def test_on_the_way_it_turns_the_shorter_way() -> None:
    start, stop = Place.of(moved(PLACES, 3.0, (0, 0))[30]), Place.of(moved(PLACES, -3.0, (2, 0))[30])
    half = start.towards(stop, np.array([0.0, 0.5, 1.0]))
    turn = np.diff(np.unwrap(half.angle))
    np.testing.assert_allclose(np.abs(turn), (2 * np.pi - 6.0) / 2, atol=1e-4)
    np.testing.assert_allclose(half.origin[2], stop.origin[0], atol=1e-5)
    there = facing_angle(moved(PLACES, -3.0, (2, 0))[30:31])[0]
    assert abs(np.angle(np.exp(1j * (half.angle[2] - there)))) < 1e-4
