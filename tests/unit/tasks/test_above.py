"""A root above the pelvis stands as it stood, or goes along, and the pelvis carries what is made."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, make_network
from kineme.models.a4mer.model import standard_positions
from kineme.motion import Motion
from kineme.motion.frame import facing_angle, turn
from kineme.motion.rotations import yaw_matrix
from kineme.tasks.interpolate import Filled, interpolate, interpolate_between
from kineme.tasks.predict import predict

TAKES = [take.motion for take in generate(4, 3, 12.0, 30.0)]


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    """Heads that were not trained: they recall, and that is enough here."""
    base = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
    config = HeadConfig(context_seconds=3.0, longest=2.0, near=8, waves=12, recalled=8, hidden=16, steps=1)
    bank = TakeBank([standard_positions(motion) for motion in TAKES[1:]], 30.0)
    made = {}
    for kind in ("predictor", "interpolator"):
        held = build_bank(base.network, [(bank, 0.5)], config, kind)
        made[kind] = Head(kind, config, base, make_network(config, base, kind).eval(), held.library)
    return made


def grounded(motion: Motion, *, goes: bool, at: tuple[float, float, float] = (0.25, 0.0, -0.5)) -> Motion:
    """The same motion under a root on the ground that stands `at` a place, or goes along and turns."""
    own = motion.skeleton
    skeleton = type(own)(
        ("root", *own.names), (-1, *(p + 1 for p in own.parents)), np.vstack([np.zeros((1, 3)), own.offsets])
    )
    assert motion.local_rotations is not None
    count = len(motion)
    place, turns = np.tile(np.array(at), (count, 1)), np.tile(yaw_matrix(0.3), (count, 1, 1))
    if goes:
        place = motion.root_translation * np.array([1, 0, 1]) + np.array(at) * 0.1
        turns = yaw_matrix(np.unwrap(facing_angle(motion.positions)) + 0.3)
    back = np.swapaxes(turns, -1, -2)
    local = np.concatenate([turns[:, None], motion.local_rotations], axis=1)
    local[:, 1] = back @ motion.local_rotations[:, 0]
    moves = np.tile(skeleton.offsets, (count, 1, 1))
    moves[:, 0] = place
    moves[:, 1] = np.einsum("tab,tb->ta", back, motion.root_translation - place)
    return Motion(skeleton, motion.fps, place, local, moves)


def places_alone(motion: Motion) -> Motion:
    """Its joints' places without rotations."""
    return Motion.from_positions(motion.skeleton, motion.fps, motion.positions)


def root_of(motion: Motion) -> list[bytes]:
    """The root's numbers, a text of bytes a frame."""
    turns = motion.local_rotations
    parts = [motion.root_translation] + ([] if turns is None else [turns[:, 0]])
    return [b"".join(part[frame].tobytes() for part in parts) for frame in range(len(motion))]


def steps_of(motion: Motion) -> np.ndarray:
    """(T - 1, J) metres a second."""
    return np.linalg.norm(np.diff(motion.positions.astype(np.float64), axis=0), axis=-1) * motion.fps


def changes_of(motion: Motion) -> np.ndarray:
    """(T - 2, J) metres a second by which velocities change."""
    way = np.diff(motion.positions.astype(np.float64), axis=0) * motion.fps
    return np.linalg.norm(np.diff(way, axis=0), axis=-1)


@pytest.mark.parametrize("bare", [False, True])
def test_a_root_that_stands_stays_bit_by_bit(heads: dict[str, Head], bare: bool) -> None:
    take = grounded(TAKES[0], goes=False)
    other = turn(grounded(TAKES[1], goes=False, at=(2.0, 0.0, 1.0)), 1.0)[60:150]
    if bare:
        take, other = places_alone(take), places_alone(other)
    made = [
        interpolate(take, 4.0, 5.0, heads["interpolator"]).motion,
        predict(take[:200], 1.0, heads["predictor"])[0].motion,
        interpolate_between(take[:120], other, 0.8, heads["interpolator"]).motion,
    ]
    for motion in made:
        assert set(root_of(motion)) == {root_of(take)[0]}
        assert steps_of(motion).max() < 1.5 * max(steps_of(take).max(), steps_of(other).max())


