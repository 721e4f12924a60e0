"""Skeletons and motions made by hand, for tests of everything that moves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from kineme.motion import SMPL22, Motion, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.kinematics import forward_kinematics, local_from_global

INDEX = {name: joint for joint, name in enumerate(JOINTS)}
MIXAMO = dict(
    zip(
        JOINTS,
        "Hips LeftUpLeg RightUpLeg Spine LeftLeg RightLeg Spine1 LeftFoot RightFoot Spine2 LeftToeBase "
        "RightToeBase Neck LeftShoulder RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm "
        "LeftHand RightHand".split(),
        strict=True,
    )
)


def tree(text: str) -> Skeleton:
    """A skeleton from indented names; every joint 10 cm above its parent."""
    names: list[str] = []
    parents: list[int] = []
    open_joints: list[tuple[int, int]] = []
    for line in filter(str.strip, text.split("\n")):
        depth = len(line) - len(line.lstrip())
        while open_joints and open_joints[-1][0] >= depth:
            open_joints.pop()
        parents.append(open_joints[-1][1] if open_joints else -1)
        names.append(line.strip())
        open_joints.append((depth, len(names) - 1))
    offsets = np.tile(np.float32([0, 0.1, 0]), (len(names), 1))
    return Skeleton(tuple(names), tuple(parents), offsets)


def humanoid(
    root: str, leg: str, spine: str, neck: str, arm: str, sides: tuple[str, str] = ("Left", "Right")
) -> Skeleton:
    """A tree from chains of names, separated by commas, ``*`` standing for the side."""
    lines: list[str] = []

    def hang(chain: str, depth: int) -> int:
        names = [name.strip() for name in chain.split(",")]
        lines.extend(" " * (depth + k) + name for k, name in enumerate(names))
        return depth + len(names)

    below = hang(root, 0)
    for side in sides:
        hang(leg.replace("*", side), below)
    chest = hang(spine, below)
    hang(neck, chest)
    for side in sides:
        hang(arm.replace("*", side), chest)
    return tree("\n".join(lines))


def random_turns(*shape: int, degrees: float, seed: int = 0) -> np.ndarray:
    """Rotations (*shape, 3, 3) of at most `degrees`."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(*shape, 3))
    vectors *= rng.uniform(0, np.deg2rad(degrees), (*shape, 1)) / np.linalg.norm(
        vectors, axis=-1, keepdims=True
    )
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*shape, 3, 3)


def walkabout(skeleton: Skeleton = SMPL22, frames: int = 12, degrees: float = 50, seed: int = 0) -> Motion:
    """A canonical motion that moves every joint and turns and travels as it goes."""
    rng = np.random.default_rng(seed)
    local = random_turns(frames, len(skeleton), degrees=degrees, seed=seed)
    heading = Rotation.from_rotvec(np.linspace([0, 0, 0], [0, 5, 0], frames)).as_matrix()
    local[:, 0] = heading @ random_turns(frames, degrees=20, seed=seed + 1)
    places = np.float32([0, 0.9, 0]) + rng.normal(size=(frames, 3)) * 0.05
    return Motion(skeleton, 30.0, places, local)


def rigged(
    motion: Motion,
    names: dict[str, str] | None = None,
    axes: np.ndarray | None = None,
    pose: np.ndarray | None = None,
    turned: np.ndarray | None = None,
) -> Motion:
    """A canonical motion in another rig's clothes: the same body moving the same way.

    Parameters
    ----------
    names : canonical joint -> the rig's name.
    axes : (22, 3, 3) the rig's own local axes: its world rotations are G(j, t) axes(j).
    pose : (22, 3, 3) local rotations of the body in the rig's rest pose (an A-pose); a T-pose if None.
    turned : (3, 3) turns the whole rest pose, so that it does not face +Z.
    """
    source = motion.skeleton
    eye = np.tile(np.eye(3), (22, 1, 1))
    axes = eye if axes is None else axes
    pose = (eye if pose is None else pose).copy()
    if turned is not None:
        pose[0] = turned @ pose[0]
    _, world_rest = forward_kinematics(source, pose[None], np.zeros((1, 3)))
    offsets = source.offsets.astype(np.float64)
    for joint in range(1, 22):
        offsets[joint] = axes[PARENTS[joint]].T @ offsets[joint]
    names = MIXAMO if names is None else names
    ends = tuple((j, tuple(float(x) for x in axes[j].T @ np.array(offset))) for j, offset in source.end_sites)
    rig = Skeleton(
        tuple(names[name] for name in JOINTS),
        PARENTS,
        offsets,
        local_from_global(source, world_rest[0] @ axes),
        ends,  # type: ignore[arg-type]
    )
    turns = motion.global_rotations @ axes
    return motion.replace(skeleton=rig, local_rotations=local_from_global(source, turns))


def without(motion: Motion, dropped: set[str]) -> Motion:
    """The motion on a skeleton that lacks some joints; their children hang from their parents."""
    skeleton = motion.skeleton
    kept = [j for j, name in enumerate(skeleton.names) if name not in dropped]

    def above(joint: int) -> int:
        parent = skeleton.parents[joint]
        while parent >= 0 and parent not in kept:
            parent = skeleton.parents[parent]
        return parent

    parents = tuple(-1 if above(j) < 0 else kept.index(above(j)) for j in kept)
    rest = skeleton.rest_positions
    offsets = np.array([rest[j] - (rest[above(j)] if above(j) >= 0 else 0) for j in kept])
    ends = tuple((kept.index(j), offset) for j, offset in skeleton.end_sites if j in kept)
    smaller = Skeleton(tuple(skeleton.names[j] for j in kept), parents, offsets, None, ends)  # type: ignore[arg-type]
    turns = motion.global_rotations[:, kept]
    return motion.replace(skeleton=smaller, local_rotations=local_from_global(smaller, turns))


def stretched(seed: int = 0) -> Skeleton:
    """SMPL22 with other lengths, left and right alike."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.8, 1.25, 22)
    for name, joint in INDEX.items():
        if name.startswith("right_"):
            lengths[joint] = lengths[INDEX["left_" + name.removeprefix("right_")]]
    return replace(SMPL22, offsets=SMPL22.offsets * lengths[:, None])


def angles_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between vectors (..., 3), exact for small angles too."""
    a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    b = b / np.linalg.norm(b, axis=-1, keepdims=True)
    return np.rad2deg(2 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=-1) / 2, 0, 1)))


def turn_angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees (...) between rotations (..., 3, 3)."""
    relative = np.swapaxes(a, -1, -2).astype(np.float64) @ b
    flat = Rotation.from_matrix(relative.reshape(-1, 3, 3)).magnitude()
    return np.rad2deg(flat).reshape(a.shape[:-2])
