"""Retargeting: the same body in other rigs' clothes must come back as itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from bodies import (
    INDEX,
    MIXAMO,
    angles_between,
    random_turns,
    rigged,
    stretched,
    turn_angles,
    walkabout,
    without,
)
from kineme.errors import InputError
from kineme.motion import SMPL22, Motion, Provenance, Segment, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.kinematics import local_from_global
from kineme.motion.retarget import _cross, retarget, to_standard_body
from kineme.motion.rigs import recognise_rig

SIDES = ("left", "right")
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in SIDES
    for a, b in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("ankle", "foot"),
    )
]


def a_pose(arms: float = 50, elbows: float = 15, legs: float = 20) -> np.ndarray:
    """(22, 3, 3): arms lowered, elbows bent forward, legs spread, in degrees; feet flat on the floor."""
    pose = np.tile(np.eye(3), (22, 1, 1))
    for side, sign in (("left", 1), ("right", -1)):
        pose[INDEX[f"{side}_shoulder"]] = Rotation.from_euler("z", -sign * arms, degrees=True).as_matrix()
        pose[INDEX[f"{side}_elbow"]] = Rotation.from_euler("y", -sign * elbows, degrees=True).as_matrix()
        spread = Rotation.from_euler("z", sign * legs, degrees=True).as_matrix()
        pose[INDEX[f"{side}_hip"]] = spread
        pose[INDEX[f"{side}_ankle"]] = spread.T
    return pose


def limb_error(source: Motion, names: dict[str, str], found: Motion) -> float:
    """Degrees, the largest angle between a limb in the source and in the canonical motion."""
    worst = 0.0
    for a, b in LIMBS:
        if a in names and b in names:
            there = source.positions[:, source.skeleton.index(names[b])]
            there = there - source.positions[:, source.skeleton.index(names[a])]
            here = found.positions[:, INDEX[b]] - found.positions[:, INDEX[a]]
            worst = max(worst, float(angles_between(there, here).max()))
    return worst


@given(st.integers(0, 30))
def test_any_choice_of_local_axes_comes_back(seed: int) -> None:
    body = walkabout(stretched(seed), seed=seed)
    take = rigged(body, axes=random_turns(22, degrees=180, seed=seed))
    found = retarget(take)
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 0.2
    assert np.allclose(found.positions, body.positions, atol=1e-4)
    assert np.allclose(found.skeleton.offsets[1:], body.skeleton.offsets[1:], atol=1e-4)


@given(st.integers(0, 10), st.floats(0, 70), st.floats(0, 30), st.floats(0, 25))
def test_an_a_pose_at_rest_comes_back(seed: int, arms: float, elbows: float, legs: float) -> None:
    body = walkabout(seed=seed)
    take = rigged(body, axes=random_turns(22, degrees=180, seed=seed), pose=a_pose(arms, elbows, legs))
    found = retarget(take)
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 0.2
    assert np.allclose(found.positions, body.positions, atol=1e-4)


def test_feet_that_follow_spread_legs_come_back() -> None:
    pose = a_pose()
    for side in SIDES:
        pose[INDEX[f"{side}_ankle"]] = np.eye(3)  # as in Acclaim files
    body = walkabout()
    found = retarget(rigged(body, pose=pose))
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_a_canonical_motion_is_left_alone(seed: int) -> None:
    body = walkabout(stretched(seed), seed=seed)
    found = retarget(body)
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 0.1
    again = retarget(found)
    assert np.allclose(again.skeleton.offsets, found.skeleton.offsets, atol=1e-5)
    assert np.allclose(again.positions, found.positions, atol=1e-5)


def test_what_is_not_geometry_is_kept() -> None:
    labels = (Segment(0, 1, "walk"),)
    take = rigged(walkabout()).replace(labels=labels, provenance=Provenance(file="a.bvh"), source=object())
    found = retarget(take)
    assert found.labels == labels and found.provenance == take.provenance and found.fps == take.fps
    assert found.skeleton.names == JOINTS and found.skeleton.parents == PARENTS
    assert found.source is None  # what was read belongs to the other skeleton
    assert np.array_equal(found.skeleton.rest_rotations, SMPL22.rest_rotations)


@pytest.mark.parametrize(
    "dropped",
    [
        {"spine2"},
        {"spine1", "spine2"},
        {"spine1", "spine2", "spine3"},
        {"left_collar", "right_collar"},
        {"left_foot", "right_foot"},
        {"head"},
        {"neck", "head", "left_foot", "right_foot", "spine2", "left_collar", "right_collar"},
    ],
    ids=lambda names: " ".join(sorted(names)),
)
def test_joints_that_a_rig_lacks_follow_their_parents(dropped: set[str]) -> None:
    take = without(walkabout(stretched(1)), dropped)
    take = take.replace(skeleton=replace(take.skeleton, end_sites=()))
    names = {name: name for name in take.skeleton.names}
    found = retarget(take)
    for name in names:
        there = take.positions[:, take.skeleton.index(name)]
        assert np.allclose(found.positions[:, INDEX[name]], there, atol=2e-3), name
    assert limb_error(take, names, found) < 0.1
    for name in dropped:
        assert turn_angles(found.local_rotations[:, INDEX[name]], np.eye(3)[None]).max() < 0.1  # rigid
    lengths = np.linalg.norm(found.skeleton.offsets, axis=1)
    assert lengths[1:].min() > 0.02  # nothing collapses


def test_hands_and_toes_that_are_bone_ends() -> None:
    body = walkabout()
    tips = {"left_elbow": "left_wrist", "right_elbow": "right_wrist", "left_ankle": "left_foot"}
    take = without(body, set(tips.values()))
    ends = tuple(
        (take.skeleton.index(joint), tuple(float(x) for x in SMPL22.offsets[INDEX[end]]))
        for joint, end in tips.items()
    )
    take = take.replace(skeleton=replace(take.skeleton, end_sites=ends))
    found = retarget(take)
    for name in tips.values():
        assert np.allclose(found.positions[:, INDEX[name]], body.positions[:, INDEX[name]], atol=1e-4), name
    assert all(JOINTS[joint] not in tips.values() for joint, _ in found.skeleton.end_sites)


def inserted(motion: Motion, child: str, share: float, degrees: float) -> Motion:
    """The motion with one more joint on the bone above `child`, which bends by up to `degrees`."""
    skeleton = motion.skeleton
    at = skeleton.index(child)
    parents = [p + (p >= at) for p in skeleton.parents]
    parents.insert(at, skeleton.parents[at])
    parents[at + 1] = at
    offsets = np.insert(skeleton.offsets, at, skeleton.offsets[at] * share, axis=0)
    offsets[at + 1] *= 1 - share
    local = np.insert(motion.local_rotations, at, random_turns(len(motion), degrees=degrees), axis=1)
    names = list(skeleton.names)
    names.insert(at, "extra")
    rig = Skeleton(tuple(names), tuple(parents), offsets)
    return motion.replace(skeleton=rig, local_rotations=local)


@pytest.mark.parametrize(
    "child", ["LeftLeg", "RightForeArm", "LeftHand", "Head", "Spine2", "LeftFoot", "RightArm"]
)
def test_bones_that_bend_between_two_joints_keep_their_direction(child: str) -> None:
    take = inserted(rigged(walkabout()), child, 0.6, degrees=30)
    found = retarget(take)
    assert limb_error(take, MIXAMO, found) < 0.1
    joint = {name: canonical for canonical, name in MIXAMO.items()}[child]
    bone = take.positions[:, take.skeleton.index(child)]
    bone = bone - take.positions[:, take.skeleton.index(MIXAMO[JOINTS[PARENTS[INDEX[joint]]]])]
    here = found.positions[:, INDEX[joint]] - found.positions[:, PARENTS[INDEX[joint]]]
    assert angles_between(bone, here).max() < 0.1


def test_a_second_root_is_folded_in() -> None:
    body = walkabout()
    take = rigged(body)
    frames = len(body)
    skeleton = Skeleton(
        ("Armature", *take.skeleton.names),
        (-1, *[p + 1 for p in take.skeleton.parents]),
        np.vstack([np.zeros((1, 3)), take.skeleton.offsets]),
    )
    turns = random_turns(frames, degrees=180, seed=7).astype(np.float32)
    travel = np.random.default_rng(1).normal(size=(frames, 3)).astype(np.float32)
    shift = np.tile(skeleton.offsets, (frames, 1, 1))
    shift[:, 1] = ((take.root_translation - travel)[:, None] @ turns)[:, 0]  # seen from the armature
    local = np.concatenate([turns[:, None], take.local_rotations], axis=1)
    local[:, 1] = np.swapaxes(turns, -1, -2) @ take.local_rotations[:, 0]
    found = retarget(Motion(skeleton, 30, travel, local, shift))
    assert np.allclose(found.positions, body.positions, atol=1e-4)
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 0.2


@pytest.mark.parametrize("yaw", [90, 180, -60])
@pytest.mark.parametrize("pitch", [0, -90])
def test_a_rest_pose_that_looks_elsewhere_or_lies_is_turned(yaw: float, pitch: float) -> None:
    body = walkabout()
    turned = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
    found = retarget(rigged(body, axes=random_turns(22, degrees=180), turned=turned))
    assert turn_angles(found.local_rotations, body.local_rotations).max() < 1
    assert found.provenance.notes == ("the rest pose was turned upright and to +Z",)


def test_without_a_rest_pose_the_motion_serves() -> None:
    body = walkabout(frames=300, degrees=25)
    take = rigged(body, axes=random_turns(22, degrees=180, seed=5))
    blind = replace(take.skeleton, rest_rotations=random_turns(22, degrees=180, seed=6))
    found = retarget(take.replace(skeleton=blind))
    assert limb_error(take, MIXAMO, found) < 0.1
    assert np.allclose(found.positions, body.positions, atol=0.02)
    assert "read off the motion" in found.provenance.notes[0]


def test_moving_bones_keep_the_direction_of_limbs() -> None:
    take = rigged(walkabout())
    shift = np.tile(take.skeleton.offsets, (len(take), 1, 1))
    shift[:, 1:] += np.random.default_rng(0).normal(size=(len(take), 21, 3)).astype(np.float32) * 0.01
    take = take.replace(local_translations=shift)
    found = retarget(take)
    assert limb_error(take, MIXAMO, found) < 0.1
    assert np.linalg.norm(found.positions[:, INDEX["left_ankle"]] - take.positions[:, 7], axis=-1).max() < 0.1


@pytest.mark.parametrize("joint", ["left_knee", "right_elbow", "right_ankle", "left_shoulder", "left_wrist"])
def test_a_limb_without_a_joint_is_refused(joint: str) -> None:
    names = MIXAMO | {joint: "Gelenk"}
    take = rigged(walkabout(), names=names).replace(provenance=Provenance(file="take.bvh"))
    take = take.replace(skeleton=replace(take.skeleton, end_sites=()))
    with pytest.raises(InputError, match=f"take.bvh: no joint was found for {joint} among .*Gelenk.*--map"):
        retarget(take)


# --- the standard body -----------------------------------------------------------------------------------


def test_the_standard_body_keeps_rotations_and_stands_where_it_stood() -> None:
    tall = SMPL22.scaled(1.2)
    still = Motion(tall, 30, np.tile(tall.offsets[:1], (4, 1)), np.tile(np.eye(3), (4, 22, 1, 1)))
    standard = to_standard_body(still)
    assert standard.skeleton is SMPL22
    assert np.allclose(standard.positions, SMPL22.rest_positions, atol=1e-5)
    body = walkabout(stretched(2))
    assert np.array_equal(to_standard_body(body).local_rotations, body.local_rotations)


def test_legs_of_another_length_keep_the_feet_on_the_floor() -> None:
    legs = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("knee", "ankle")]
    offsets = SMPL22.offsets.copy()
    offsets[legs] *= 1.3
    offsets[INDEX["left_hip"], 1] = offsets[INDEX["right_hip"], 1] = 0  # a pelvis between the hips
    longer = replace(SMPL22, offsets=offsets)
    bent = walkabout(longer, degrees=40)
    ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
    down = -bent.positions[:, ankles, 1].min(axis=1)
    bent = bent.replace(root_translation=bent.root_translation + down[:, None] * np.float32([0, 1, 0]))
    standard = to_standard_body(bent)
    assert np.abs(standard.positions[:, ankles, 1].min(axis=1)).max() < 0.01


def test_only_a_canonical_motion_takes_standard_lengths() -> None:
    with pytest.raises(InputError, match=r"retarget\(\) it first"):
        to_standard_body(rigged(walkabout()))


# --- positions only --------------------------------------------------------------------------------------


def test_positions_stay_positions() -> None:
    body = walkabout(stretched(4))
    take = rigged(body)
    order = np.random.default_rng(0).permutation(22)
    flat = Skeleton(tuple(take.skeleton.names[j] for j in order), (-1, *[0] * 21), np.zeros((22, 3)))
    found = retarget(Motion.from_positions(flat, 30, take.positions[:, order], labels=(Segment(0, 1, "x"),)))
    assert found.positions_only and found.skeleton.names == JOINTS and found.labels[0].label == "x"
    assert np.allclose(found.positions, body.positions, atol=1e-5)
    lengths = np.linalg.norm(body.skeleton.offsets[1:], axis=1)
    assert np.allclose(np.linalg.norm(found.skeleton.offsets[1:], axis=1), lengths, atol=1e-4)


def test_missing_positions_are_filled_in() -> None:
    body = walkabout(degrees=0)
    dropped = {"spine1", "spine2", "left_collar", "right_collar", "left_foot", "right_foot", "head"}
    take = without(body, dropped)
    found = retarget(Motion.from_positions(take.skeleton, 30, take.positions))
    assert np.linalg.norm(found.positions - body.positions, axis=-1).max() < 0.12
    ahead = found.positions[:, INDEX["left_foot"]] - found.positions[:, INDEX["left_ankle"]]
    assert angles_between(ahead, body.positions[:, 10] - body.positions[:, 7]).max() < 12


def test_positions_without_a_hand_are_refused_even_with_a_bone_end() -> None:
    take = without(walkabout(), {"left_wrist"})
    ends = ((take.skeleton.index("left_elbow"), (0.25, 0.0, 0.0)),)
    skeleton = replace(take.skeleton, end_sites=ends)
    assert "left_wrist" in recognise_rig(skeleton).ends
    with pytest.raises(InputError, match="no joint was found for left_wrist"):
        retarget(Motion.from_positions(skeleton, 30, take.positions))


@given(st.integers(0, 10))
def test_standard_positions_keep_the_direction_of_every_bone(seed: int) -> None:
    body = walkabout(stretched(seed), seed=seed)
    standard = to_standard_body(Motion.from_positions(body.skeleton, 30, body.positions))
    parents = list(PARENTS[1:])
    there = body.positions[:, 1:] - body.positions[:, parents]
    here = standard.positions[:, 1:] - standard.positions[:, parents]
    assert angles_between(there, here).max() < 0.1
    assert np.allclose(np.linalg.norm(here, axis=-1), np.linalg.norm(SMPL22.offsets[1:], axis=1), atol=1e-4)


def test_the_two_ways_to_the_standard_body_agree() -> None:
    body = walkabout(stretched(5), degrees=30)
    turned = to_standard_body(body)
    placed = to_standard_body(Motion.from_positions(body.skeleton, 30, body.positions))
    # `stretched` scales bones without turning them, so rotations and directions say the same
    assert np.allclose(turned.positions, placed.positions, atol=1e-4)
    assert np.allclose(local_from_global(SMPL22, turned.global_rotations), body.local_rotations, atol=1e-4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_cross_product_is_numpys_to_the_last_bit(kind: type) -> None:
    rng = np.random.default_rng(0)
    for frames in (1, 7, 300):
        a, b = (rng.normal(size=(frames, 3)).astype(kind) for _ in range(2))
        found, true = _cross(a, b), np.cross(a, b)
        assert found.dtype == true.dtype and np.array_equal(found, true)
