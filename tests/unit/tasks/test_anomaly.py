"""Scores of windows, joints and clips; thresholds; samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kineme.errors import InputError
from kineme.models.hgvae.objective import elbo
from kineme.motion.canonical import INDEX, PARENTS, SMPL22
from kineme.tasks.anomaly import (
    Alarm,
    WindowScores,
    alarms,
    joint_names,
    score_channels,
    score_motion,
    threshold,
    window_rules,
)
from kineme.tasks.calibrate import joint_thresholds
from kineme.tasks.generate import generate
from small_hgvae import small_bank, small_hgvae, takes


def test_a_score_without_noise_is_minus_the_bound_per_number() -> None:
    model = small_hgvae(calibrated=False)
    noise, model.noise = model.noise, None
    windows = model.normalise(small_bank().all().windows[:3])
    found = model.surprise(windows).mean((1, 2))
    model.noise = noise
    made = model.network(windows, sample=False)
    torch.testing.assert_close(found, -elbo(windows, made).elbo / windows[0].numel())


def test_a_broken_joint_stands_out_where_it_is_broken() -> None:
    model, motion = small_hgvae(), takes()[0]
    places = motion.positions.copy()
    places[60:75, INDEX["left_wrist"]] += [0.5, 0.3, 0.0]
    broken = motion.from_positions(motion.skeleton, motion.fps, places)
    whole, found = (
        score_motion(broken.replace(given_positions=motion.positions), model),
        score_motion(broken, model),
    )
    window, joint = found.worst
    assert joint == "left_wrist" and found.clip > whole.clip
    assert found.times[window, 0] < 75 / motion.fps and found.times[window, 1] > 60 / motion.fps


def test_a_short_clip_is_marked_and_its_padding_does_not_count() -> None:
    model, values = small_hgvae(), small_bank().values
    short = score_channels(values[:8], model)
    assert short.padded and len(short.scores) == 1 and short.times.tolist() == [[0, 8 / model.fps]]
    assert not score_channels(values[:20], model).padded
    windows = model.normalise(np.repeat(values[:8].T[None], 1, axis=0)[:, :, np.minimum(np.arange(20), 7)])
    expected = model.surprise(windows)[:, :, :8].mean()
    assert short.scores[0] == pytest.approx(float(expected), rel=1e-4)


def test_thresholds_have_their_rate_of_false_alarms() -> None:
    scores = np.random.default_rng(0).normal(size=2000)
    assert (scores > threshold(scores, 0.05)).mean() == pytest.approx(0.05, abs=0.001)
    calibration = small_hgvae().calibration
    assert calibration.false_alarms == 0.01 and len(calibration.joints) == len(
        joint_names(small_hgvae().channels)
    )


def test_alarms_join_neighbours_and_name_joints() -> None:
    times = np.array([[0, 2], [1, 3], [4, 6], [8, 10]], dtype=float)
    joints = np.array([[0, 0], [3, 5], [0, 0], [2, 0]], dtype=float)
    found = alarms(WindowScores(times, np.array([2.0, 3, 0, 0]), joints, ("a", "b"), False), 1.0, (1.0, 1.0))
    assert found == [
        Alarm(0, 3, 3.0, 1.0, ("window", "joint"), ("b", "a"), (5.0, 3.0)),
        Alarm(8, 10, 0.0, 1.0, ("joint",), ("a",), (2.0,)),
    ]


def test_an_alarm_says_which_rule_raised_it_and_names_no_joint_below_its_threshold() -> None:
    times = np.array([[0, 2], [3, 5], [6, 8], [9, 11]], dtype=float)
    joints = np.array([[0.9, 0.9], [1.5, 0.9], [1.5, 0.9], [0.9, 1.0]])
    scores = WindowScores(times, np.array([2.0, 0, 2, 1]), joints, ("a", "b"), False)
    assert window_rules(scores, 1.0, (1.0, 1.0)) == [("window",), ("joint",), ("window", "joint"), ()]
    found = alarms(scores, 1.0, (1.0, 1.0))
    assert [(alarm.rules, alarm.joints) for alarm in found] == [
        (("window",), ()),
        (("joint",), ("a",)),
        (("window", "joint"), ("a",)),
    ]
    assert [alarm.rules for alarm in alarms(scores, 1.0, (2.0, 2.0))] == [("window",)] * 2


def test_what_sound_windows_came_up_to_is_no_alarm() -> None:
    calibration = small_hgvae().calibration
    low = replace(calibration, joints=(0.2,) * len(calibration.joints))
    assert joint_thresholds(low) == (1.0,) * len(low.joints)
    high = replace(calibration, joints=(1.7,) * len(calibration.joints))
    assert joint_thresholds(high) == high.joints
    of_before = replace(
        low, usual=(), usual_spread=()
    )  # thresholds of mean surprise, which has no such scale
    assert joint_thresholds(of_before) == low.joints


@pytest.mark.parametrize("places", [False, True])
def test_samples_are_bodies(places) -> None:
    model = small_hgvae(labels=("walk", "run"))
    made = generate(model, 2, "walk", places=places)
    again = generate(model, 2, "walk", places=places)
    other = generate(model, 2, "run", places=places)
    assert len(made) == 2 and len(made[0]) == model.frames and made[0].fps == model.fps
    assert np.array_equal(made[1].positions, again[1].positions)
    assert not np.array_equal(made[1].positions, other[1].positions)
    if not places:
        bones = made[0].positions[:, 1:] - made[0].positions[:, list(PARENTS[1:])]
        own = np.linalg.norm(SMPL22.offsets[1:], axis=1)
        np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), np.tile(own, (len(made[0]), 1)), atol=1e-4)
    with pytest.raises(InputError, match="no label 'walks'; did you mean walk"):
        generate(model, 1, "walks")
    with pytest.raises(InputError, match="without classes"):
        generate(small_hgvae(), 1, "walk")


def test_levels_at_their_means_leave_one_sample() -> None:
    model = small_hgvae()
    a, b = (model.sample(2, levels=0, seed=seed) for seed in (0, 1))
    assert np.array_equal(a, b) and np.array_equal(a[0], a[1])
    assert not np.array_equal(model.sample(1, levels=1, seed=0), a[:1])
