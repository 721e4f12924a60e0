"""Channels of a body and back."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.motion.canonical import JOINTS
from kineme.motion.channels import Channels
from kineme.motion.frame import facing_angle, mirror
from kineme.motion.retarget import to_standard_body


@pytest.fixture(scope="module")
def positions() -> np.ndarray:
    return to_standard_body(generate(3, 1, 4.0)[0].motion).positions


def test_places_come_back_where_root_and_heading_are_given(positions: np.ndarray) -> None:
    channels = Channels(root=False)
    made = channels.places(channels.of(positions), positions[:, 0], facing_angle(positions))
    np.testing.assert_allclose(made, positions, atol=1e-5)


def test_the_root_channels_carry_the_whole_way(positions: np.ndarray) -> None:
    channels = Channels()
    values = channels.of(positions)
    made = channels.places(values)
    np.testing.assert_allclose(channels.of(made)[:-1], values[:-1], atol=0.05)
    # the same body, turned and moved to where it starts from the origin
    assert np.abs(made[0, 0, [0, 2]]).max() < 1e-6 and abs(facing_angle(made)[0]) < 1e-5
    way, found = (np.linalg.norm(np.diff(p[:, 0], axis=0), axis=1).sum() for p in (positions, made))
    assert found == pytest.approx(way, rel=1e-3)


def test_neither_place_nor_heading_is_seen(positions: np.ndarray) -> None:
    angle = 1.1
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    moved = (positions @ turn.T + [3.0, 0.0, -2.0]).astype(np.float32)
    np.testing.assert_allclose(Channels().of(moved), Channels().of(positions), atol=0.02)


def test_a_mirrored_body_has_mirrored_channels() -> None:
    motion = to_standard_body(generate(4, 1, 3.0)[0].motion)
    channels = Channels()
    np.testing.assert_allclose(
        channels.mirror(channels.of(motion.positions)), channels.of(mirror(motion).positions), atol=0.05
    )


def test_a_body_without_root_channels_stands_on_the_floor(positions: np.ndarray) -> None:
    channels = Channels(JOINTS[4:], root=False)
    made = channels.places(channels.of(positions))
    np.testing.assert_allclose(made[:, channels.index, 1].min(axis=1), 0, atol=1e-6)


def test_every_channel_has_a_name_and_an_owner() -> None:
    channels = Channels()
    assert len(channels) == len(channels.names) == len(channels.owners) == 67
    assert channels.names[3 * channels.joints.index("head") + 1] == "head y"
    assert (channels.owners[-4:] == 21).all()
