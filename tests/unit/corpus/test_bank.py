"""Windows of a bank, the order of training, and occlusions."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.bank import WindowBank, step_windows
from kineme.corpus.occlusion import joint_gaps, random_features, training_occlusion
from kineme.motion.channels import Channels

CHANNELS = Channels(("left_hip", "right_hip"), root=False)


def _bank(lengths, frames=10, **rest) -> WindowBank:
    clips = [np.arange(n * 6, dtype=np.float32).reshape(n, 6) + 1000 * k for k, n in enumerate(lengths)]
    return WindowBank(clips, CHANNELS, frames, **rest)


def test_windows_cover_every_clip_and_cross_none() -> None:
    bank = _bank([25, 4, 10], stride=5)
    batch = bank.all()
    assert batch.windows.shape == (len(bank), 6, 10)
    assert (batch.windows // 1000 == bank.clips[:, None, None]).all()
    assert bank.lengths.tolist() == [10, 10, 10, 10, 4, 10]
    short = batch.windows[4]
    assert batch.valid[4].sum() == 4 and (short[:, 4:] == short[:, 3:4]).all()


def test_a_window_is_labelled_where_most_of_it_is() -> None:
    labels = [np.repeat([0, 1], [12, 13])]
    bank = _bank([25], stride=5, frame_labels=labels)
    assert bank.labels.tolist() == [0, 0, 1, 1][: len(bank)]
    assert bank.only(bank.labels == 1).take(np.array([0])).labels.tolist() == [1]


def test_statistics_leave_still_channels_alone() -> None:
    clip = np.zeros((8, 6), dtype=np.float32)
    clip[:, 0] = np.arange(8)
    mean, deviation = WindowBank([clip], CHANNELS, 4).statistics()
    assert mean[0] == pytest.approx(3.5) and deviation[1:].tolist() == [1] * 5


def test_an_epoch_goes_through_its_windows_once() -> None:
    seen = np.concatenate([step_windows(7, step, 20, 4, 20) for step in range(5)])
    assert sorted(seen) == list(range(20))
    again = np.concatenate([step_windows(7, step, 20, 4, 20) for step in range(5, 10)])
    assert sorted(again) == list(range(20)) and again.tolist() != seen.tolist()
    assert len(step_windows(7, 0, 3, 4, 100)) == 3


def test_occlusions_hide_what_they_say() -> None:
    rng = np.random.default_rng(0)
    scattered = random_features(rng, (5, 6, 10), 0.1)
    assert (scattered.sum((1, 2)) == 6).all()
    assert random_features(rng, (2, 6, 10), 0.0).sum((1, 2)).tolist() == [1, 1]
    gap = joint_gaps(rng, (5, 9, 10), 2, 4)
    assert (gap.sum((1, 2)) == 2 * 3 * 4).all()
    for window in gap:
        frames = np.flatnonzero(window.any(0))
        assert len(frames) == 4 and frames[-1] - frames[0] == 3
        assert (window.reshape(3, 3, 10).any(1) == window.reshape(3, 3, 10).all(1)).all()
    share = training_occlusion(rng, (400, 6, 10), 0.5).any((1, 2)).mean()
    assert 0.35 < share < 0.55
