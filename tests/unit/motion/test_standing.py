"""Feet that stand on one body's floor stand on the other's, whatever their ankles, legs and floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kineme.corpus.synthetic import generate
from kineme.formats import load
from kineme.formats.rest_pose import drop_rest_frame
from kineme.motion import Motion
from kineme.motion.canonical import INDEX, SIDES, SMPL22
from kineme.motion.feet import FEET
from kineme.motion.retarget import canonical_places, retarget, to_body
from kineme.motion.rotations import axis_angle_to_matrix
from kineme.motion.skeleton import Skeleton
from kineme.motion.standing import contacts, same_lengths, stand_on
from kineme.tasks.onto import onto

TAKE = generate(1, 1, 6.0)[0].motion


def body(leg: float, ankle: float, toes: float) -> Skeleton:
    """SMPL's with legs, height of ankles and length of feet so many times its own, on the floor at rest."""
    offsets = SMPL22.offsets.copy()
    for side in SIDES:
        offsets[[INDEX[f"{side}_knee"], INDEX[f"{side}_ankle"]]] *= leg
        offsets[INDEX[f"{side}_foot"]] *= [1, ankle, toes]
    grown = Skeleton(SMPL22.names, SMPL22.parents, offsets)
    up = grown.rest_positions[0, 1] - grown.rest_positions[:, 1].min()
    return replace(grown, offsets=np.vstack([[[0, up, 0]], offsets[1:]]))


def standing(skeleton: Skeleton, floor: float, frames: int = 30) -> Motion:
    """A body that stands in its rest pose, on a floor at this height."""
    root = np.tile(skeleton.offsets[0] + [0, floor, 0], (frames, 1))
    return Motion(skeleton, 30.0, root, np.tile(np.eye(3), (frames, 22, 1, 1)))


def heights(motion: Motion, down: np.ndarray) -> list[float]:
    places = canonical_places(motion)[0][:, FEET, 1]
    return [float(np.median(places[down[:, side], side])) for side in (0, 1)]


sizes = st.builds(body, st.floats(0.7, 1.4), st.floats(0.3, 2.5), st.floats(0.7, 1.6))


@settings(max_examples=30)
@given(one=sizes, other=sizes, floors=st.tuples(st.floats(-0.1, 0.1), st.floats(0.0, 0.1)))
def test_who_stands_there_stands_here(one: Skeleton, other: Skeleton, floors: tuple[float, float]) -> None:
    assume(not same_lengths(one, other))
    source = to_body(TAKE, one)
    source = source.replace(root_translation=source.root_translation + np.float32([0, floors[0], 0]))
    like = standing(other, floors[1])
    made, down = stand_on(source, like), contacts(source)
    assert down is not None
    np.testing.assert_allclose(heights(made, down), heights(like, contacts(like)), atol=0.01)
    assert made.positions[:, FEET, 1].min() > like.positions[:, FEET, 1].min() - 0.021
    np.testing.assert_array_equal(made.skeleton.offsets, other.offsets)
    others = [j for j in range(22) if j not in (1, 2, 4, 5)]  # only hips and knees bend
    np.testing.assert_allclose(
        made.global_rotations[:, others], source.global_rotations[:, others], atol=1e-4
    )


def test_on_the_same_body_nothing_is_moved() -> None:
    """A jump in one file of a rig stays one: its floor is that of the other file."""
    up = TAKE.replace(root_translation=TAKE.root_translation + np.float32([0, 0.4, 0]))
    made = stand_on(up, standing(TAKE.skeleton, 0.0))
    np.testing.assert_array_equal(made.root_translation, to_body(up, TAKE.skeleton).root_translation)


def test_without_a_foot_on_the_floor_the_rest_poses_say_where_it_is() -> None:
    like = standing(body(1.2, 2.0, 1.0), 0.0)
    up = TAKE.replace(root_translation=TAKE.root_translation + np.float32([0, 0.6, 0]))
    turns = np.zeros((len(TAKE), 22, 3))
    turns[:, [INDEX["left_hip"], INDEX["right_hip"]], 0] = 0.3 * np.sin(np.arange(len(TAKE)))[:, None]
    swings = up.replace(local_rotations=axis_angle_to_matrix(turns).astype(np.float32))
    assert contacts(swings) is None
    legs = [np.linalg.norm(m.skeleton.offsets[[4, 7]], axis=1).sum() for m in (like, TAKE)]
    hips = [m.positions[:, [1, 2], 1].mean(1) for m in (stand_on(swings, like), swings)]
    rest = [m.skeleton.rest_positions[[1, 2], 1].mean() for m in (like, TAKE)]
    np.testing.assert_allclose(hips[0] - rest[0], (hips[1] - rest[1]) * legs[0] / legs[1], atol=1e-4)


def test_a_treadmill_has_a_floor_too() -> None:
    way = np.zeros((len(TAKE), 3), np.float32)
    way[:, 2] = np.arange(len(TAKE)) / TAKE.fps  # feet slide at a metre a second
    slides = TAKE.replace(root_translation=TAKE.root_translation + way)
    down = contacts(slides)
    assert down is not None and down.any()
    assert slides.positions[:, FEET, 1][down].max() < 0.05


@pytest.fixture(scope="module")
def real(unpacked, data_dir) -> dict[str, Motion]:
    files = {
        "walk": next(unpacked("bandai-namco/dataset-2.zip", "*_walk_normal_001.bvh").rglob("*walk*.bvh")),
        "acclaim": next(unpacked("cmu/asf-amc.zip", "*/02*").rglob("02_01.amc")),
        "jacks": data_dir / "animated-drawings" / "cmu1_jumping_jacks.bvh",
        "zombie": data_dir / "animated-drawings" / "fair1_zombie.bvh",
    }
    return {name: drop_rest_frame(load(path)) for name, path in files.items()}


@pytest.mark.parametrize(
    "target, source",
    [("walk", "acclaim"), ("walk", "jacks"), ("jacks", "walk"), ("zombie", "walk"), ("acclaim", "zombie")],
)
@pytest.mark.parametrize("bare", [False, True])
def test_real_rigs(real: dict[str, Motion], target: str, source: str, bare: bool) -> None:
    """Also onto places without rotations."""
    like, motion = real[target], real[source]
    if bare:
        like = Motion.from_positions(like.skeleton, like.fps, like.positions)
    made = onto(motion, like)
    down, there = contacts(retarget(motion)), contacts(retarget(like))
    assert down is not None and there is not None
    want, got = heights(like, there), heights(made, down)
    assert abs(np.mean(got) - np.mean(want)) < 0.005
    np.testing.assert_allclose(got, want, atol=0.013)  # the rigs' own left and right differ by a centimetre
    lowest = [canonical_places(m)[0][:, FEET, 1].min() for m in (made, like)]
    assert bare or lowest[0] > min(lowest[1], np.mean(want) - 0.02) - 0.005
