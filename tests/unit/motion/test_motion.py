from __future__ import annotations

import numpy as np
import pytest

from bodies import walkabout
from kineme.errors import InputError
from kineme.motion import SMPL22, Motion, Segment
from kineme.motion.motion import Provenance


def test_a_slice_cuts_frames_and_labels() -> None:
    labels = (Segment(0, 0.5, "before"), Segment(0.5, 2, "over"), Segment(2.5, 3, "inside"))
    whole = walkabout(frames=90).replace(labels=labels)
    part = whole[30:75]
    assert len(part) == 45 and part.duration == pytest.approx(1.5)
    assert np.array_equal(part.local_rotations, whole.local_rotations[30:75])
    assert np.allclose(part.positions, whole.positions[30:75], atol=1e-6)
    assert part.labels == (Segment(0, 1, "over"),)
    assert whole[60:].labels[-1] == Segment(0.5, 1, "inside")


@pytest.mark.parametrize("frames", [slice(0, 10, 2), slice(5, 5), slice(9, 3), slice(500, None)])
def test_a_slice_without_frames_or_with_a_step_is_rejected(frames: slice) -> None:
    with pytest.raises(InputError, match="non-empty slice of step 1"):
        walkabout()[frames]


def test_positions_only_has_places_but_no_rotations() -> None:
    body = walkabout()
    given = Motion.from_positions(SMPL22, 30, body.positions)
    assert given.positions_only and not body.positions_only
    assert np.array_equal(given.positions, body.positions)
    assert given.end_positions.shape == (12, 0, 3) and body.end_positions.shape == (12, 5, 3)
    with pytest.raises(InputError, match="positions only"):
        _ = given.global_rotations


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fps": 0.0}, "frame rate of 0.0"),
        ({"fps": float("nan")}, "frame rate of nan"),
        ({"local_rotations": None}, "needs local_rotations or given_positions"),
        ({"local_rotations": np.zeros((12, 21, 3, 3))}, "expected .12, 22, 3, 3."),
        ({"local_translations": np.zeros((11, 22, 3))}, "local_translations has shape"),
        ({"root_translation": np.zeros((0, 3)), "local_rotations": np.zeros((0, 22, 3, 3))}, "no frames"),
    ],
)
def test_what_is_no_motion_is_rejected(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        walkabout().replace(**changes)


def test_a_motions_arrays_are_read_only_and_the_callers_stay_writable() -> None:
    mine = np.zeros((3, 22, 3), np.float32)
    kept = Motion.from_positions(SMPL22, 30, mine)
    with pytest.raises(ValueError, match="read-only"):
        kept.given_positions[0] = 1
    mine[0] = 1


def test_cut_takes_the_nearest_frames_and_stays_inside() -> None:
    motion = walkabout(frames=31)  # at 30 fps
    labelled = motion.replace(labels=(Segment(0.0, 0.5, "a"), Segment(0.5, 1.0, "b")))
    part = labelled.cut(0.2, 0.7)
    np.testing.assert_array_equal(part.root_translation, motion.root_translation[6:21])
    assert [(s.label, round(s.start, 6), round(s.end, 6)) for s in part.labels] == [
        ("a", 0, 0.3), ("b", 0.3, 0.5),
    ]  # fmt: skip
    assert len(motion.cut(-5, 100)) == 31 and len(motion.cut(0.5, 0.501)) == 1
    assert len(motion.cut(1.03, 2)) == 1
    for start, end in ((2, 3), (-2, -1), (0.5, 0.5), (0.6, 0.5), (float("nan"), 1)):
        with pytest.raises(InputError):
            motion.cut(start, end)


def test_what_is_printed_of_a_motion_is_short() -> None:
    motion = walkabout(frames=45).replace(provenance=Provenance(file="/takes/walk.bvh"))
    assert repr(motion) == "Motion('walk.bvh', 45 frames at 30 fps, 1.50 s, 22 joints, 'smpl22')"
    bare = Motion.from_positions(SMPL22, 30, motion.positions)
    assert repr(bare) == "Motion('', 45 frames at 30 fps, 1.50 s, 22 joints, 'smpl22', positions only)"
