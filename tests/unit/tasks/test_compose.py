"""Two clips at once: who gives what, on whose skeleton, for how long; and what is said."""

from __future__ import annotations

import numpy as np
import pytest

from bodies import MIXAMO
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.formats import load
from kineme.motion import Motion, Skeleton
from kineme.motion.canonical import INDEX, JOINTS
from kineme.motion.retarget import retarget
from kineme.motion.rotations import axis_angle_to_matrix
from kineme.tasks.compose import compose


def waving(frames: int = 60, joints: tuple[str, ...] = ("right_shoulder",), fps: float = 30.0) -> Motion:
    """The canonical body, standing, that swings the named joints."""
    from kineme.motion.canonical import SMPL22

    turns = np.zeros((frames, 22, 3))
    for joint in joints:
        turns[:, INDEX[joint], 2] = 0.8 * np.sin(np.arange(frames) / 4)
    root = np.tile(SMPL22.offsets[0], (frames, 1))
    return Motion(SMPL22, fps, root, axis_angle_to_matrix(turns))


@pytest.fixture(scope="module")
def walk() -> Motion:
    return generate(1, 1, 6.0)[0].motion


def test_legs_walk_and_the_arm_waves(walk) -> None:
    wave = waving(90)
    made = compose(walk, wave)
    assert made.shares["legs"] == 1 and made.shares["right arm"] == 0
    result, count = made.motion, min(len(walk), 90)
    assert result.skeleton is walk.skeleton and len(result) == count and result.fps == walk.fps
    arm, legs = INDEX["right_shoulder"], [INDEX["left_ankle"], INDEX["right_ankle"]]
    np.testing.assert_allclose(result.local_rotations[:, arm], wave.local_rotations[:count, arm], atol=1e-5)
    np.testing.assert_allclose(result.positions[:, 0], walk.positions[:count, 0], atol=1e-5)
    assert np.abs(result.positions[:, legs] - walk.positions[:count, legs]).max() < 0.05  # feet are locked


def test_order_decides_only_the_skeleton(walk) -> None:
    first, second = compose(walk, waving(90), lock=False), compose(waving(90), walk, lock=False)
    np.testing.assert_allclose(
        first.motion.local_rotations[:, 1:], second.motion.local_rotations[:, 1:], atol=1e-4
    )


def test_mixing_is_softer_than_giving(walk) -> None:
    whole, mixed = compose(walk, waving(90)), compose(walk, waving(90), mix=True)
    assert set(whole.shares.values()) <= {0.0, 1.0}
    assert 0 < mixed.shares["right arm"] < 0.5
    turns = [m.motion.local_rotations[:, INDEX["right_shoulder"]] for m in (whole, mixed)]
    assert np.abs(turns[0] - turns[1]).max() > 0.05


def test_parts_overrule_energies(walk) -> None:
    made = compose(walk, waving(90), parts={"arms": 1.0, "legs": 0.0})
    assert made.shares["right arm"] == 1 and made.shares["legs"] == 0 and not made.warnings
    assert np.ptp(made.motion.positions[:, 0], axis=0).max() < 0.01  # the legs that stand give the way
    with pytest.raises(UsageError, match="left arm"):
        compose(walk, waving(90), parts={"tail": 1.0})


def test_parts_that_leave_nothing_to_a_clip_are_told(walk) -> None:
    made = compose(walk, waving(60), names=("walk", "wave"), parts={"upper body": 1.0})
    assert set(made.shares.values()) == {1.0}
    assert made.warnings == (
        "walk moves what --parts does not name (legs) more as well, so wave gives nothing; --parts gives it some",
    )
    every = compose(walk, waving(60), parts={"upper body": 1.0, "legs": 1.0})
    assert not every.warnings  # it was asked for


def test_lengths(walk) -> None:
    short = waving(45)
    assert len(compose(walk, short).motion) == 45
    made = compose(walk, short, seconds=2.0, names=("walk", "wave"))
    assert len(made.motion) == round(2.0 * walk.fps)
    assert any("wave is played" in note for note in made.notes)
    with pytest.raises(UsageError, match="at most 2.96 s"):
        compose(walk, short, seconds=5.0)
    with pytest.raises(UsageError, match="above 0"):
        compose(walk, short, seconds=-1.0)
    with pytest.raises(InputError, match="second has one frame"):
        compose(walk, waving(1))
    with pytest.raises(InputError, match="pose has one frame"):
        compose(waving(1), walk, names=("pose", "walk"), seconds=1.0)


def test_the_second_clip_takes_the_first_ones_rate(walk) -> None:
    made = compose(walk, waving(120, fps=60.0))
    assert len(made.motion) == 60 and made.motion.fps == walk.fps


