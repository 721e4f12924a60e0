"""Futures and filled gaps in the user's own skeleton, rate and file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kineme
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, make_network
from kineme.models.a4mer.model import standard_positions
from kineme.motion import Motion
from kineme.motion.frame import turn
from kineme.motion.time import resample
from kineme.nn.moments import Cuts
from kineme.tasks.interpolate import interpolate, interpolate_between
from kineme.tasks.predict import predict, predict_clips

TAKES = [take.motion for take in generate(4, 4, 12.0, 30.0)]


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    """Heads that were not trained: they recall, and that is enough for what is tested here."""
    base = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
    config = HeadConfig(context_seconds=3.0, longest=2.0, near=8, waves=12, recalled=8, hidden=16, steps=1)
    bank = TakeBank([standard_positions(motion) for motion in TAKES[1:]], 30.0)
    made = {}
    for kind in ("predictor", "interpolator"):
        held = build_bank(base.network, [(bank, 0.5)], config, kind)
        made[kind] = Head(kind, config, base, make_network(config, base, kind).eval(), held.library)
    return made


def speed_changes(motion: Motion) -> np.ndarray:
    """(T - 2,) metres a second by which joints change their velocity from one frame step to the next,
    mean."""
    velocity = np.diff(motion.positions.astype(np.float64), axis=0) * motion.fps
    return np.linalg.norm(np.diff(velocity, axis=0), axis=-1).mean(-1)


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_a_future_joins_the_past_in_place_and_velocity(heads: dict[str, Head], fps: float) -> None:
    motion = resample(TAKES[0], fps)[: int(8 * fps)]
    for prediction in predict(motion, 1.0, heads["predictor"], samples=3):
        made = prediction.motion
        assert (prediction.frame, len(made)) == (len(motion), len(motion) + fps)
        np.testing.assert_array_equal(made.positions[: len(motion)], motion.positions)
        steps = np.linalg.norm(np.diff(made.positions, axis=0), axis=-1).max(-1)
        around = slice(len(motion) - 2, len(motion) + 2)
        assert steps[around].max() < 3.0 / fps + steps[: len(motion) - 1].max()
        changes = speed_changes(made)
        # no more than where the take itself turns quickest, within the half second that follows
        assert changes[len(motion) - 2] < max(changes[: len(motion) - 2].max(), 15.0 / fps)


def test_samples_differ_and_come_again(heads: dict[str, Head]) -> None:
    motion = TAKES[0][:200]
    first, again, other = (predict(motion, 1.0, heads["predictor"], samples=5, seed=s) for s in (0, 0, 1))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.motion.positions, b.motion.positions)
    ends = np.stack([p.motion.positions[-1] for p in first])
    for a in range(5):
        for b in range(a):
            assert np.linalg.norm(ends[a] - ends[b], axis=-1).mean() > 1e-3
    changed = [
        np.abs(a.motion.positions - b.motion.positions).max() for a, b in zip(first, other, strict=True)
    ]
    assert max(changed) > 1e-3


def test_beyond_its_reach_it_goes_on_from_its_own_future(heads: dict[str, Head]) -> None:
    motion = TAKES[0][:200]
    short, long = (predict(motion, s, heads["predictor"], lock=False)[0].motion for s in (2.0, 3.0))
    assert len(long) == len(short) + 30
    np.testing.assert_allclose(long.positions[:258], short.positions[:258], atol=2e-3)


@pytest.mark.parametrize("kind", ["rotations", "places"])
def test_outside_the_gap_every_bit_is_the_same(heads: dict[str, Head], kind: str) -> None:
    motion = TAKES[0]
    if kind == "places":
        motion = Motion.from_positions(motion.skeleton, motion.fps, motion.positions)
    filled = interpolate(motion, 4.0, 5.0, heads["interpolator"])
    assert (filled.start, filled.stop) == (120, 150)
    outside = np.r_[0:120, 150 : len(motion)]
    for name in ("root_translation", "local_rotations", "given_positions"):
        old, new = getattr(motion, name), getattr(filled.motion, name)
        if old is not None:
            assert old[outside].tobytes() == new[outside].tobytes()
            assert np.isfinite(new).all()
            assert np.abs(new[120:150] - old[120:150]).max() > 1e-4


@settings(max_examples=6)
@given(start=st.floats(1.0, 6.0), length=st.floats(0.1, 2.0))
def test_seams_are_smooth_wherever_the_gap_lies(heads: dict[str, Head], start: float, length: float) -> None:
    motion = TAKES[0]
    filled = interpolate(motion, start, start + length, heads["interpolator"])
    steps = np.linalg.norm(np.diff(filled.motion.positions, axis=0), axis=-1).max(-1)
    before = np.linalg.norm(np.diff(motion.positions, axis=0), axis=-1).max(-1)
    for seam in (filled.start - 1, filled.stop - 1):
        assert steps[seam] < before.max() + 0.1


def test_what_is_in_the_gap_is_not_looked_at(heads: dict[str, Head]) -> None:
    motion = TAKES[0]
    root, turns = motion.root_translation.copy(), motion.local_rotations.copy()  # type: ignore[union-attr]
    root[120:150], turns[120:150] = np.nan, np.nan
    broken = motion.replace(root_translation=root, local_rotations=turns)
    one, two = (interpolate(m, 4.0, 5.0, heads["interpolator"]).motion for m in (motion, broken))
    np.testing.assert_array_equal(one.positions, two.positions)


def test_how_far_the_nearest_recalled_moment_is(heads: dict[str, Head]) -> None:
    """A take that is in the library is found again; poses that nobody took are far."""
    places = standard_positions(TAKES[1])

    def far(p: np.ndarray) -> float:
        cuts = Cuts(p, 30.0, np.zeros(1, np.int64), np.array([len(p) - 1]), np.array([150]), np.array([180]))
        return float(heads["interpolator"].recall_distance(cuts)[0])

    wide = places.copy()
    wide[:, 1:] += 0.5 * (places[:, 1:] - places[:, :1])
    assert far(places) < 0.05 < 0.1 < far(wide)
    assert np.isnan(
        replace(heads["interpolator"], library=None).recall_distance(
            Cuts(places, 30.0, np.zeros(1, np.int64), np.array([300]), np.array([150]), np.array([180]))
        )
    )


def test_standing_feet_do_not_slide() -> None:
    gap, ahead = (Head.named("a4mer-small", kind) for kind in ("interpolator", "predictor"))
    slides = [
        (
            interpolate(TAKES[0], 3.0, 4.0, gap, lock=lock).skate,
            predict(TAKES[0][:150], 1.5, ahead, lock=lock)[0].skate,
        )
        for lock in (True, False)
    ]
    for locked, free in zip(*slides, strict=True):
        assert locked < 0.4 * free


def test_one_motion_is_led_into_another(heads: dict[str, Head]) -> None:
    first, second = TAKES[0][:120], turn(TAKES[0], 2.0)[200:290]
    joined = interpolate_between(first, second, 0.8, heads["interpolator"])
    assert len(joined.motion) == 120 + 24 + 90
    np.testing.assert_array_equal(joined.motion.positions[:120], first.positions)
    steps = np.linalg.norm(np.diff(joined.motion.positions, axis=0), axis=-1).max(-1)
    assert steps.max() < 0.35
    later = joined.motion.positions[144:]
    own = [p - p[:, :1] for p in (later, second.positions)]
    shapes = [np.linalg.norm(p[:, :, None] - p[:, None], axis=-1) for p in own]
    np.testing.assert_allclose(*shapes, atol=1e-4)  # moved as a whole


def test_a_second_motion_on_another_body_is_retargeted(heads: dict[str, Head]) -> None:
    """One that is nothing but larger goes on like the same one of the first's own size."""
    first, own = TAKES[0][:120], TAKES[0][200:290]
    larger = own.skeleton.scaled(1.3)
    other = own.replace(skeleton=larger, root_translation=own.root_translation * 1.3)
    joined = interpolate_between(first, other, 0.8, heads["interpolator"])
    assert joined.notes == ("synthetic_4_0000 was retargeted to the skeleton of synthetic_4_0000",)
    plain = interpolate_between(first, own, 0.8, heads["interpolator"])
    assert not plain.notes
    assert joined.motion.skeleton is first.skeleton
    np.testing.assert_allclose(joined.motion.positions[144:], plain.motion.positions[144:], atol=2e-3)


