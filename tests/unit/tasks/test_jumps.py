"""What no body does is found, told and left out: nothing is recalled from it."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.errors import InputWarning
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, make_network
from kineme.models.a4mer.model import standard_positions
from kineme.motion import Motion
from kineme.tasks.interpolate import interpolate
from kineme.tasks.jumps import LIMB, PELVIS, after_jumps, jumps, sound_parts
from kineme.tasks.own_moments import with_own_moments
from kineme.tasks.predict import predict

TAKES = [take.motion for take in generate(4, 2, 14.0, 30.0)]


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    base = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
    config = HeadConfig(context_seconds=6.0, longest=1.0, near=8, waves=12, recalled=8, hidden=16, steps=1)
    bank = TakeBank([standard_positions(TAKES[1])], 30.0)
    made = {}
    for kind in ("predictor", "interpolator"):
        held = build_bank(base.network, [(bank, 0.5)], config, kind)
        made[kind] = Head(kind, config, base, make_network(config, base, kind).eval(), held.library)
    return made


def _dropped(motion: Motion, start: int, stop: int) -> Motion:
    """All channels 0 over these frames, as a recorder leaves them that loses its signal."""
    root, turns = motion.root_translation.copy(), motion.local_rotations.copy()
    root[start:stop], turns[start:stop] = 0, np.eye(3)
    return motion.replace(root_translation=root, local_rotations=turns)


def test_what_a_body_does_is_no_jump() -> None:
    places = standard_positions(TAKES[0])
    assert not jumps(places, 30.0).any()
    parts = sound_parts(places, 30.0)
    assert len(parts) == 1 and parts[0] is places
    run = places + np.arange(len(places))[:, None, None] * np.array([0, 0, 10.0]) / 30
    assert not jumps(run, 30.0).any()


@pytest.mark.parametrize(("joint", "bound"), [(slice(None), PELVIS), (20, LIMB)])
def test_a_step_beyond_the_bound_is_a_jump(joint: slice | int, bound: float) -> None:
    still = np.repeat(standard_positions(TAKES[0])[:1], 60, axis=0)
    for share, found in ((0.95, []), (1.05, [40])):
        places = still.copy()
        places[40:, joint, 0] += share * bound / 30
        assert np.flatnonzero(jumps(places, 30.0)).tolist() == found
    assert jumps(places, 30.0)[40] == pytest.approx(1.05 * bound, rel=1e-3)
    assert sound_parts(places, 30.0) == []  # it never moves on either side


def test_parts_without_jumps() -> None:
    places = standard_positions(_dropped(TAKES[0], 50, 60))
    found = sound_parts(places, 30.0)
    assert [len(part) for part in found] == [50, len(places) - 60]
    assert after_jumps(places, 30.0, 0.5) == 60 and after_jumps(places, 30.0, 1e3) == 0


def test_no_moment_is_recalled_over_a_jump(heads: dict[str, Head]) -> None:
    broken = standard_positions(_dropped(TAKES[0], 50, 60))
    for kind, gap in (("predictor", None), ("interpolator", 0.5)):
        one, other = (with_own_moments(heads[kind], [p], 30.0, gap) for p in (broken, broken[60:]))
        assert one.library is not None and other.library is not None
        assert one.library.size > heads[kind].library.size
        assert all(bool(np.isfinite(column.numpy()).all()) for column in one.library)
        # metres a second, and what happened: nothing that the sound part alone has not
        assert one.library.ends.abs().max() <= 1.01 * other.library.ends.abs().max()


def test_futures_and_gaps_do_not_go_by_what_lies_beyond_a_jump(heads: dict[str, Head]) -> None:
    sound = TAKES[0][:300]
    far = _dropped(sound, 200, 201)
    root = far.root_translation.copy()
    root[200] = 1e5, 0, 0
    for broken in (_dropped(sound, 200, 210), far.replace(root_translation=root)):
        start = int(np.flatnonzero(jumps(standard_positions(broken), 30.0)).max())
        with pytest.warns(InputWarning, match=r"jumps at 6.67 s \(and 1 more\), at \d+ m/s"):
            made = predict(broken, 0.5, heads["predictor"])[0]
        cut = predict(sound[start:], 0.5, heads["predictor"])[0]
        ahead = made.motion.positions[300:] - cut.motion.positions[300 - start :]
        assert np.linalg.norm(ahead, axis=-1).mean() < 0.1
        with pytest.warns(InputWarning, match="jumps at"):
            filled = interpolate(broken, 8.0, 8.5, heads["interpolator"])
        alone = interpolate(sound[start:], 8.0 - start / 30, 8.5 - start / 30, heads["interpolator"])
        apart = filled.motion.positions[240:255] - alone.motion.positions[240 - start : 255 - start]
        assert np.linalg.norm(apart, axis=-1).mean() < 0.1
        np.testing.assert_array_equal(filled.motion.positions[:240], broken.positions[:240])


def test_a_jump_at_the_very_end_is_told(heads: dict[str, Head]) -> None:
    broken = _dropped(TAKES[0][:200], 197, 200)
    with pytest.warns(InputWarning, match="jumps at 6.57 s"):
        made = predict(broken, 0.5, heads["predictor"])[0]
    assert np.isfinite(made.motion.positions).all()
