"""Inverse kinematics: frames per second against forward kinematics of the same motion, and what is missed.

    python benchmarks/fit_rotations.py [FRAMES]

A synthetic person on the canonical body is turned into positions and fitted. The times are seconds of the
processor (the work of all cores), the fastest of the rounds; the ratio is to `forward_kinematics`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from kineme.motion import SMPL22, Motion
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rotations import axis_angle_to_matrix

GOAL = 1000  # frames per second on two cores


def walk(frames: int) -> Motion:
    """A body whose joints wander smoothly."""
    rng = np.random.default_rng(0)
    turns = 0.01 * rng.normal(size=(frames, 22, 3)).cumsum(axis=0)
    turns = 0.6 * np.sin(turns)
    places = np.tile([0.0, 0.95, 0.0], (frames, 1)) + 0.001 * rng.normal(size=(frames, 3)).cumsum(axis=0)
    return Motion(SMPL22, 120.0, places, axis_angle_to_matrix(turns))


def fastest(work: Callable[[], object], rounds: int = 5) -> float:
    """Processor seconds of the fastest call."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    body = walk(frames)
    bare = Motion.from_positions(SMPL22, 120.0, body.positions)
    turns = body.local_rotations
    assert turns is not None
    forward = fastest(lambda: forward_kinematics(SMPL22, turns, body.root_translation))
    inverse = fastest(lambda: fit_rotations(bare))
    missed = np.linalg.norm(fit_rotations(bare).positions - body.positions, axis=-1).max()
    print(f"forward {frames / forward:10.0f} frames/s")
    print(
        f"inverse {frames / inverse:10.0f} frames/s, {inverse / forward:.1f}x the time of forward kinematics"
    )
    print(f"missed  {missed * 1000:10.3f} mm at most; goal: at least {GOAL} frames/s, at most 2 mm")


if __name__ == "__main__":
    main()