def test_a_standing_root_alters_nothing_that_the_body_does(heads: dict[str, Head]) -> None:
    """With and without it the same motion is made."""
    take = grounded(TAKES[0], goes=False)
    plain, under = (interpolate(m, 4.0, 5.0, heads["interpolator"]).motion for m in (TAKES[0], take))
    np.testing.assert_allclose(under.positions[:, 1:], plain.positions, atol=5e-3)
    plain, under = (predict(m[:200], 1.0, heads["predictor"])[0].motion for m in (TAKES[0], take))
    np.testing.assert_allclose(under.positions[:, 1:], plain.positions, atol=5e-3)


def test_a_root_that_goes_along_goes_on(heads: dict[str, Head]) -> None:
    take = grounded(TAKES[0], goes=True)
    filled = interpolate(take, 4.0, 5.0, heads["interpolator"])
    future = predict(take[:200], 1.0, heads["predictor"])[0]
    joined = interpolate_between(take[:120], turn(take, 2.0)[200:290], 0.8, heads["interpolator"])
    for motion, seams in (
        (filled.motion, (filled.start, filled.stop)),
        (future.motion, (future.frame,)),
        (joined.motion, (joined.start, joined.stop)),
    ):
        off = (motion.positions[:, 0] - motion.positions[:, 1])[:, [0, 2]]
        assert np.linalg.norm(off, axis=1).max() < 0.3  # below the body
        np.testing.assert_allclose(motion.positions[:, 0, 1], 0, atol=1e-5)  # on the ground
        changes = changes_of(motion)[:, 0]
        usual = changes_of(take)[:, 0].max()
        for seam in seams:
            assert changes[seam - 3 : seam + 2].max() < usual + 0.3
    outside = np.r_[0 : filled.start, filled.stop : len(take)]
    assert filled.motion.root_translation[outside].tobytes() == take.root_translation[outside].tobytes()
    one, other = root_of(filled.motion), root_of(take)
    assert all(one[k] == other[k] for k in outside)


def test_a_retargeted_second_take_goes_on_under_the_firsts_root(heads: dict[str, Head]) -> None:
    larger = TAKES[1].replace(skeleton=TAKES[1].skeleton.scaled(1.3))[:90]
    for goes in (True, False):
        first = grounded(TAKES[0][:120], goes=goes)
        joined: Filled = interpolate_between(first, larger, 0.8, heads["interpolator"])
        assert joined.notes
        off = (joined.motion.positions[:, 0] - joined.motion.positions[:, 1])[:, [0, 2]]
        if goes:
            assert np.linalg.norm(off, axis=1).max() < 0.5
        else:
            assert len(set(root_of(joined.motion))) == 1
        assert steps_of(joined.motion).max() < 2 * steps_of(TAKES[0]).max()


def test_a_pelvis_that_stands_fast_in_its_root_is_carried_by_it(heads: dict[str, Head]) -> None:
    """No translation of its own: the root is all that can move."""
    take = grounded(TAKES[0], goes=True)
    assert take.local_rotations is not None
    fast = Motion(take.skeleton, take.fps, TAKES[0].root_translation, take.local_rotations)
    made = predict(fast[:200], 1.0, heads["predictor"])[0].motion
    assert made.local_translations is None
    assert steps_of(made)[199:].max() < 1.5 * steps_of(fast).max()


@pytest.mark.parametrize("which", [0, 1])
def test_a_take_of_one_frame_cannot_be_joined(heads: dict[str, Head], which: int) -> None:
    takes = [TAKES[0][:60], TAKES[1][:60]]
    takes[which] = takes[which][:1]
    with pytest.raises(InputError, match="an atom, must be seen"):
        interpolate_between(takes[0], takes[1], 0.5, heads["interpolator"])
