"""Atoms, batches and encoding windows of A4Mer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.errors import UsageError
from kineme.models.a4mer.batch import mask_blocks
from kineme.models.a4mer.config import PRESETS, A4MerConfig
from kineme.models.a4mer.encoding import context_windows
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.segment import atom_lengths, atom_lengths_batch
from kineme.models.a4mer.settle import settle, take_axes, without_axes
from kineme.motion import SMPL22

CONFIG = A4MerConfig()


def wandering(seed, frames, joints=4, step=0.05):
    rng = np.random.default_rng(seed)
    return np.cumsum(np.cumsum(rng.normal(0, step, (frames, joints, 3)), 0) * 0.2, 0).astype(np.float32)


@given(st.integers(0, 10**6), st.integers(1, 70), st.sampled_from([0.02, 0.06, 0.2]))
def test_atoms_equal_the_twin(seed, frames, tau):
    poses = wandering(seed, frames)
    config = replace(CONFIG, departure=tau)
    assert atom_lengths(poses, config).tolist() == naive.atom_cuts(poses, tau, 2, 12)


def test_straight_movement_is_cut_at_the_longest_atom_only():
    poses = np.arange(40, dtype=np.float32)[:, None, None] * np.ones((1, 22, 3), np.float32)
    assert atom_lengths(poses, CONFIG).tolist() == [12, 12, 12, 4]


def test_a_sudden_turn_is_a_boundary():
    t = np.arange(20, dtype=np.float32)
    path = np.where(t < 7, 0.1 * t, 0.1 * 6 - 0.3 * (t - 6))
    poses = np.zeros((20, 22, 3), np.float32)
    poses[:, :, 0] = path[:, None]
    assert atom_lengths(poses, CONFIG)[0] == 7


def test_batches_are_cut_as_single_clips():
    poses = np.stack([wandering(k, 30) for k in range(4)])
    frames = np.array([30, 17, 2, 25])
    found = atom_lengths_batch(poses, frames, CONFIG)
    for p, n, lengths in zip(poses, frames, found, strict=True):
        assert lengths.tolist() == atom_lengths(p[:n], CONFIG).tolist()


@pytest.mark.parametrize(("name", "expected"), [("frame", [1] * 7), ("clip", [3, 3, 1])])
def test_ablations_of_segmentation(name, expected):
    assert atom_lengths(wandering(0, 7), replace(CONFIG, segmentation=name)).tolist() == expected


@given(st.lists(st.integers(1, 40), min_size=1, max_size=120), st.sampled_from([30, 60, 150]))
def test_windows_tile_the_clip_and_fit(frames, longest):
    windows = context_windows(np.array(frames), longest)
    kept = [k for _, _, a, b in windows for k in range(a, b)]
    assert kept == list(range(len(frames)))
    for first, stop, keep, end in windows:
        assert first <= keep < end <= stop
        assert sum(frames[first:stop]) <= longest or stop - max(first, keep) == 1 or stop - first <= 2


@given(st.integers(1, 80), st.floats(0.1, 0.9), st.floats(1, 12), st.integers(0, 10**6))
def test_masks_leave_something_to_see_and_two_to_predict(count, ratio, block, seed):
    masked = mask_blocks(count, ratio, block, np.random.default_rng(seed))
    assert len(masked) == count and not masked.all()
    if count >= 3:
        assert masked.sum() == np.clip(round(count * ratio), 2, count - 1)


@given(st.integers(1, 25), st.integers(0, 10**6))
def test_settling_equals_the_twin(count, seed):
    rng = np.random.default_rng(seed)
    tokens, frames = rng.normal(size=(count, 3)).astype(np.float32), rng.integers(1, 13, count)
    expected = naive.settle(tokens, frames.tolist(), 1.3, 5.0, 0.8, 0.6, 3)
    np.testing.assert_allclose(settle(tokens, frames, 1.3, CONFIG), expected, rtol=1e-4, atol=1e-5)


def test_settling_long_clips_in_blocks_equals_the_twin():
    rng = np.random.default_rng(0)
    tokens, frames = rng.normal(size=(300, 2)).astype(np.float32), rng.integers(1, 13, 300)
    short = replace(CONFIG, settle_seconds=1.0, settle_width=0.6, settle_rounds=1)
    expected = naive.settle(tokens, frames.tolist(), 1.0, 5.0, 1.0, 0.6, 1)
    np.testing.assert_allclose(settle(tokens, frames, 1.0, short), expected, rtol=1e-4, atol=1e-5)


def test_axes_need_long_takes_and_find_what_tells_them_apart():
    rng = np.random.default_rng(0)
    takes, frames = [], [np.full(40, 5)] * 80
    for take in range(80):
        tokens = rng.normal(0, 0.1, (40, 6)).astype(np.float32)
        tokens[:, 2] += 3 * (take % 2)
        takes.append(tokens)
    axes = take_axes(takes, frames, CONFIG)
    assert axes.shape == (2, 6) and abs(axes[0, 2]) > 0.99
    assert np.abs(without_axes(takes[1], axes)[:, 2]).max() < 0.5 < 2 < np.abs(takes[1][:, 2]).min()
    assert len(take_axes(takes[:39], frames[:39], CONFIG)) == 0
    assert len(take_axes([x[:4] for x in takes], [n[:4] for n in frames], CONFIG)) == 0


def test_features_do_not_know_place_and_heading():
    rng = np.random.default_rng(0)
    still = np.tile(SMPL22.rest_positions, (30, 1, 1)).astype(np.float32)
    moving = still + np.cumsum(rng.normal(0, 0.01, still.shape), 0).astype(np.float32)
    angle = 1.1
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    elsewhere = (moving @ turn.T + [3, 0, -2]).astype(np.float32)
    a, _ = clip_features(moving, 30.0, 5.0)
    b, _ = clip_features(elsewhere, 30.0, 5.0)
    np.testing.assert_allclose(a, b, atol=2e-3)
    assert np.abs(clip_features(still, 30.0, 5.0)[0][:, 64:]).max() < 1e-4  # no velocity at rest


def test_settings_round_trip_and_refuse_what_they_do_not_know():
    for config in PRESETS.values():
        assert A4MerConfig.from_dict(config.to_dict()) == config
    with pytest.raises(UsageError, match="widht"):
        A4MerConfig.from_dict({"widht": 3})
    for wrong in (
        {"width": 30},
        {"min_frames": 5, "max_frames": 2},
        {"mask_ratio": 1.0},
        {"window_seconds": 1.0},
    ):
        with pytest.raises(UsageError):
            A4MerConfig(**wrong)
