"""What can be wrong with a window of motion: the corruptions that an anomaly detector is asked to find."""

from __future__ import annotations

import numpy as np

from kineme.corpus.occlusion import random_features
from kineme.motion.channels import Channels

#: joints that are frozen: those that move
_MOVING = ("knee", "ankle", "foot", "elbow", "wrist", "head")
FROZEN_SHARE = 0.5


def occluded(
    windows: np.ndarray, channels: Channels, mean: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """0.5 % of the features of joints at their train mean; windows (n, C, frames), mean (C,)."""
    made, places = windows.copy(), 3 * len(channels.joints)
    missing = random_features(rng, (len(windows), places, windows.shape[2]), 0.005)
    made[:, :places] = np.where(missing, mean[:places, None], made[:, :places])
    return made


def frozen(windows: np.ndarray, channels: Channels, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One joint of every window stands still, seen from the pelvis, over half of the window."""
    made, frames = windows.copy(), windows.shape[2]
    joints = [k for k, name in enumerate(channels.joints) if name.split("_")[-1] in _MOVING]
    length = round(FROZEN_SHARE * frames)
    for window in made:
        own = slice(3 * (joint := int(rng.choice(joints))), 3 * joint + 3)
        start = int(rng.integers(frames - length + 1))
        window[own, start : start + length] = window[own, start : start + 1]
    return made


def swapped(
    windows: np.ndarray, channels: Channels, mean: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Left and right of the arms, or of the legs, exchanged: the places are kept, the names are not."""
    made = windows.copy()
    order, _ = channels.mirroring
    limbs = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot"))
    for window, limb in zip(made, rng.integers(0, 2, len(made)), strict=True):
        for joint, name in enumerate(channels.joints):
            if name.split("_")[-1] in limbs[limb] and name.startswith("left_"):
                own = np.arange(3 * joint, 3 * joint + 3)
                window[np.concatenate([own, order[own]])] = window[np.concatenate([order[own], own])]
    return made


CORRUPTIONS = {"occluded": occluded, "frozen": frozen, "swapped": swapped}


def largest_acceleration(windows: np.ndarray, channels: Channels) -> np.ndarray:
    """(n,) mm per frame and frame: the largest of any joint, a check that needs no model."""
    places = channels.relative(windows.transpose(0, 2, 1))
    second = np.diff(places, n=2, axis=1)
    return np.linalg.norm(second, axis=-1).max((1, 2)) * 1000


def worst_body(windows: np.ndarray, channels: Channels) -> np.ndarray:
    """(n,) a check of bone lengths and sides that needs no model.

    The largest relative error of a bone against the standard body, and by how much (metres) left hips and
    shoulders lie to the right of the right ones, whichever is larger.
    """
    from kineme.motion.canonical import JOINTS, PARENTS, SMPL22

    places = channels.relative(windows.transpose(0, 2, 1))
    full = np.zeros((*places.shape[:2], len(JOINTS), 3), dtype=places.dtype)
    full[:, :, channels.index] = places
    known = set(channels.index) | {0}
    bones = [(j, p) for j, p in enumerate(PARENTS) if p >= 0 and {j, p} <= known]
    child, parent = (list(side) for side in zip(*bones, strict=True))
    own = np.linalg.norm(SMPL22.offsets[child], axis=-1)
    lengths = np.linalg.norm(full[:, :, child] - full[:, :, parent], axis=-1)
    wrong = (np.abs(lengths - own) / own).max((1, 2))
    sides = [
        full[:, :, JOINTS.index(f"right_{joint}"), 0] - full[:, :, JOINTS.index(f"left_{joint}"), 0]
        for joint in ("hip", "shoulder")
        if {JOINTS.index(f"{side}_{joint}") for side in ("left", "right")} <= known
    ]
    return np.max([wrong, *(side.max(1) for side in sides)], axis=0)
