"""Words for motions that are simple maths, so that the right words are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from demo_takes import FPS, MOVES, take
from kineme.formats import ReadOptions, load_all
from kineme.motion.canonical import JOINTS, SMPL22
from kineme.motion.frame import mirror, turn
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.motion import Motion
from kineme.motion.retarget import retarget
from kineme.motion.rotations import axis_angle_to_matrix, yaw_matrix
from kineme.motion.time import resample
from kineme.report.words import describe, say_duration

FRAMES = 45
_X, _Y, _Z = np.eye(3, dtype=np.float32)


def _pose(
    turns: dict[str, np.ndarray], root: np.ndarray | None = None, yaw: np.ndarray | None = None
) -> np.ndarray:
    """Positions (T, 22, 3) of a body with hanging arms, with rotation vectors (T, 3) of some joints."""
    local = np.tile(np.eye(3, dtype=np.float32), (FRAMES, len(JOINTS), 1, 1))
    hanging = {"left_shoulder": -1.3 * _Z, "right_shoulder": 1.3 * _Z}
    for joint, vector in ({j: np.tile(v, (FRAMES, 1)) for j, v in hanging.items()} | turns).items():
        local[:, JOINTS.index(joint)] = axis_angle_to_matrix(vector.astype(np.float32))
    if yaw is not None:
        local[:, 0] = yaw_matrix(yaw).astype(np.float32)
    place = np.zeros((FRAMES, 3), np.float32) if root is None else root.astype(np.float32)
    positions, _ = forward_kinematics(SMPL22, local, place + np.float32([0, 0.93, 0]))
    return positions


def _ramp(axis: np.ndarray, start: float, end: float) -> np.ndarray:
    return np.linspace(start, end, FRAMES)[:, None] * axis


STILL: Callable[[], np.ndarray] = lambda: _pose({})  # noqa: E731
CASES: dict[str, tuple[Callable[[], np.ndarray], str, list[str]]] = {
    "still": (STILL, "stands still", []),
    "right arm": (lambda: _pose({"right_shoulder": _ramp(_Z, 1.3, -1.2)}), "right arm rises", ["right arm"]),
    "left arm": (lambda: _pose({"left_shoulder": _ramp(_Z, 1.2, -1.3)}), "left arm lowers", ["left arm"]),
    "both arms": (
        lambda: _pose({"left_shoulder": _ramp(_Z, -1.3, 1.2), "right_shoulder": _ramp(_Z, 1.3, -1.2)}),
        "both arms rise",
        ["left arm", "right arm"],
    ),
    "forward": (lambda: _pose({}, root=_ramp(_Z, 0, 1.8)), "walks forward", []),
    "backward": (lambda: _pose({}, root=_ramp(_Z, 0, -1.8)), "walks backward", []),
    "to the left": (lambda: _pose({}, root=_ramp(_X, 0, 0.6)), "steps to the left", []),
    "run": (lambda: _pose({}, root=_ramp(_Z, 0, 4.8)), "runs forward", []),
    "left turn": (lambda: _pose({}, yaw=np.linspace(0, 1.6, FRAMES)), "turns left", []),
    "right turn": (lambda: _pose({}, yaw=np.linspace(0.4, -1.2, FRAMES)), "turns right", []),
    "crouch": (lambda: _crouch(), "crouches", ["left leg", "right leg", "torso"]),
    "bow": (lambda: _pose({"spine1": _ramp(_X, 0, 1.1)}), "bends forward", ["torso"]),
}


def _crouch() -> np.ndarray:
    legs = {f"{s}_hip": _ramp(_X, 0, -1.6) for s in ("left", "right")}
    legs |= {f"{s}_knee": _ramp(_X, 0, 2.2) for s in ("left", "right")}
    positions = _pose(legs)
    feet = positions[:, [JOINTS.index("left_ankle"), JOINTS.index("right_ankle")], 1].min(axis=1)
    positions[:, :, 1] -= feet[:, None]
    return positions


@pytest.mark.parametrize("case", CASES)
def test_words_and_parts(case: str) -> None:
    make, words, parts = CASES[case]
    said = describe([make()], 30)
    assert said.words == words
    assert set(parts) <= set(said.parts)


@pytest.mark.parametrize("case", CASES)
def test_where_and_which_way_the_body_stands_does_not_matter(case: str) -> None:
    make, words, _ = CASES[case]
    motion = Motion.from_positions(SMPL22, 30.0, make() + np.float32([4, 0, -7]))
    assert describe([turn(motion, 2.1).positions], 30).words == words


def test_a_mirror_exchanges_left_and_right() -> None:
    motion = Motion.from_positions(SMPL22, 30.0, CASES["right arm"][0]())
    said = describe([mirror(motion).positions], 30)
    assert (said.words, said.parts) == ("left arm rises", ["left arm"])


@pytest.mark.parametrize("size", [0.6, 1.25])
def test_children_and_giants_do_the_same(size: float) -> None:
    for make, words, _ in (CASES["right arm"], CASES["crouch"], CASES["still"], CASES["left turn"]):
        assert describe([make() * np.float32(size)], 30).words == words


def test_most_examples_decide() -> None:
    up, still = CASES["right arm"][0](), STILL()
    assert describe([up, up, still], 30).words == "right arm rises"
    assert "rises" not in describe([up, still, still], 30).words


@pytest.mark.parametrize(
    ("move", "words"),
    [
        ("walk", "walks forward"), ("wave", "right arm waves"), ("jump", "jumps"), ("bow", "bends forward"),
        ("kick right", "right leg kicks"), ("crouch", "crouches and rises"), ("turn right", "turns right"),
        ("reach left", "left arm reaches forward"), ("step aside", "steps to the left"),
        ("jog", "runs forward"),
    ],
)  # fmt: skip
def test_livelier_moves(move: str, words: str) -> None:
    examples = [take(["stand", move, "stand"], seed) for seed in range(3)]
    pieces = [t.positions[round(t.moves[1][1] * FPS) : round(t.moves[1][2] * FPS)] for t in examples]
    assert move in MOVES
    assert describe(pieces, FPS).words.startswith(words)


def test_a_single_frame_and_none_are_described() -> None:
    assert describe([STILL()[:1]], 30).words == "stands still"
    assert describe([], 30).parts == []


def test_durations_in_words() -> None:
    said = [say_duration(s) for s in (8.42, 9.96, 47.6, 59.7, 380, 3600 * 3 + 24 * 60)]
    assert said == ["8.4 s", "10 s", "48 s", "1 min", "6 min 20 s", "3 h 24 min"]


@pytest.mark.parametrize(
    ("archive", "content", "words"),
    [
        (1, "walk", "walks forward"), (1, "walk-back", "walks backward"), (1, "run", "runs forward"),
        (1, "dash", "runs forward"), (1, "bow", "bends forward"), (1, "bye", "right arm waves"),
        (1, "byebye", "both arms wave"), (2, "wave-both-hands", "both arms wave"),
        (2, "walk-turn-left", "walks forward, turns left"),
        (2, "walk-turn-right", "walks forward, turns right"), (2, "wave-left-hand", "left arm waves"),
        (2, "raise-up-right-hand", "right arm rises and lowers"),
    ],
)  # fmt: skip
def test_real_people_do_what_the_file_names_say(
    archive: int, content: str, words: str, unpacked: Callable[..., Path]
) -> None:
    pattern = f"*_{content}_*_001.bvh"  # one take of every style, lively or tired
    folder = unpacked(f"bandai-namco/dataset-{archive}.zip", pattern)
    files = sorted(folder.rglob(pattern))[:8]
    assert len(files) >= 7
    motions = [resample(load_all(file, ReadOptions())[0], 30.0) for file in files]
    assert describe([retarget(motion).positions for motion in motions], 30).words == words