def test_a_rest_pose_that_the_second_begins_with_is_left_out(heads: dict[str, Head]) -> None:
    first, second = TAKES[0][:120], TAKES[0][200:290]
    root, turns = second.root_translation.copy(), second.local_rotations.copy()
    root[0], turns[0] = second.skeleton.offsets[0], second.skeleton.rest_rotations
    joined = interpolate_between(
        first, second.replace(root_translation=root, local_rotations=turns), 0.8, heads["interpolator"]
    )
    assert joined.notes == ("synthetic_4_0000 begins with a rest pose, which was left out",)
    plain = interpolate_between(first, second[1:], 0.8, heads["interpolator"])
    np.testing.assert_array_equal(joined.motion.positions, plain.motion.positions)


@pytest.mark.parametrize("bare", [(True, False), (False, True), (True, True)])
def test_places_and_rotations_are_joined(heads: dict[str, Head], bare: tuple[bool, bool]) -> None:
    takes = [TAKES[0][:120], TAKES[1][:90].replace(skeleton=TAKES[1].skeleton.scaled(1.3))]
    for k, only in enumerate(bare):
        if only:
            takes[k] = Motion.from_positions(takes[k].skeleton, takes[k].fps, takes[k].positions)
    joined = interpolate_between(takes[0], takes[1], 0.8, heads["interpolator"])
    assert joined.motion.positions_only is bare[0]
    if not (bare == (True, True)):
        assert joined.notes
    after = joined.motion.positions[144:]
    bend = [_knee(p) for p in (after, takes[1].positions)]
    np.testing.assert_allclose(*bend, atol=0.1)