def test_a_motionless_clip_and_a_part_wanted_twice(walk) -> None:
    still = waving(60, joints=())
    made = compose(walk, still, names=("walk", "statue"))
    assert "statue does not move" in made.warnings[0] and made.shares["right arm"] == 1
    assert np.isfinite(made.motion.positions).all()
    assert "--parts gives it some" in made.warnings[0]
    assert not compose(walk, still, parts={"arms": 0.0}).warnings  # what it asks for was done
    nothing = compose(still, waving(60, joints=()))
    assert len(nothing.warnings) == 1 and "neither" in nothing.warnings[0]
    np.testing.assert_allclose(nothing.motion.positions, still.positions, atol=1e-4)
    twice = compose(waving(60), waving(50, ("right_shoulder", "left_shoulder")))
    assert len(twice.warnings) == 1 and "single body part" in twice.warnings[0]


def test_another_rig_goes_onto_the_first_ones_skeleton(walk) -> None:
    canonical = waving(60)
    names = tuple(MIXAMO[joint] for joint in JOINTS)
    fingers = ("LeftHandIndex1",)
    skeleton = Skeleton(
        (*names, *fingers),
        (*canonical.skeleton.parents, INDEX["left_wrist"]),
        np.vstack([canonical.skeleton.offsets * 1.1, [[0.05, 0, 0]]]),
    )
    turns = np.concatenate([canonical.local_rotations, np.broadcast_to(np.eye(3), (60, 1, 3, 3))], axis=1)
    rig = Motion(skeleton, 30.0, canonical.root_translation * 1.1, turns)
    made = compose(rig, walk)
    assert made.motion.skeleton is skeleton and "retargeted" in " ".join(made.notes)
    body = retarget(made.motion)
    np.testing.assert_allclose(body.global_rotations[:, INDEX["right_shoulder"]].shape, (60, 3, 3))
    lengths = np.linalg.norm(np.diff(made.motion.positions[:, [1, 4, 7]], axis=1), axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), atol=1e-4)
    assert made.skate_after < 1.0 or np.isnan(made.skate_after)


def test_who_gives_nothing_is_named(walk) -> None:
    made = compose(walk, waving(90).replace(local_rotations=slower(waving(90))), names=("walk", "wave"))
    assert set(made.shares.values()) == {1.0}
    assert "walk moves every part more than wave" in made.warnings[0]


@pytest.mark.parametrize("how", [{}, {"mix": True}, {"parts": {"torso": 0.0}}])
def test_a_rate_that_leaves_nothing_is_named_as_the_reason(walk, how) -> None:
    made = compose(walk, waving(90), names=("walk", "wave"), rate=0.0, **how)
    assert set(made.shares.values()) == {0.0}
    assert "at a rate of 0, walk gives nothing" in made.warnings[0] and "more" not in made.warnings[0]


@pytest.mark.parametrize("share", [2.0, -0.1, float("nan"), float("inf"), "wave", None])
def test_shares_that_are_none_are_refused(walk, share) -> None:
    with pytest.raises(UsageError, match="from 0 to 1; arms has"):
        compose(walk, waving(90), parts={"arms": share})


@pytest.mark.parametrize("pair", [("walk.bvh", 1), (1, "walk.bvh"), ([1], 1)])
def test_what_is_no_motion_is_refused(walk, pair) -> None:
    with pytest.raises(UsageError, match="read a file with kineme.load"):
        compose(*(walk if one == 1 else one for one in pair))


