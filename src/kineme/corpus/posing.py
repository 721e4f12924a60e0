"""A figure that follows control channels: from poses and footsteps over time to a canonical `Motion`.

Arms, trunk and head follow their channels directly; the pelvis follows the feet; the legs reach for the feet
by two-bone inverse kinematics, so that a planted foot stays where it was set down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from kineme.corpus.grammar import CHANNELS
from kineme.motion import Motion, Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.rotations import axis_angle_to_matrix, yaw_matrix

SIDES = ("left", "right")
_C = {name: k for k, name in enumerate(CHANNELS)}
_J = {name: k for k, name in enumerate(JOINTS)}
_FLIP = np.diag([-1.0, 1.0, 1.0])
#: turns the left arm of the T-pose (+X) to hang down (-Y)
_HANG = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Subject:
    """Who moves: a body and a personal style.

    Attributes
    ----------
    skeleton : canonical names, own limb lengths.
    size : height as a factor of the standard body's; lengths in the grammar are multiplied by it.
    neutral : (C,) resting value of every channel (posture).
    gain : (C,) factor on the departures from neutral (asymmetry, arm swing).
    lag : (C,) seconds by which a channel follows the poses; small, the trunk leads.
    tempo : factor on all durations.
    step_width : metres between the feet; `toe_out` : radians that each foot turns out.
    tremor : radians, slow wandering of posture; `noise` : radians, sensor noise per joint and frame.
    """

    name: str
    skeleton: Skeleton
    size: float
    neutral: np.ndarray
    gain: np.ndarray
    lag: np.ndarray
    tempo: float
    step_width: float
    toe_out: float
    tremor: float
    noise: float


@dataclass(frozen=True)
class Footfall:
    """A foot's way through the air: seconds, and by how much the ball of the foot moves (dx, dz, dyaw)."""

    foot: str
    start: float
    end: float
    move: tuple[float, float, float]
    lift: float
    roll: float


def follow(times: np.ndarray, poses: np.ndarray, at: np.ndarray, lag: np.ndarray, fps: float) -> np.ndarray:
    """Controls (T, C) through the keyed `poses` (K, C) at `times` (K,): monotone between keys, smoothed."""
    curves = PchipInterpolator(times, poses, axis=0)
    out = np.empty((len(at), poses.shape[1]))
    for delay in np.unique(lag):
        columns = lag == delay
        out[:, columns] = curves(np.clip(at - delay, times[0], times[-1]))[:, columns]
    return gaussian_filter1d(out, 0.05 * fps, axis=0, mode="nearest")


