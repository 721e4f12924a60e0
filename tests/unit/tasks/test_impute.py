"""A damaged take comes back with its own skeleton, and nothing but the damage is changed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kineme.errors import InputError
from kineme.formats import load, save
from kineme.motion import Motion
from kineme.motion.canonical import INDEX, JOINTS, PARENTS
from kineme.motion.kinematics import forward_kinematics
from kineme.tasks.ascent import Ascent
from kineme.tasks.impute import estimate_channels, impute
from kineme.tasks.joins import join_ends
from kineme.tasks.missing import Span
from kineme.tasks.restore import best_turn, bone_lengths, fit_rotations
from small_hgvae import small_bank, small_hgvae, takes

QUICK = Ascent(2, 1.0, True, 1)


def _spans(*joints: str, start: int = 30, stop: int = 60) -> list[Span]:
    return [Span(joint, start, stop, "named") for joint in joints]


def _bones(motion: Motion) -> np.ndarray:
    places = motion.positions
    return np.linalg.norm(places[:, 1:] - places[:, list(motion.skeleton.parents[1:])], axis=-1)


@pytest.mark.parametrize("positions_only", [False, True])
def test_everything_else_is_the_same_bits_and_bones_keep_their_lengths(positions_only) -> None:
    motion = takes()[0]
    if positions_only:
        motion = Motion.from_positions(motion.skeleton, motion.fps, motion.positions)
    spans = _spans("left_shoulder", "left_elbow", "left_wrist")
    repair = impute(motion, spans, small_hgvae(), ascent=QUICK, samples=2)
    missing = np.zeros((len(motion), 22), dtype=bool)
    missing[30:60, [INDEX[s.joint] for s in spans]] = True
    for name in ("local_rotations", "given_positions"):
        old, new = getattr(motion, name), getattr(repair.motion, name)
        if old is not None:
            assert np.array_equal(old[~missing], new[~missing])
            assert not np.array_equal(old[missing], new[missing])
    assert np.array_equal(motion.root_translation, repair.motion.root_translation)
    np.testing.assert_allclose(_bones(repair.motion), _bones(motion), atol=2e-4)
    assert repair.motion.skeleton is motion.skeleton and repair.motion.fps == motion.fps


def test_a_bvh_keeps_the_numbers_of_its_other_channels(tmp_path) -> None:
    save(takes()[1], tmp_path / "take.bvh")
    motion = load(tmp_path / "take.bvh")
    repair = impute(motion, _spans("right_knee", stop=45), small_hgvae(), ascent=QUICK, samples=2)
    save(repair.motion, tmp_path / "fixed.bvh")
    old, new = ((tmp_path / name).read_text().splitlines() for name in ("take.bvh", "fixed.bvh"))
    first = next(k for k, line in enumerate(old) if line.startswith("Frame Time")) + 1
    assert old[:first] == new[:first]
    changed = {
        (row - first, column)
        for row in range(first, len(old))
        for column, (a, b) in enumerate(zip(old[row].split(), new[row].split(), strict=True))
        if a != b
    }
    joint = motion.skeleton.names.index("right_knee")
    columns = set(range(motion.source.joints[joint].column, motion.source.joints[joint].column + 3))
    assert changed and {c for _, c in changed} <= columns and {r for r, _ in changed} <= set(range(30, 45))


def test_a_joint_between_two_sound_ones_stays_between_them() -> None:
    """An elbow of positions: both bones keep their lengths though shoulder and wrist do not move."""
    whole = takes()[2]
    motion = Motion.from_positions(whole.skeleton, whole.fps, whole.positions)
    made = impute(motion, _spans("right_elbow"), small_hgvae(), ascent=QUICK, samples=2).motion
    np.testing.assert_allclose(_bones(made), _bones(motion), atol=1e-3)


def test_what_stood_in_the_gap_does_not_matter() -> None:
    motion = takes()[0]
    rotations = motion.local_rotations.copy()
    rotations[30:60, INDEX["left_elbow"]] = Rotation.random(30, random_state=1).as_matrix()
    spans = _spans("left_elbow")
    found = [
        impute(m, spans, small_hgvae(), ascent=QUICK, samples=2).motion.local_rotations
        for m in (motion, motion.replace(local_rotations=rotations))
    ]
    assert np.array_equal(found[0], found[1])


def test_intervals_stand_around_what_was_repaired() -> None:
    motion = takes()[0]
    repair = impute(motion, _spans("left_elbow", stop=40), small_hgvae(), ascent=QUICK, samples=2)
    assert {(i.frame, i.joint) for i in repair.intervals} == {(f, "left_wrist") for f in range(30, 40)}
    for row in repair.intervals:
        assert (row.low < row.value).all() and (row.value < row.high).all()
    assert repair.bridged_only == ()
    assert impute(motion, _spans("left_wrist"), small_hgvae()).bridged_only == ("left_wrist",)


def test_bad_gaps_are_refused() -> None:
    motion, model = takes()[0], small_hgvae()
    with pytest.raises(InputError, match="all joints are missing"):
        impute(motion, _spans(*JOINTS, start=0, stop=len(motion)), model)
    with pytest.raises(InputError, match="nothing is missing"):
        impute(motion, [], model)
    rotations = motion.local_rotations.copy()
    rotations[3, 3] = np.nan
    with pytest.raises(InputError, match="outside the declared gap"):
        impute(motion.replace(local_rotations=rotations), _spans("head"), model)


def test_a_clip_shorter_than_a_window_and_a_long_one() -> None:
    model, bank = small_hgvae(), small_bank()
    for frames in (9, 75):
        values = bank.values[:frames]
        missing = np.zeros(values.shape, dtype=bool)
        missing[2:-2, 9:12] = True
        found = estimate_channels(values, missing, model, QUICK, 2)
        assert np.array_equal(found.values[~missing], values[~missing])
        assert np.isfinite(found.values).all() and (found.deviation[missing] > 0).all()


def test_filled_stretches_join_the_frames_beside_them() -> None:
    line = np.arange(30.0)[:, None] * np.ones((1, 2))
    missing = np.zeros(line.shape, dtype=bool)
    missing[10:20, 0], missing[:4, 1], missing[15, 1] = True, True, True
    made = join_ends(np.where(missing, line + 5, line), missing, 8)
    assert np.array_equal(made[~missing], line[~missing])
    np.testing.assert_allclose(made[[10, 19], 0], line[[10, 19], 0])
    assert (np.diff(made[10:15, 0] - line[10:15, 0]) > 0).all() and (made[10:20] <= line[10:20] + 5).all()
    assert made[0, 1] == 5 and made[3, 1] == 3  # nothing stands before the first frame
    assert made[15, 1] == pytest.approx(15)  # both ends of a single frame


def test_rotations_are_fitted_to_places() -> None:
    """Places that rotations made are reached again by turning the same joints."""
    motion = takes()[0][:20]
    rng = np.random.default_rng(0)
    loose = np.zeros((20, 22), dtype=bool)
    loose[4:15, [INDEX[n] for n in ("left_shoulder", "left_elbow", "right_hip", "spine2")]] = True
    local = motion.local_rotations.copy()
    local[loose] = local[loose] @ Rotation.from_rotvec(rng.normal(size=(loose.sum(), 3)) * 0.4).as_matrix()
    targets, _ = forward_kinematics(motion.skeleton, local.astype(np.float32), motion.root_translation)
    turns = fit_rotations(motion, targets, loose)
    made = np.swapaxes(turns[:, list(PARENTS[1:])], -1, -2) @ turns[:, 1:]
    assert np.abs(made[~loose[:, 1:]] - motion.local_rotations[:, 1:][~loose[:, 1:]]).max() < 1e-5
    whole = np.concatenate([turns[:, :1], made], axis=1).astype(np.float32)
    reached, _ = forward_kinematics(motion.skeleton, whole, motion.root_translation)
    np.testing.assert_allclose(reached, targets, atol=2e-3)


def test_the_best_turn_is_scipys() -> None:
    rng = np.random.default_rng(1)
    before, turn = rng.normal(size=(1, 4, 3)), Rotation.random(random_state=2)
    after = turn.apply(before[0])[None] + 0.01 * rng.normal(size=(1, 4, 3))
    expected, _ = Rotation.align_vectors(after[0], before[0])
    np.testing.assert_allclose(best_turn(before, after, np.ones(4))[0], expected.as_matrix(), atol=1e-4)


def test_bone_lengths_look_at_sound_frames_only() -> None:
    motion = takes()[0]
    places = motion.positions.copy()
    places[:50, INDEX["head"]] += 5
    missing = np.zeros((len(motion), 22), dtype=bool)
    missing[:50, INDEX["head"]] = True
    lengths = bone_lengths(Motion.from_positions(motion.skeleton, motion.fps, places), missing)
    own = np.linalg.norm(motion.skeleton.offsets[INDEX["head"]])
    assert lengths[INDEX["head"], INDEX["neck"]] == pytest.approx(own, rel=1e-4)