def _knee(positions: np.ndarray) -> np.ndarray:
    """(T,) cosine of the bend of the left knee."""
    hip, knee, ankle = (
        positions[:, TAKES[0].skeleton.index(f"left_{name}")] for name in ("hip", "knee", "ankle")
    )
    one, other = hip - knee, ankle - knee
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (0.0, 1.0, "reaches the take's start"),
        (11.0, 12.0, "reaches the take's end"),
        (100.0, 101.0, "lies outside of the 12.00 s"),
        (-3.0, -2.0, "lies outside of"),
        (3.0, 3.0, "has no length"),
        (5.0, 4.0, "has no length"),
        (3.001, 3.002, "no frame"),
        (3.0, 6.0, "longer than the 2 s"),
        (np.nan, 4.0, "has no length"),
    ],
)
def test_gaps_that_cannot_be_filled(heads: dict[str, Head], start: float, end: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        interpolate(TAKES[0], start, end, heads["interpolator"])


@pytest.mark.parametrize(
    ("frames", "seconds", "message"),
    [
        (8, 1.0, "an atom, must be seen"),
        (100, 0.0, "nothing to predict"),
        (100, 4.0, "longer than the context"),
    ],
)
def test_futures_that_cannot_be_had(
    heads: dict[str, Head], frames: int, seconds: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        predict(TAKES[0][:frames], seconds, heads["predictor"])


def test_every_clip_of_a_corpus_goes_on(heads: dict[str, Head], tmp_path: Path) -> None:
    corpus = Corpus.from_motions(TAKES[:2], tmp_path / "corpus", ["one", "two"])
    found = predict_clips(corpus, 0.5, heads["predictor"], samples=2)
    assert set(found) == {"one", "two"}
    own = predict(corpus["two"].motion, 0.5, heads["predictor"], samples=2)
    np.testing.assert_array_equal(found["two"][1].motion.positions, own[1].motion.positions)


def test_heads_are_not_mixed_up(heads: dict[str, Head]) -> None:
    with pytest.raises(InputError, match="train predictor"):
        predict(TAKES[0], 1.0, heads["interpolator"])
    with pytest.raises(InputError, match="train interpolator"):
        interpolate(TAKES[0], 3.0, 4.0, heads["predictor"])


def test_a_bvh_file_keeps_its_own_numbers(heads: dict[str, Head], data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "animated-drawings" / "fair1_dab.bvh"
    motion = kineme.load(source)
    assert isinstance(motion, Motion)
    kineme.save(interpolate(motion, 4.0, 5.0, heads["interpolator"]).motion, tmp_path / "filled.bvh")
    kineme.save(predict(motion, 1.0, heads["predictor"])[0].motion, tmp_path / "longer.bvh")
    rows = [_rows(path) for path in (source, tmp_path / "filled.bvh", tmp_path / "longer.bvh")]
    np.testing.assert_array_equal(rows[0][:120], rows[1][:120])
    np.testing.assert_array_equal(rows[0][150:], rows[1][150:])
    np.testing.assert_array_equal(rows[0], rows[2][: len(rows[0])])


def _rows(path: Path) -> np.ndarray:
    lines = path.read_text().split("Frame Time:")[1].splitlines()[1:]
    return np.array([[float(x) for x in line.split()] for line in lines if line.strip()])
