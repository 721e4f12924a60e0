"""Rotations from positions: the places come back, and of the rotations what positions tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from bodies import INDEX, MIXAMO, angles_between, stretched, turn_angles, walkabout
from kineme import load, retarget
from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.motion import SMPL22, Motion, Segment, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.fit_rotations import _Hint, _kabsch, _twisted, fit_rotations


def bare(motion: Motion) -> Motion:
    return Motion.from_positions(motion.skeleton, motion.fps, motion.positions, labels=motion.labels)


def misses(found: Motion, places: np.ndarray) -> np.ndarray:
    """Metres (T, J) between joints."""
    return np.linalg.norm(found.positions - places, axis=-1)


@given(st.integers(0, 20))
def test_places_come_back_on_any_body(seed: int) -> None:
    body = walkabout(stretched(seed), frames=40, degrees=40, seed=seed)
    found = fit_rotations(bare(body))
    assert found.skeleton.names == JOINTS and not found.positions_only
    assert misses(found, body.positions).max() < 1e-4
    turns = found.local_rotations
    assert turns is not None
    assert np.abs(turns @ np.swapaxes(turns, -1, -2) - np.eye(3)).max() < 1e-5
    assert np.abs(np.linalg.det(turns) - 1).max() < 1e-5


def test_synthetic_people_turn_as_they_did() -> None:
    """Of the limbs that bend: there the plane of the bend tells the twist."""
    for take in generate(3, 1, 4.0):
        body = take.motion
        found = fit_rotations(bare(body))
        apart = np.median(turn_angles(found.global_rotations, body.global_rotations), axis=0)
        for name in ("left_hip", "right_hip", "left_knee", "right_knee"):
            assert apart[INDEX[name]] < 10
        assert apart[[INDEX["pelvis"], INDEX["spine3"]]].max() < 12


@pytest.mark.parametrize("trial", ["02_01", "10_03", "01_14", "64_01"])
def test_acclaim_takes_come_back_from_their_places(unpacked: Callable[..., Path], trial: str) -> None:
    """Joints within 2 mm and bones within 1 degree (they are met to the last digit)."""
    folder = unpacked("cmu/asf-amc.zip", f"*/{trial[:2]}.asf", f"*/{trial}.amc")
    body = retarget(load(folder / "asf-amc" / f"{trial}.amc")[:1500])  # type: ignore[arg-type]
    found = fit_rotations(bare(body))
    assert misses(found, body.positions).max() < 0.002
    bones = [j for j in range(1, 22) if np.linalg.norm(body.skeleton.offsets[j]) > 0.02]
    above = [PARENTS[j] for j in bones]
    here = found.positions[:, bones] - found.positions[:, above]
    there = body.positions[:, bones] - body.positions[:, above]
    assert angles_between(here, there).max() < 1
    legs = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee")]
    apart = np.median(turn_angles(found.global_rotations, body.global_rotations), axis=0)
    assert apart[legs].max() < 3


def test_all_joints_of_a_file_are_met_by_their_names(data_dir: Path) -> None:
    """31 joints of which 22 are mapped; only the head, two joints above the neck, has no bone of its own."""
    take = load(data_dir / "cmu" / "samples" / "02_01.amc")
    assert isinstance(take, Motion)
    flat = Skeleton(take.skeleton.names, (-1, *[0] * 30), take.skeleton.offsets)
    found = fit_rotations(Motion.from_positions(flat, take.fps, take.positions))
    for canonical, joint in {
        "left_wrist": "lhand",
        "right_foot": "rtoes",
        "left_collar": "lclavicle",
    }.items():
        there = take.positions[:, take.skeleton.index(joint)]
        assert np.abs(found.positions[:, INDEX[canonical]] - there).max() < 0.002


def test_what_goes_with_a_motion_stays_and_rotations_are_not_touched() -> None:
    body = walkabout().replace(labels=(Segment(0.0, 0.2, "x"),))
    found = fit_rotations(bare(body))
    assert found.labels == body.labels and found.fps == body.fps
    assert fit_rotations(body) is body


def test_the_zero_pose_is_an_upright_t_pose_whatever_the_heading() -> None:
    take = generate(5, 1, 4.0)[0].motion
    found = fit_rotations(bare(take))
    rest = found.skeleton.rest_positions
    assert rest[INDEX["left_wrist"], 0] > 0.4 and rest[INDEX["right_wrist"], 0] < -0.4
    assert abs(rest[INDEX["left_foot"], 0] - rest[INDEX["left_ankle"], 0]) < 1e-6
    assert rest[INDEX["left_foot"], 2] > rest[INDEX["left_ankle"], 2]
    assert np.abs(rest[INDEX["head"], [0, 2]]).max() < 0.08 and 1.2 < rest[INDEX["head"], 1] < 1.8
    assert found.skeleton.rest_positions[:, 1].min() >= -1e-6


def test_keypoints_without_collars_and_spine_are_fitted() -> None:
    """Hips, shoulders and limbs alone, as trackers of video give them, with noise of 5 mm."""
    body = generate(2, 1, 5.0)[0].motion
    kept = [n for n in JOINTS if not any(w in n for w in ("spine", "collar"))]
    index = [INDEX[name] for name in kept]
    skeleton = Skeleton(tuple(kept), (-1, *[0] * (len(kept) - 1)), np.zeros((len(kept), 3)))
    noise = np.random.default_rng(0).normal(size=(len(body), len(kept), 3)) * 0.005
    found = fit_rotations(Motion.from_positions(skeleton, body.fps, body.positions[:, index] + noise))
    missed = np.median(misses(found, body.positions)[:, index], axis=0)
    assert missed.max() < 0.03
    assert np.median(missed) < 0.012
    steps = turn_angles(found.local_rotations[1:], found.local_rotations[:-1])  # type: ignore[index]
    assert np.percentile(steps, 99) < 25  # no joint spins about its bone


def test_bones_that_change_their_length_are_told() -> None:
    body = bare(walkabout(frames=60))
    places = body.positions.copy()
    places[:, INDEX["left_wrist"]] += np.random.default_rng(0).normal(size=(60, 3)) * 0.2
    found = fit_rotations(Motion.from_positions(SMPL22, 30.0, places))
    assert "left_wrist is off by" in found.provenance.notes[-1]


def test_limbs_that_are_missing_and_gaps_are_refused() -> None:
    names = tuple(MIXAMO[name] for name in JOINTS if name != "left_knee")
    flat = Skeleton(names, (-1, *[0] * 20), np.zeros((21, 3)))
    with pytest.raises(InputError, match="left_knee"):
        fit_rotations(Motion.from_positions(flat, 30.0, np.zeros((3, 21, 3))))
    places = walkabout().positions.copy()
    places[3, 4] = np.nan
    with pytest.raises(InputError, match="gaps"):
        fit_rotations(Motion.from_positions(SMPL22, 30.0, places))


def test_a_single_frame_and_a_folded_body_are_fitted() -> None:
    body = walkabout(frames=1)
    assert misses(fit_rotations(bare(body)), body.positions).max() < 1e-4
    lost = np.zeros((4, 22, 3), np.float32)  # all in one place: nothing to aim at, and no fault
    assert np.isfinite(fit_rotations(Motion.from_positions(SMPL22, 30.0, lost)).local_rotations).all()  # type: ignore[arg-type]


def test_several_bones_are_aligned_as_scipy_does() -> None:
    rng = np.random.default_rng(1)
    shape, weights = rng.normal(size=(4, 3)), rng.uniform(0.1, 1, 4)
    aims = rng.normal(size=(20, 4, 3))
    ours = _kabsch(shape, aims, weights)
    for frame in range(20):
        theirs, _ = Rotation.align_vectors(aims[frame], shape, weights)
        assert np.allclose(ours[frame], theirs.as_matrix(), atol=1e-6)


def test_a_twist_is_what_its_hint_says_where_it_says_something() -> None:
    """Against a dense least-squares solution, and at the two extremes."""
    frames, fps = 50, 30.0
    axis = np.tile([1.0, 0, 0], (frames, 1))
    angle = np.linspace(0, 1.5, frames)
    clear = np.stack([np.zeros(frames), np.cos(angle), np.sin(angle)], axis=-1)
    hint = np.array([0.0, 1, 0])
    told = _twisted(np.tile(np.eye(3), (frames, 1, 1)), axis, _Hint(hint, clear), fps)
    assert np.allclose(told @ hint, clear, atol=0.03)
    faint = np.stack([np.ones(frames), np.zeros(frames), np.zeros(frames)], axis=-1)
    untold = _twisted(np.tile(np.eye(3), (frames, 1, 1)), axis, _Hint(hint, faint), fps)
    assert np.allclose(untold, np.eye(3), atol=1e-6)
    strength = np.abs(np.sin(np.linspace(0, 3, frames)))[:, None]
    mixed = clear * strength + axis * np.sqrt(1 - strength**2)
    found = _twisted(np.tile(np.eye(3), (frames, 1, 1)), axis, _Hint(hint, mixed), fps)
    step = np.diff(np.eye(frames), axis=0)
    weight, smooth = strength[:, 0] ** 2, 0.01 * (fps * 0.1) ** 2
    system = np.diag(weight + 0.01) + smooth * step.T @ step
    z = np.linalg.solve(system, weight * np.exp(1j * angle) + 0.01)
    dense = np.stack([np.zeros(frames), z.real, z.imag], axis=-1) / np.abs(z)[:, None]
    assert np.allclose(found @ hint, dense, atol=1e-6)
