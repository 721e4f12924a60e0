"""The picture of a repair."""

from __future__ import annotations

import re

import numpy as np
import pytest

from kineme.motion.canonical import INDEX
from kineme.motion.rotations import axis_angle_to_matrix
from kineme.report.before_after import GIVEN, POSES, REPAIRED, before_after
from small_hgvae import takes


def test_what_moved_has_the_colour_of_its_row() -> None:
    motion = takes()[0]
    rotations = motion.local_rotations.copy()
    elbow = INDEX["left_elbow"]
    turn = axis_angle_to_matrix(np.array([0, 0, 1.0], np.float32))
    rotations[30:60, elbow] = turn @ rotations[30:60, elbow]
    other = motion.replace(local_rotations=rotations)
    picture = before_after(other, motion)
    for colour in (GIVEN, REPAIRED):  # the wrist hangs on the elbow: one bone a pose
        assert picture.count(f'stroke="{colour}"') == POSES
    assert picture.count("<line") == 2 * POSES * 21
    seconds = [float(found) for found in re.findall(r">([\d.]+) s<", picture)]
    assert seconds[0] == pytest.approx(30 / motion.fps, abs=0.01)
    assert seconds[-1] == pytest.approx(59 / motion.fps, abs=0.01)
    numbers = [float(n) for n in re.findall(r' [xy][12]="(-?[\d.]+)"', picture)]
    assert min(numbers) > 0 and max(numbers) < 1030
    with pytest.raises(ValueError, match="do not differ"):
        before_after(motion, motion)
