"""A small model of coupled actions and a small autoencoder, for tests of what is done with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kineme.corpus.actions import Action, action_of
from kineme.models.compose import ComposeConfig, Composer
from kineme.motion import SMPL22, Motion, Segment
from kineme.motion.canonical import INDEX
from kineme.motion.rotations import axis_angle_to_matrix
from kineme.render.mae_config import MAEConfig

#: action -> (joints that swing, metres a second that the body goes)
ACTIONS = {
    "run": (("left_hip", "right_hip"), 2.0),
    "walk": (("left_hip", "right_hip"), 1.0),
    "wave": (("right_shoulder", "right_elbow"), 0.0),
}
SMALL = ComposeConfig(
    labels=tuple(ACTIONS), frames=12, width=16, layers=1, heads=2, feed=16, steps=3, batch_size=4,
    refine_pictures=2,
)  # fmt: skip
SMALL_MAE = MAEConfig(
    size=64,
    width=16,
    layers=1,
    heads=2,
    decoder_width=16,
    decoder_layers=1,
    points=400,
    steps=3,
    batch_size=2,
)


def take(label: str, seconds: float = 1.5, fps: float = 20.0, seed: int = 0) -> Motion:
    """The canonical body, doing one of `ACTIONS` and labelled so."""
    joints, speed = ACTIONS[label]
    frames = round(seconds * fps)
    turns = np.zeros((frames, 22, 3))
    for k, joint in enumerate(joints):
        turns[:, INDEX[joint], 0 if "hip" in joint else 2] = 0.6 * np.sin(
            np.arange(frames) / 3 + np.pi * k + seed
        )
    root = np.tile(SMPL22.offsets[0], (frames, 1))
    root[:, 2] += speed * np.arange(frames) / fps
    motion = Motion(SMPL22, fps, root, axis_angle_to_matrix(turns))
    return motion.replace(labels=(Segment(0.0, motion.duration, label),))


def actions(each: int = 2) -> list[Action]:
    """A few sequences of each of `ACTIONS`, of different lengths."""
    return [
        action_of(take(label, 0.5 + 0.25 * k, seed=k), label, SMALL.fps, f"{label}-{k}")
        for label in ACTIONS
        for k in range(each)
    ]


def small_composer(**changes) -> Composer:
    """With random weights."""
    return Composer.random(replace(SMALL, **changes))
