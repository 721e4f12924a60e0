"""What is missing: as said, and as found."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.errors import InputError, UsageError
from kineme.formats import ReadOptions, load_all, save
from kineme.motion import Motion
from kineme.tasks.missing import Span, declared, found_missing, spans_mask
from small_hgvae import takes


def _with(motion: Motion, joint: str, frames: slice, value: np.ndarray) -> Motion:
    rotations = motion.local_rotations.copy()
    rotations[frames, motion.skeleton.index(joint)] = value
    return motion.replace(local_rotations=rotations)


def test_declared_frames_and_names() -> None:
    motion = takes()[0]
    assert declared(motion, ["left_wrist"], "5:9") == [Span("left_wrist", 5, 9, "named")]
    assert declared(motion, ["head"], ":")[0].stop == len(motion)
    mask = spans_mask(motion, declared(motion, ["head", "head"], "2:4"))
    assert mask.sum() == 2 and mask[2:4, motion.skeleton.index("head")].all()
    with pytest.raises(InputError, match="no joint is called 'left_rist'; did you mean left_wrist"):
        declared(motion, ["left_rist"], "1:2")
    for wrong in ("9:5", "1-3", "0:99999", "a:b"):
        with pytest.raises(UsageError, match="frames"):
            declared(motion, ["head"], wrong)


def test_a_sound_motion_has_nothing_missing() -> None:
    for motion in takes():
        assert found_missing(motion) == []
        assert found_missing(Motion.from_positions(motion.skeleton, motion.fps, motion.positions)) == []


def test_a_frozen_joint_is_found_to_the_frame() -> None:
    motion = takes()[1]
    joint = motion.skeleton.index("right_elbow")
    held = motion.local_rotations[40, joint]
    (span,) = found_missing(_with(motion, "right_elbow", slice(41, 75), held))
    assert (span.joint, span.start, span.stop, span.reason) == ("right_elbow", 41, 75, "frozen")


def test_a_frozen_joint_that_swings_back_to_where_it_was_held_is_found() -> None:
    motion = takes()[1]
    joint = motion.skeleton.index("right_elbow")
    back = motion.local_rotations.copy()
    steps = np.linalg.norm(back[60:, joint] - back[40, joint], axis=(1, 2))
    stop = 60 + int(steps.argmin())
    back[stop, joint] = back[40, joint] + 1e-5  # as if it had come round just then
    (span,) = found_missing(
        _with(motion.replace(local_rotations=back), "right_elbow", slice(41, stop), back[40, joint])
    )
    assert (span.joint, span.start, span.stop) == ("right_elbow", 41, stop)


def test_a_dropped_joint_is_found() -> None:
    motion = takes()[1]
    (span,) = found_missing(_with(motion, "left_shoulder", slice(30, 33), np.eye(3)))
    assert (span.joint, span.start, span.stop, span.reason) == ("left_shoulder", 30, 33, "dropped to zero")
    positions = motion.positions.copy()
    positions[50:55, motion.skeleton.index("left_wrist")] = 0
    (span,) = found_missing(Motion.from_positions(motion.skeleton, motion.fps, positions))
    assert (span.joint, span.start, span.stop) == ("left_wrist", 50, 55)


def test_a_body_that_stands_still_is_not_frozen() -> None:
    motion = takes()[0]
    rotations = motion.local_rotations.copy()
    rotations[20:60] = rotations[20]
    assert found_missing(motion.replace(local_rotations=rotations)) == []


def test_holes_of_files_are_found_and_the_rest_is_kept(tmp_path) -> None:
    motion = takes()[0]
    path = tmp_path / "take.bvh"
    save(motion, path)
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    for row in range(first + 10, first + 14):
        words = lines[row].split()
        words[-2] = "nan"
        lines[row] = " ".join(words)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="unusable"):
        load_all(path)
    (damaged,) = load_all(path, ReadOptions(holes=True))
    spans = found_missing(damaged)
    assert [(s.start, s.stop, s.reason) for s in spans] == [(10, 14, "no usable numbers")]
    assert np.isfinite(damaged.source.values).all()


def test_holes_of_positions(tmp_path) -> None:
    motion = takes()[0]
    positions = motion.positions.copy()
    positions[7:9, 3, 1] = np.nan
    path = tmp_path / "take.npz"
    np.savez(path, positions=positions, fps=30.0, names=np.array(motion.skeleton.names))
    (damaged,) = load_all(path, ReadOptions(holes=True))
    assert damaged.provenance.holes == ((3, 7, 9),)
    assert np.isfinite(damaged.positions).all()
