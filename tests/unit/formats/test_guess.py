"""Units, up axes and channel meanings from nothing but the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kineme.formats.guess import UNITS, guess_channels, guess_unit, to_y_up, unit_name
from kineme.formats.options import UP_AXES
from kineme.motion import SMPL22


@pytest.mark.parametrize(
    ("height", "unit"),
    [
        (1.7, "m"),
        (172, "cm"),
        (1690, "mm"),
        (67, "in"),
        (5.6, "ft"),
        (17.2, "dm"),
        (30, "0.45 in"),
        (1.1, "m"),
        (105, "cm"),
    ],
)
def test_the_unit_that_makes_a_body_is_found(height: float, unit: str):
    scale, name, fits = guess_unit(height)
    assert (scale, name, fits) == (UNITS[unit], unit, True)


def test_where_no_unit_fits_the_body_is_made_of_average_height():
    scale, name, fits = guess_unit(45.35)
    assert not fits and scale * 45.35 == pytest.approx(1.7) and name == "0.03749 m"
    assert guess_unit(0.0) == (0.01, "cm", False)
    assert guess_unit(float("nan"))[2] is False


def test_units_are_named():
    assert unit_name(0.01) == "cm" and unit_name(0.0254 / 0.45) == "0.45 in" and unit_name(0.5) == "0.5 m"


@pytest.mark.parametrize("up", UP_AXES)
def test_worlds_are_turned_by_rotations_that_bring_up_to_y(up: str):
    turn = to_y_up(up)
    axis = np.zeros(3)
    axis["XYZ".index(up[1])] = 1 if up[0] == "+" else -1
    np.testing.assert_array_equal(turn @ axis, [0, 1, 0])
    np.testing.assert_array_equal(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)


def channels_of(root_adds: bool, others_add: bool, inner: list[int]):
    """The numbers that a file of this meaning has for a body standing on the floor, `inner` joints moving."""
    rng = np.random.default_rng(1)
    offsets = SMPL22.offsets.astype(float)
    offsets[0] = 0.1, 0.93, -0.2
    has = np.zeros(22, dtype=bool)
    has[[0, *inner]] = True
    true = np.tile(offsets, (8, 1, 1))
    true[:, inner] += 0.01 * rng.normal(size=(8, len(inner), 3))
    true[:, 0] = [0, 0.98, 0] + 0.05 * rng.normal(size=(8, 3)) * [4, 0.2, 4]
    written = true - np.where((has & others_add)[:, None], offsets, 0)
    written[:, 0] = true[:, 0] - (offsets[0] if root_adds else 0)

    turns = np.tile(np.eye(3), (8, 22, 1, 1))
    return replace(SMPL22, offsets=offsets), turns, written, has


@pytest.mark.parametrize("inner", [[3, 6, 9], [3]])
@pytest.mark.parametrize(
    ("meaning", "root_adds", "others_add"),
    [("replace", False, False), ("add", True, True), ("add-root", True, False)],
)
def test_each_meaning_of_position_channels_is_told_from_the_numbers(meaning, root_adds, others_add, inner):
    assert guess_channels(*channels_of(root_adds, others_add, inner), "+Y") == (meaning, True)


def test_a_root_alone_is_told_by_the_floor():
    assert guess_channels(*channels_of(False, False, []), "+Y") == ("replace", True)
    assert guess_channels(*channels_of(True, True, []), "+Y") == ("add", True)


def test_where_all_meanings_agree_nothing_is_guessed():
    skeleton, turns, written, has = channels_of(False, False, [])

    offsets = skeleton.offsets.copy()
    offsets[0] = 0
    assert guess_channels(replace(skeleton, offsets=offsets), turns, written, has, "+Y") == ("replace", False)
