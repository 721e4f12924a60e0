from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import stretched, turn_angles, walkabout
from kineme.motion import SMPL22, Motion
from kineme.motion.canonical import JOINTS, MIRROR
from kineme.motion.frame import facing_angle, facing_positions, mirror, turn


def standing(skeleton=SMPL22) -> Motion:
    return Motion(skeleton, 30, np.float32([[1, 0.93, 2]]), np.eye(3)[None, None].repeat(22, 1))


@given(st.floats(-3.1, 3.1))
def test_facing_of_a_turned_body(angle: float) -> None:
    turned = turn(standing(), angle)
    assert facing_angle(turned.positions)[0] == pytest.approx(angle, abs=1e-5)


def test_facing_plus_x_is_a_quarter_turn() -> None:
    body = turn(standing(), np.pi / 2)
    toes = body.positions[0, JOINTS.index("left_foot")] - body.positions[0, JOINTS.index("left_ankle")]
    assert toes[0] > 0.1 and abs(toes[2]) < 1e-6


@given(st.floats(-3, 3), st.integers(0, 5))
def test_turning_moves_the_body_rigidly(angle: float, seed: int) -> None:
    body = walkabout(seed=seed)
    pivot = np.float32([0.3, 0, -2])
    turned = turn(body, angle, about=pivot)
    flat = turn(Motion.from_positions(SMPL22, 30, body.positions), angle, about=pivot)
    assert np.allclose(turned.positions, flat.positions, atol=1e-5)
    assert np.allclose(turned.positions[..., 1], body.positions[..., 1], atol=1e-5)
    distance = np.linalg.norm((turned.positions - pivot)[..., [0, 2]], axis=-1)
    assert np.allclose(distance, np.linalg.norm((body.positions - pivot)[..., [0, 2]], axis=-1), atol=1e-4)


def test_facing_positions_take_heading_and_place_out() -> None:
    body = walkabout()
    turned, angle = facing_positions(body.positions)
    assert np.allclose(facing_angle(turned), 0, atol=1e-5)
    assert np.allclose(turned[:, 0, [0, 2]], 0) and np.allclose(turned[..., 1], body.positions[..., 1])
    elsewhere, other = facing_positions(turn(body, 1.0).positions + np.float32([5, 0, 5]))
    assert np.allclose(elsewhere, turned, atol=1e-5)
    assert np.allclose(np.exp(1j * (other - angle)), np.exp(1j), atol=1e-5)


def test_facing_of_a_body_that_lies_flat_is_finite() -> None:
    assert np.isfinite(facing_angle(np.zeros((3, 22, 3)))).all()


@given(st.integers(0, 20))
def test_mirror_is_an_involution(seed: int) -> None:
    body = walkabout(stretched(seed), seed=seed)
    again = mirror(mirror(body))
    assert turn_angles(again.local_rotations, body.local_rotations).max() < 0.05
    assert np.allclose(again.positions, body.positions, atol=1e-5)
    assert again.skeleton.end_sites == body.skeleton.end_sites


def test_mirror_reflects_places_also_of_an_uneven_body() -> None:
    uneven = SMPL22.offsets * np.random.default_rng(0).uniform(0.7, 1.3, (22, 1))
    body = walkabout(replace(SMPL22, offsets=uneven))
    flip = np.float32([-1, 1, 1])
    assert np.allclose(mirror(body).positions, body.positions[:, list(MIRROR)] * flip, atol=1e-5)
    ends = [tuple(e) for e in (mirror(body).end_positions * flip)[0].round(4).tolist()]
    assert sorted(ends) == sorted(tuple(e) for e in body.end_positions[0].round(4).tolist())
    given_ = mirror(Motion.from_positions(SMPL22, 30, body.positions))
    assert np.allclose(given_.positions, mirror(body).positions, atol=1e-5)