def _smoothstep(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk rise from 0 to 1 (Flash and Hogan, 1985)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def _bump(at: np.ndarray, keys: list[tuple[float, float]]) -> np.ndarray:
    times, values = zip(*keys, strict=True)
    return PchipInterpolator(times, values)(np.clip(at, times[0], times[-1]))


@dataclass
class _Feet:
    """Tracks of one foot: `ground` (T, 3) = x, z, yaw of its print; `lift`, `pitch`, `free` (T,)."""

    ground: np.ndarray
    lift: np.ndarray
    pitch: np.ndarray
    free: np.ndarray


def _foot_tracks(at: np.ndarray, start: np.ndarray, falls: list[Footfall]) -> _Feet:
    tracks = _Feet(np.tile(start, (len(at), 1)), *(np.zeros(len(at)) for _ in range(3)))
    for fall in falls:
        t0, t1, span = fall.start, fall.end, fall.end - fall.start
        tracks.ground += _smoothstep((at - t0) / span)[:, None] * np.array(fall.move)
        tracks.lift += _bump(at, [(t0 - 1, 0), (t0, 0), (t0 + 0.45 * span, fall.lift), (t1, 0), (t1 + 1, 0)])
        up, down = 0.6 * fall.roll, -0.22 * fall.roll
        rise = [(t0 - 0.26, 0.0), (t0, up), (t0 + 0.35 * span, 0.75 * up)]
        tracks.pitch += _bump(at, [*rise, (t1 - 0.04, down), (t1 + 0.12, 0.0)])
        tracks.free += (at > t0) & (at < t1)
    return tracks


def _bend(controls: np.ndarray, part: str, joints: int) -> np.ndarray:
    """Rotation (T, 3, 3) of each of the `joints` that share a part's pitch, yaw and roll evenly."""
    return axis_angle_to_matrix(controls[:, [_C[f"{part}_{a}"] for a in ("pitch", "yaw", "roll")]] / joints)


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    vector = np.zeros((*angle.shape, 3))
    vector[..., axis] = angle
    return axis_angle_to_matrix(vector)


def _arm(controls: np.ndarray, side: str, rotations: np.ndarray) -> None:
    """Collar, shoulder, elbow and wrist of one side, written for the left and mirrored for the right."""
    names = ("flex", "abduct", "twist", "elbow")
    flex, abduct, twist, elbow = (controls[:, _C[f"{side}_{name}"]] for name in names)
    swing = axis_angle_to_matrix(np.stack([-flex, np.zeros_like(flex), abduct], axis=-1))
    raised = np.maximum(np.hypot(flex, abduct) - 0.9, 0.0)
    parts = {
        "collar": _about(2, 0.22 * raised),
        "shoulder": swing @ _HANG @ _about(0, twist),
        "elbow": _about(1, -np.clip(elbow, 0.03, 2.5)),
        "wrist": _about(1, -0.12 - 0.08 * np.clip(elbow, 0.0, 2.5)),
    }
    for name, matrix in parts.items():
        rotations[:, _J[f"{side}_{name}"]] = matrix if side == "left" else _FLIP @ matrix @ _FLIP


def _leg(
    hip: np.ndarray, ankle: np.ndarray, ahead: np.ndarray, thigh: float, shin: float
) -> tuple[np.ndarray, np.ndarray]:
    """Global thigh and shin orientations (T, 3, 3) that bring the ankle to its target, knee `ahead`.

    A target out of reach is approached with a straight leg.
    """
    way = ankle - hip
    far = np.linalg.norm(way, axis=-1)
    reach = np.clip(far, abs(thigh - shin) + 0.02, 0.9995 * (thigh + shin))
    way = way / far[:, None]
    left = np.cross(-way, ahead)
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    forward = np.cross(left, -way)
    cosine = np.clip((thigh**2 + reach**2 - shin**2) / (2 * thigh * reach), -1, 1)
    upper = way * cosine[:, None] + forward * np.sqrt(1 - cosine**2)[:, None]
    lower = way * reach[:, None] - upper * thigh
    lower /= np.linalg.norm(lower, axis=-1, keepdims=True)

    def frame(down: np.ndarray) -> np.ndarray:
        return np.stack([left, -down, np.cross(left, -down)], axis=-1)

    return frame(upper), frame(lower)


def _pelvis_path(subject: Subject, feet: dict[str, _Feet], fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the pelvis would be over the feet: ground place (T, 2) and heading (T,)."""
    left, right = feet["left"], feet["right"]
    heading = 0.5 * (left.ground[:, 2] + right.ground[:, 2])
    heading = gaussian_filter1d(heading, 0.13 * fps, mode="nearest")
    ahead = np.stack([np.sin(heading), np.cos(heading)], axis=-1)
    across = np.stack([np.cos(heading), -np.sin(heading)], axis=-1)
    lighter = np.clip(right.free, 0, 1) - np.clip(left.free, 0, 1)
    weight = gaussian_filter1d(lighter, 0.1 * fps, mode="nearest")
    middle = 0.5 * (left.ground + right.ground)[:, :2]
    middle = gaussian_filter1d(middle, 0.11 * fps, axis=0, mode="nearest")
    sway = 0.3 * subject.step_width * weight
    return middle - 0.09 * subject.size * ahead + sway[:, None] * across, heading


def pose_figure(
    subject: Subject, controls: np.ndarray, falls: list[Footfall], start: dict[str, np.ndarray], fps: float
) -> Motion:
    """The motion of `subject` under controls (T, C) and footfalls; `start` gives each foot's x, z, yaw.

    Yaw in `start` and in the footfalls is the body's heading; the feet turn out from it.
    """
    at = np.arange(len(controls)) / fps
    feet = {s: _foot_tracks(at, start[s], [f for f in falls if f.foot == s]) for s in SIDES}
    ground, heading = _pelvis_path(subject, feet, fps)
    body, skeleton = yaw_matrix(heading), subject.skeleton
    offsets = skeleton.offsets.astype(np.float64)

    rotations = np.tile(np.eye(3), (len(controls), len(JOINTS), 1, 1))
    rotations[:, 0] = pelvis = body @ _bend(controls, "pelvis", 1)
    rotations[:, [_J[name] for name in ("spine1", "spine2", "spine3")]] = _bend(controls, "spine", 3)[:, None]
    rotations[:, [_J["neck"], _J["head"]]] = _bend(controls, "head", 2)[:, None]

    shift = controls[:, [_C["sideways"], _C["drop"], _C["forward"]]] * np.array([1.0, -1.0, 1.0])
    root = (body @ shift[..., None])[..., 0]
    root[:, [0, 2]] += ground
    root[:, 1] += 0.993 * offsets[0, 1]

    ankles, soles = {}, {}
    for side in SIDES:
        _arm(controls, side, rotations)
        ankles[side], soles[side] = _ankle(subject, controls, feet[side], side, body)
    root[:, 1] = _reachable(root, pelvis, ankles, feet, offsets, fps)
    for side in SIDES:
        hip = root + pelvis @ offsets[_J[f"{side}_hip"]]
        ahead = soles[side][:, :, 2] * np.array([1, 0, 1]) + 1.5 * body[:, :, 2]
        thigh, shin = _leg(
            hip, ankles[side], ahead, -offsets[_J[f"{side}_knee"], 1], -offsets[_J[f"{side}_ankle"], 1]
        )
        rotations[:, _J[f"{side}_hip"]] = pelvis.swapaxes(1, 2) @ thigh
        rotations[:, _J[f"{side}_knee"]] = thigh.swapaxes(1, 2) @ shin
        rotations[:, _J[f"{side}_ankle"]] = shin.swapaxes(1, 2) @ soles[side]
        # The toes stay flat while the heel rises.
        pitch = np.maximum(feet[side].pitch, 0) * (feet[side].free == 0)
        rotations[:, _J[f"{side}_foot"]] = _about(0, -gaussian_filter1d(pitch, 0.03 * fps, mode="nearest"))
    return Motion(skeleton, fps, root, rotations)


def _ankle(
    subject: Subject, controls: np.ndarray, feet: _Feet, side: str, body: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ankle places (T, 3) and foot orientations (T, 3, 3) of one side."""
    sign = 1.0 if side == "left" else -1.0
    forward, sideways, up, pitch = (
        controls[:, _C[f"{side}_foot_{n}"]] for n in ("forward", "side", "up", "pitch")
    )
    pitch = feet.pitch + pitch
    sole = yaw_matrix(feet.ground[:, 2] + sign * subject.toe_out) @ _about(0, pitch)
    to_ball = subject.skeleton.offsets[_J[f"{side}_foot"]].astype(np.float64)
    # On its heel the foot turns about the heel: the ball comes up.
    heel = np.maximum(np.sin(-pitch), 0) * (to_ball[2] + 0.04 * subject.size)
    ball = np.zeros((len(controls), 3))
    ball += (body @ np.stack([sideways * sign, np.zeros_like(up), forward], axis=-1)[..., None])[..., 0]
    ball[:, [0, 2]] += feet.ground[:, :2]
    ball[:, 1] += 0.02 * subject.size + feet.lift + np.maximum(up, 0) + heel
    return ball - sole @ to_ball, sole


def _reachable(
    root: np.ndarray,
    pelvis: np.ndarray,
    ankles: dict[str, np.ndarray],
    feet: dict[str, _Feet],
    offsets: np.ndarray,
    fps: float,
) -> np.ndarray:
    """Pelvis heights (T,), lowered smoothly to where every planted foot can be reached."""
    highest = np.full(len(root), np.inf)
    for side, ankle in ankles.items():
        length = 0.99 * -(offsets[_J[f"{side}_knee"], 1] + offsets[_J[f"{side}_ankle"], 1])
        hip = root + pelvis @ offsets[_J[f"{side}_hip"]]
        flat = np.sum((hip - ankle)[:, [0, 2]] ** 2, axis=1)
        limit = ankle[:, 1] + np.sqrt(np.maximum(length**2 - flat, 0.0)) - (hip - root)[:, 1]
        highest = np.minimum(highest, np.where(feet[side].free > 0, np.inf, limit))
    excess = np.maximum(root[:, 1] - highest, 0.0)
    # Widen before smoothing, so that the smoothed correction is still large enough.
    wide = -minimum_filter1d(-excess, 2 * int(round(0.1 * fps)) + 1, mode="nearest")
    return root[:, 1] - gaussian_filter1d(wide, 0.06 * fps, mode="nearest")
