"""The CMU benchmark's protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kineme.evaluate.prediction_cmu import (
    ACTIONS,
    COPIES,
    GIVEN,
    PREDICTED,
    PUBLISHED,
    Take,
    eight_windows,
    every_window,
    joint_errors,
    read_takes,
)


def test_joints_are_predicted_copied_or_given() -> None:
    assert len(PREDICTED) == 25
    assert sorted([*PREDICTED, *COPIES, *GIVEN]) == list(range(38))


def test_copied_joints_err_by_their_own_distance_and_given_ones_by_nothing() -> None:
    true = np.random.default_rng(0).normal(size=(2, 3, 38, 3))
    made = true[..., list(PREDICTED), :] + [3.0, 4.0, 0.0]
    expected = np.zeros((2, 3))
    for joint in range(38):
        if joint in PREDICTED:
            expected += 5.0
        elif joint in COPIES:
            expected += np.linalg.norm(true[..., COPIES[joint], :] + [3, 4, 0] - true[..., joint, :], axis=-1)
    np.testing.assert_allclose(joint_errors(made, true), expected / 38)


def test_windows() -> None:
    take = Take("walking", np.zeros((180, 38, 3)), np.zeros((0, 22, 3)))
    draw = np.random.RandomState(1234567890)
    assert eight_windows(take).tolist() == [draw.randint(0, 105) for _ in range(8)]
    assert len(every_window(take)) == 106


def test_every_published_row_has_every_action() -> None:
    for rows in PUBLISHED.values():
        assert set(rows) == set(ACTIONS)
        assert all(len(row) == 6 and list(row) == sorted(row) for row in rows.values())


@pytest.mark.slow
def test_real_files_have_the_same_movement_in_both_readings(data_dir: Path) -> None:
    takes = read_takes(data_dir / "cmu-prediction/cmu_mocap.zip", "test")
    assert [take.action for take in takes] == sorted(ACTIONS)
    for take in takes:
        # how far the left leg is stretched; the body's frames are 1, 3, 5 ... The root's turning differs
        old = np.linalg.norm(take.places[1:, 4] - take.places[1:, 2], axis=1)
        new = np.linalg.norm(take.body[:, 7] - take.body[:, 1], axis=1)[1::2][: len(old)]
        assert np.corrcoef(old[: len(new)], new)[0, 1] > 0.99, take.action
