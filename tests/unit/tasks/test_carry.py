"""Made frames come back to the user's own skeleton."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kineme
from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.tasks.carry import carry_back, carry_with_feet, check_finite, held, put_frames, standard_places

TAKE = generate(3, 1, 6.0, 30.0)[0].motion


@pytest.fixture(scope="module")
def rigs(unpacked: Callable[..., Path], data_dir: Path) -> list[Motion]:
    """Real takes of different rigs."""
    names = ("fair1_dab.bvh", "rokoko_jesse_dance.bvh", "cmu1_jumping_jacks.bvh")
    folder = unpacked("hdm05/hdm05-11.zip", "*HDM_bd.asf", "*bd_squat1Reps_001*")
    amc = next(folder.rglob("*.amc"))
    return [kineme.load(data_dir / "animated-drawings" / name) for name in names] + [kineme.load(amc)]  # type: ignore[list-item]


def test_the_places_that_a_motion_has_are_had_again(rigs: list[Motion]) -> None:
    for motion in rigs:
        motion = motion[:90]
        goal = standard_places(motion)[40:60]
        started = put_frames(motion, held(motion[:40], 50), slice(40, 60), 40)  # held in the gap
        carried = carry_with_feet(started, goal, slice(40, 60))
        reached = standard_places(carried)[40:60]
        feet = [7, 8, 10, 11]
        assert np.linalg.norm(reached - goal, axis=-1)[:, feet].mean() < 0.004
        assert np.linalg.norm(reached - goal, axis=-1).mean() < 0.02
        np.testing.assert_array_equal(carried.local_rotations[:40], motion.local_rotations[:40])  # type: ignore[index]


def test_places_alone_keep_the_users_bones() -> None:
    motion = Motion.from_positions(TAKE.skeleton, 30.0, TAKE.positions * np.float32(1.2))
    goal = standard_places(motion)[60:80]
    started = put_frames(motion, held(motion[:60], 60), slice(60, 80), 60)
    carried = carry_back(started, goal, slice(60, 80))
    parents = list(motion.skeleton.parents)
    bones = [
        np.linalg.norm(m.positions[60:80, 1:] - m.positions[60:80, parents[1:]], axis=-1)
        for m in (carried, motion)
    ]
    np.testing.assert_allclose(*bones, atol=1e-3)
    assert np.linalg.norm(standard_places(carried)[60:80] - goal, axis=-1).mean() < 0.01
    np.testing.assert_array_equal(carried.given_positions[:60], motion.given_positions[:60])  # type: ignore[index]


def test_a_held_motion_stands_still_and_takes_its_record_along(data_dir: Path) -> None:
    motion = kineme.load(data_dir / "animated-drawings" / "fair1_dab.bvh")
    assert isinstance(motion, Motion)
    longer = held(motion, 5)
    assert len(longer) == len(motion) + 5
    assert len(longer.source.values) == len(longer)
    np.testing.assert_array_equal(longer.positions[-5:], np.repeat(motion.positions[-1:], 5, 0))


def test_unusable_numbers_are_named() -> None:
    root = TAKE.root_translation.copy()
    root[5] = np.nan
    with pytest.raises(InputError, match="unusable numbers"):
        check_finite(TAKE.replace(root_translation=root))
