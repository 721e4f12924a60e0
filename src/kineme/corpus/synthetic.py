"""Motion made from a grammar, with the truth about its atoms, motifs and activities.

It is what the demo and the tests run on, and the only place where that truth is known exactly. Bodies,
posture, tempo, amplitude, handedness and sensor noise differ from take to take (`Subject`), so that the same
motif never looks the same twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from kineme.corpus.grammar import ACTIVITIES, CHANNELS, MOTIFS, Atom, Draw
from kineme.corpus.posing import SIDES, Footfall, Subject, follow, pose_figure
from kineme.errors import UsageError
from kineme.motion import SMPL22, Motion, Provenance, Segment, Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.rotations import axis_angle_to_matrix

#: how many different people a seed holds; take k is of person k modulo this
SUBJECTS = 6
#: a body farther than this from the origin, in metres, turns back
ARENA = 3.5
#: activities that a take is dealt before the next take's begin
_DEALT = 3
_SHIFTS = ("drop", "forward", "sideways")
#: how much a channel takes part in the slow wandering of posture
_LOOSE = np.array([0.0 if "foot" in n else 0.25 if n in _SHIFTS else 1.0 for n in CHANNELS])


@dataclass(frozen=True)
class SyntheticTake:
    """One take. `labels` tile it at each of the levels ``atom``, ``motif`` and ``activity``."""

    name: str
    subject: str
    motion: Motion
    labels: tuple[Segment, ...]


def generate(seed: int, takes: int, seconds: float, fps: float = 30.0) -> list[SyntheticTake]:
    """`takes` takes of `seconds` each in the canonical skeleton; take k depends on `seed` and k alone."""
    if takes < 0 or not (np.isfinite(seconds) and seconds * fps >= 1):
        raise UsageError(f"cannot make {takes} takes of {seconds} seconds at {fps} frames per second")
    return [_take(seed, k, seconds, fps) for k in range(takes)]


def make_subject(seed: int, number: int) -> Subject:
    """Person `number` of `seed`: body proportions, posture, tempo, asymmetry and noise."""
    rng = np.random.default_rng([seed, 1, number])
    size = rng.uniform(0.88, 1.1)
    neutral, gain = dict.fromkeys(CHANNELS, 0.0), np.ones(len(CHANNELS))
    stoop, flare, bent = rng.uniform(-0.05, 0.22), rng.uniform(0.1, 0.24), rng.uniform(0.2, 0.45)
    for side in SIDES:
        own = rng.normal(0, 0.03, 4)
        neutral |= {
            f"{side}_flex": 0.03 + own[0], f"{side}_abduct": flare + own[1],
            f"{side}_twist": 0.3 + own[2], f"{side}_elbow": bent + own[3],
        }  # fmt: skip
    neutral |= {"spine_pitch": stoop, "head_pitch": -0.4 * stoop + rng.normal(0, 0.05)}
    neutral |= {
        "drop": rng.uniform(0, 0.02),
        "spine_roll": rng.normal(0, 0.025),
        "spine_yaw": rng.normal(0, 0.03),
    }
    sides = {side: rng.uniform(0.88, 1.1) for side in SIDES}
    for k, name in enumerate(CHANNELS):
        side = name.split("_")[0]
        gain[k] = sides.get(side, 1.0) if "foot" not in name else 1.0
        if name in _SHIFTS or "foot_" in name and "pitch" not in name:
            gain[k] *= size
    lag = np.array([_lag(name) for name in CHANNELS]) * rng.uniform(0.5, 1.3)
    return Subject(
        name=f"s{number + 1}",
        skeleton=_body(size, rng),
        size=size,
        neutral=np.array([neutral[name] for name in CHANNELS]),
        gain=gain,
        lag=lag,
        tempo=rng.uniform(0.85, 1.2),
        step_width=size * rng.uniform(0.15, 0.21),
        toe_out=rng.uniform(0.05, 0.2),
        tremor=rng.uniform(0.012, 0.035),
        noise=rng.uniform(0.001, 0.0035),
    )


def _lag(name: str) -> float:
    """Seconds by which a channel follows: hands after shoulders after the trunk; feet never."""
    if "foot" in name or name in _SHIFTS:
        return 0.0
    return {"elbow": 0.07, "twist": 0.05, "flex": 0.03, "abduct": 0.03}.get(name.split("_")[1], 0.0)


def _body(size: float, rng: np.random.Generator) -> Skeleton:
    """The canonical body at another size, with its own proportions of legs, arms, trunk and shoulders."""
    part = {name: rng.uniform(0.94, 1.06) for name in ("leg", "arm", "trunk", "across")}
    offsets = SMPL22.offsets.astype(np.float64) * size
    for joint, name in enumerate(JOINTS):
        if name.endswith(("knee", "ankle")):
            offsets[joint] *= part["leg"]
        elif name.endswith(("elbow", "wrist")):
            offsets[joint] *= part["arm"]
        elif name.startswith("spine") or name == "neck":
            offsets[joint] *= part["trunk"]
        elif name.endswith(("hip", "shoulder", "collar")):
            offsets[joint, 0] *= part["across"]
    legs = sum(offsets[JOINTS.index(f"left_{name}"), 1] for name in ("hip", "knee", "ankle", "foot"))
    offsets[0, 1] = 0.02 * size - legs
    return replace(SMPL22.scaled(size), offsets=offsets.astype(np.float32), name="smpl22")


class _Stage:
    """What happens when: the take under construction."""

    def __init__(self, subject: Subject, rng: np.random.Generator):
        self.subject, self.rng = subject, rng
        self.now, self.heading = 0.0, float(rng.uniform(-np.pi, np.pi))
        self.key_times, self.key_poses = [-1.0, 0.0], [subject.neutral, subject.neutral]
        self.labels: list[Segment] = []
        self.falls: list[Footfall] = []
        half = subject.step_width / 2
        middle = rng.uniform(-1.5, 1.5, 2)
        self.feet = {s: middle + self._ahead(half if s == "left" else -half, 0.0) for s in SIDES}
        self.start = {s: np.array([*self.feet[s], self.heading]) for s in SIDES}

    def _ahead(self, left: float, forward: float) -> np.ndarray:
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        return np.array([cos * left + sin * forward, -sin * left + cos * forward])

    def way(self, motif: str) -> float:
        """Radians to turn by: towards the middle of the arena when outside it, otherwise by chance."""
        place = 0.5 * (self.feet["left"] + self.feet["right"])
        home = np.arctan2(-place[0], -place[1]) - self.heading
        home = float((home + np.pi) % (2 * np.pi) - np.pi)
        outside = np.hypot(*place) > ARENA
        if motif == "turn":
            some = float(self.rng.uniform(0.9, 2.8) * self.rng.choice([-1, 1]))
            return home if outside and abs(home) > 0.5 else some
        return float(np.clip(home, -1.9, 1.9)) if outside else float(self.rng.normal(0, 0.35))

    def play(self, motif: str) -> None:
        """Adds one performance of `motif`."""
        rng = self.rng
        draw = Draw(rng, amplitude=float(rng.uniform(0.78, 1.15)), turn=self.way(motif))
        tempo = float(np.clip(self.subject.tempo * rng.uniform(0.83, 1.2), 0.7, 1.4))
        start = self.now
        for atom in MOTIFS[motif](draw):
            self._perform(atom, atom.seconds * tempo * float(rng.uniform(0.93, 1.07)))
        self.labels.append(Segment(start, self.now, motif, "motif"))

    def _perform(self, atom: Atom, seconds: float) -> None:
        subject, start = self.subject, self.now
        for at, pose in atom.keys:
            departure = np.array([pose.get(name, 0.0) for name in CHANNELS])
            self.key_times.append(start + at * seconds)
            self.key_poses.append(subject.neutral + subject.gain * departure)
        if (step := atom.step) is not None:
            self.heading += step.turn
            sign = 1 if step.foot == "left" else -1
            other = self.feet["right" if step.foot == "left" else "left"]
            place = other + self._ahead(sign * subject.step_width, step.forward * subject.size)
            moved = place - self.feet[step.foot]
            turned = self.heading - self._yaw(step.foot)
            self.falls.append(
                Footfall(
                    step.foot,
                    start + step.leave * seconds,
                    start + step.land * seconds,
                    (float(moved[0]), float(moved[1]), turned),
                    step.lift * subject.size,
                    step.roll,
                )  # fmt: skip
            )
            self.feet[step.foot] = place
        self.now = start + seconds
        self.labels.append(Segment(start, self.now, atom.name, "atom"))

    def _yaw(self, foot: str) -> float:
        return float(self.start[foot][2] + sum(fall.move[2] for fall in self.falls if fall.foot == foot))


def _activities(seed: int, number: int) -> Iterator[str]:
    """Activities of take `number`, without end: dealt in shuffled rounds over all takes, so none is rare."""
    names, at = list(ACTIVITIES), number * _DEALT
    while True:
        order = np.random.default_rng([seed, 2, at // len(names)]).permutation(len(names))
        yield names[order[at % len(names)]]
        at += 1


def _in_some_order(activity: str, rng: np.random.Generator) -> list[str]:
    """The parts of an activity; every other time in another order, so that what follows a motif is open."""
    parts = ACTIVITIES[activity]
    return [parts[k] for k in rng.permutation(len(parts))] if rng.random() < 0.5 else list(parts)


def _compose(stage: _Stage, activities: Iterator[str], seconds: float) -> None:
    """Activities until the take is full; no motif follows itself."""
    rng, last = stage.rng, ""
    while stage.now < seconds:
        activity, begin = next(activities), stage.now
        parts = [part for _ in range(int(rng.integers(1, 3))) for part in _in_some_order(activity, rng)]
        for part in parts:
            if part.endswith("?") and rng.random() < 0.5:
                continue
            motif = str(rng.choice(part.rstrip("?").split("|")))
            if motif == last:
                if motif == "stand":
                    continue
                stage.play("stand")
            stage.play(motif)
            last = motif
            if stage.now >= seconds:
                break
        stage.labels.append(Segment(begin, stage.now, activity, "activity"))


def _wander(rng: np.random.Generator, frames: int, channels: int, fps: float) -> np.ndarray:
    """Slow noise (T, C) of unit size: nobody holds quite still."""
    noise = gaussian_filter1d(rng.normal(size=(frames, channels)), 0.45 * fps, axis=0, mode="wrap")
    return noise * np.sqrt(2 * np.sqrt(np.pi) * 0.45 * fps)


def _take(seed: int, number: int, seconds: float, fps: float) -> SyntheticTake:
    rng = np.random.default_rng([seed, 0, number])
    subject = make_subject(seed, number % SUBJECTS)
    stage = _Stage(subject, rng)
    _compose(stage, _activities(seed, number), seconds)

    frames = int(round(seconds * fps))
    times, poses = [*stage.key_times, stage.now + 1], [*stage.key_poses, subject.neutral]
    controls = follow(np.array(times), np.array(poses), np.arange(frames) / fps, subject.lag, fps)
    controls += subject.tremor * _LOOSE * _wander(rng, frames, len(CHANNELS), fps)
    clean = pose_figure(subject, controls, stage.falls, stage.start, fps)

    shake = axis_angle_to_matrix(rng.normal(0, subject.noise, (frames, len(JOINTS), 3)).astype(np.float32))
    end = frames / fps
    labels = tuple(
        replace(s, end=min(s.end, end))
        for s in sorted(stage.labels, key=lambda s: ("atom", "motif", "activity").index(s.level))
        if s.start < end
    )
    name = f"synthetic_{seed}_{number:04d}"
    motion = clean.replace(
        local_rotations=clean.local_rotations @ shake,
        root_translation=clean.root_translation + rng.normal(0, 0.2 * subject.noise, (frames, 3)),
        labels=labels,
        provenance=Provenance(file=name, format="synthetic", fps=fps),
    )
    return SyntheticTake(name, subject.name, motion, labels)