def slower(motion: Motion) -> np.ndarray:
    """Its rotations, of which the first half lasts for all of it, by a tenth."""
    assert motion.local_rotations is not None
    return motion.local_rotations[np.arange(len(motion)) // 30]


class _Copy:
    """Fills in by what it is given: as if nothing was hidden."""

    size, patch = 48, 16

    def fill(self, pictures, kept):
        return pictures


def test_refinement_lowers_its_loss_and_keeps_the_pelvis(walk) -> None:
    from kineme.body import CapsuleBody
    from kineme.body.posing import SkinnedBody
    from kineme.models.compose.refine import Refinement
    from kineme.tasks.compose_refine import Descent, refine

    a = compose(walk, waving(40)).sources[0]
    turns = np.zeros((len(a), 22, 3))
    turns[:, INDEX["right_shoulder"], 2] = 0.15  # both actions have the arm elsewhere
    wrong = a.replace(local_rotations=a.local_rotations @ axis_angle_to_matrix(turns))
    loss = Refinement(SkinnedBody(CapsuleBody().skin, 1500), _Copy())
    energies = (np.ones(22), np.ones(22))
    told = []
    better, before, after = refine(
        wrong,
        (a, a),
        energies,
        np.ones(22),
        loss,
        Descent(steps=15, hold=0.0),
        lambda *step: told.append(step),
    )
    assert after < 0.9 * before
    looks = [done for done, _, _ in told]
    assert looks == sorted(looks) and looks[0] == 0 and looks[-1] == told[0][1] == 18
    np.testing.assert_array_equal(better.local_rotations[:, 0], a.local_rotations[:, 0])
    np.testing.assert_allclose(np.linalg.det(better.local_rotations), 1, atol=1e-4)
    refined = compose(walk, waving(40), refinement=loss)
    assert any("refinement" in note and "loss" in note for note in refined.notes)


def test_refinement_looks_at_few_frames_and_never_makes_it_worse(walk) -> None:
    from kineme.tasks.compose_refine import MOST, refine

    class Flat:
        """A loss without anything to gain."""

        def __init__(self):
            self.seen = []

        def __call__(self, decoded, pairs, chosen):
            self.seen.append(len(chosen))
            return 1 + 0 * decoded.sum()

    a = compose(waving(900), waving(900)).sources[0]
    loss, told = Flat(), []
    made, before, after = refine(
        a,
        (a, a),
        (np.ones(22),) * 2,
        np.ones(22),
        loss,
        progress=lambda *step: told.append(step),  # type: ignore[arg-type]
    )
    assert made is a and after == before == pytest.approx(1)
    assert told[0][2] == MOST and max(loss.seen) <= MOST // 2


def test_positions_only_is_fitted(walk) -> None:
    places = Motion.from_positions(walk.skeleton, walk.fps, walk.positions)
    made = compose(places, waving(60))
    assert not made.motion.positions_only and "positions only" in " ".join(made.notes)


def test_real_clips_walk_and_wave(unpacked) -> None:
    folder = unpacked(
        "bandai-namco/dataset-2.zip", "*_walk_normal_001.bvh", "*_wave-right-hand_normal_001.bvh"
    )
    walk, wave = (
        load(folder / "dataset-2" / f"dataset-2_{name}_normal_001.bvh")
        for name in ("walk", "wave-right-hand")
    )
    made = compose(walk, wave)
    assert made.shares == {"left arm": 1, "right arm": 0, "legs": 1, "torso": 1, "head": 1}
    assert made.skate_after < 0.5 < made.skate_before
    assert made.motion.skeleton is walk.skeleton
    hand = walk.skeleton.index("Hand_R")
    assert np.median(made.motion.positions[:, hand, 1]) > 1.1


@pytest.mark.parametrize("parts", [None, {"arms": 0.0}])
def test_the_same_clip_twice_comes_out_as_it_is(walk, parts) -> None:
    made = compose(walk, walk, names=("walk (1)", "walk (2)"), parts=parts)
    assert made.warnings == ("walk (1) and walk (2) are the same motion, so walk (1) comes out as it is",)
    np.testing.assert_array_equal(made.motion.local_rotations, walk.local_rotations)
    np.testing.assert_array_equal(made.motion.root_translation, walk.root_translation)
    assert set(made.shares.values()) == {1.0}


def test_parts_that_move_alike_are_the_first_clips(walk) -> None:
    """Mirrored in time a motion has the same energies, up to rounding."""
    assert walk.local_rotations is not None
    back = walk.replace(
        local_rotations=walk.local_rotations[::-1], root_translation=walk.root_translation[::-1]
    )
    for pair in ((walk, back), (back, walk)):
        assert set(compose(*pair).shares.values()) == {1.0}


def test_a_rest_pose_at_the_start_is_told(walk) -> None:
    root, turns = walk.root_translation.copy(), walk.local_rotations.copy()
    root[0], turns[0] = walk.skeleton.offsets[0], walk.skeleton.rest_rotations
    posed = walk.replace(root_translation=root, local_rotations=turns)
    for pair, name in (((posed, waving(200)), "first"), ((waving(200), posed), "second")):
        made = compose(*pair)
        assert f"{name} begins with a rest pose, which was left out" in made.notes
        assert len(made.motion) == len(walk) - 1


def test_a_clip_shorter_than_an_atom_is_refused(walk) -> None:
    with pytest.raises(InputError, match=r"short lasts 0.07 s; give at least 0.4 s"):
        compose(walk, waving(2), names=("walk", "short"))
    assert len(compose(walk, waving(12)).motion) == 12


def test_energies_do_not_depend_on_the_order(walk) -> None:
    """Another rate, another size, another length."""
    wave = waving(70, fps=24.0)
    wave = wave.replace(skeleton=wave.skeleton.scaled(1.3), root_translation=1.3 * wave.root_translation)
    one, other = compose(walk, wave).energies, compose(wave, walk).energies
    for part in one[0]:
        assert (one[0][part], one[1][part]) == (other[1][part], other[0][part])


def test_on_the_standard_body_feet_stand_too(walk) -> None:
    tall = walk.skeleton.scaled(1.2)
    legs = np.ones((22, 1))
    legs[[INDEX["left_knee"], INDEX["right_knee"]]] = 0.8  # other proportions: feet would slide
    tall = Skeleton(tall.names, tall.parents, tall.offsets * legs)
    first = walk.replace(skeleton=tall, root_translation=walk.root_translation * 1.1)
    free, made = (
        compose(first, waving(150), standard=True, lock=lock, names=("walk", "wave"))
        for lock in (False, True)
    )
    assert made.motion.skeleton.names == JOINTS
    assert made.skate_after < 0.5 < free.skate_after
    assert "the result is on the standard body (SMPL), not on the skeleton of walk" in made.notes
    plain = compose(waving(150), walk, standard=True)  # it is that body
    assert not any("SMPL" in note for note in plain.notes)
