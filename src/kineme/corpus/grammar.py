"""The grammar of the synthetic takes: atoms make motifs, motifs make activities.

An **atom** moves the body into one pose (or takes one step); a **motif** is a recurring pattern of atoms with
a random number of repetitions; an **activity** is a sequence of motifs. Atoms recur in several motifs
("crouch" begins a squat and a jump), and every motif returns to the neutral pose.

Poses are given as departures of a few control channels from neutral (`CHANNELS`), angles in radians, lengths
in metres for a body of standard size. One-sided ones are written for the right; `mirrored` gives the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

_SIDED = ("flex", "abduct", "twist", "elbow", "foot_forward", "foot_side", "foot_up", "foot_pitch")
#: the controls of the figure; `posing.py` says what each does
CHANNELS: tuple[str, ...] = (
    *(f"left_{name}" for name in _SIDED),
    *(f"right_{name}" for name in _SIDED),
    *(f"{part}_{axis}" for part in ("pelvis", "spine", "head") for axis in ("pitch", "roll", "yaw")),
    *("drop", "forward", "sideways"),
)

Pose = Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """One foot set down elsewhere.

    Attributes
    ----------
    foot : ``left`` or ``right``.
    forward : metres that it lands ahead of the other foot, along the new heading.
    turn : radians that the heading turns with this step, positive to the left.
    lift : metres that the foot is raised on its way.
    leave, land : when, in fractions of the atom; a negative `leave` overlaps the atom before (running).
    roll : how much the foot rolls from heel to toe, 1 in a walk, 0 when stepping in place.
    """

    foot: str
    forward: float
    turn: float = 0.0
    lift: float = 0.09
    leave: float = 0.12
    land: float = 0.95
    roll: float = 1.0


@dataclass(frozen=True)
class Atom:
    """The smallest action: `keys` are (fraction of the time, pose) pairs, the last at 1."""

    name: str
    seconds: float
    keys: tuple[tuple[float, Pose], ...]
    step: Step | None = None


@dataclass(frozen=True)
class Draw:
    """What one performance of a motif may depend on: chance, its amplitude, and the way to go.

    Attributes
    ----------
    amplitude : factor on the size of the poses and strides.
    turn : radians to the left that the body should turn by, where the motif can turn.
    """

    rng: np.random.Generator
    amplitude: float
    turn: float

    def times(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def pose(self, **channels: float) -> Pose:
        return {name: value * self.amplitude for name, value in channels.items()}


def to(name: str, seconds: float, *poses: Pose) -> Atom:
    """An atom through `poses`, evenly spaced, ending in the last (none: back to neutral)."""
    poses = poses or ({},)
    return Atom(name, seconds, tuple(((k + 1) / len(poses), pose) for k, pose in enumerate(poses)))


def _swap(name: str) -> str:
    return name.replace("left", "\0").replace("right", "left").replace("\0", "right")


def mirrored(atom: Atom) -> Atom:
    """The same atom with left and right exchanged, in its name too."""

    def flip(pose: Pose) -> Pose:
        odd = ("_roll", "_yaw", "sideways")
        return {_swap(name): -value if name.endswith(odd) else value for name, value in pose.items()}

    step = atom.step and replace(atom.step, foot=_swap(atom.step.foot), turn=-atom.step.turn)
    return replace(atom, name=_swap(atom.name), keys=tuple((at, flip(p)) for at, p in atom.keys), step=step)


def _stride(draw: Draw, name: str, seconds: float, swing: float, elbow: float, **step: float) -> Atom:
    """A right step: left arm and right leg forward, the trunk turning against the pelvis."""
    pose = {
        "left_flex": swing, "right_flex": -0.8 * swing, "left_elbow": elbow + 0.35 * swing,
        "right_elbow": elbow,
        "pelvis_yaw": 0.28 * swing, "spine_yaw": -0.45 * swing, "head_yaw": 0.17 * swing,
    }  # fmt: skip
    return Atom(name, seconds, ((1.0, draw.pose(**pose)),), Step("right", **step))


def _gait(draw: Draw, count: int, stride: Callable[[float, float], Atom]) -> list[Atom]:
    """`count` strides on alternating feet and one that closes the feet, turning evenly."""
    first = draw.times(0, 1)
    atoms = []
    for k in range(count + 1):
        share = 0.55 if k == 0 else 0.0 if k == count else 1.0
        left = (k + first) % 2 == 1
        atom = stride(share, draw.turn / (count + 1) * (-1 if left else 1))
        if k == count:  # closing: the arms come down
            atom = replace(atom, keys=((1.0, {}),))
        atoms.append(mirrored(atom) if left else atom)
    return atoms


def walk(draw: Draw) -> list[Atom]:
    """Steps forward with swinging arms, curving by `draw.turn`."""
    length = 0.62 * draw.amplitude

    def stride(share: float, turn: float) -> Atom:
        return _stride(draw, "step right", 0.54, 0.42, 0.12, forward=length * share, turn=turn)

    return _gait(draw, draw.times(4, 9), stride)


def run(draw: Draw) -> list[Atom]:
    """Running steps with a flight phase and bent arms."""
    length = 0.95 * draw.amplitude

    def stride(share: float, turn: float) -> Atom:
        air = share == 1.0
        atom = _stride(
            draw, "run right", 0.36, 0.75, 1.15, forward=length * share, turn=turn,
            lift=0.22, leave=-0.3 if air else 0.0, land=1.0, roll=1.3,
        )  # fmt: skip
        high = {**atom.keys[0][1], "pelvis_pitch": 0.1, "spine_pitch": 0.12}
        middle = {name: 0.3 * value for name, value in high.items()}
        middle |= {"left_elbow": 1.2, "right_elbow": 1.2, "spine_pitch": 0.14, "drop": 0.06}
        return replace(atom, keys=((0.4, middle), (1.0, high | {"drop": -0.025})))

    return _gait(draw, draw.times(5, 10), stride)


def turn(draw: Draw) -> list[Atom]:
    """Pivoting in place, the inner foot first."""
    pairs = max(1, int(np.ceil(abs(draw.turn) / draw.between(0.6, 0.95))))
    inner = "left" if draw.turn > 0 else "right"
    part = draw.turn / (2 * pairs)
    yaw = {"head_yaw": 0.25 * np.sign(part), "spine_yaw": 0.18 * np.sign(part)}
    atoms = []
    for k in range(2 * pairs):
        foot = inner if k % 2 == 0 else _swap(inner)
        pose = {} if k == 2 * pairs - 1 else yaw
        step = Step(foot, 0.0, part, lift=0.06, roll=0.2)
        atoms.append(Atom(f"pivot {foot}", 0.42, ((1.0, pose),), step))
    return atoms


def _crouched(draw: Draw) -> Pose:
    return draw.pose(
        drop=0.26, forward=-0.08, pelvis_pitch=0.3, spine_pitch=0.35, head_pitch=-0.3,
        left_flex=-0.5, right_flex=-0.5, left_elbow=0.3, right_elbow=0.3,
    )  # fmt: skip


def jump(draw: Draw) -> list[Atom]:
    """One to three jumps with both feet."""
    low = _crouched(draw)
    air = draw.pose(
        drop=-0.24, left_foot_up=0.21, right_foot_up=0.21, left_foot_pitch=0.5, right_foot_pitch=0.5,
        left_flex=1.9, right_flex=1.9, left_abduct=0.3, right_abduct=0.3, spine_pitch=-0.1,
    )  # fmt: skip
    land = {name: 0.75 * value for name, value in low.items()} | {"left_flex": 0.6, "right_flex": 0.6}
    atoms = [to("crouch", 0.5, low)]
    for k in range(draw.times(1, 3)):
        if k:
            atoms.append(to("crouch", 0.3, low))
        atoms += [to("leap", 0.34, air), to("land", 0.3, land)]
    return [*atoms, to("rise", 0.55)]


def squat(draw: Draw) -> list[Atom]:
    """Two to four squats, the arms coming forward."""
    low = draw.pose(
        drop=0.4, forward=-0.14, pelvis_pitch=0.3, spine_pitch=0.35, head_pitch=-0.35,
        left_flex=1.8, right_flex=1.8, left_twist=0.1, right_twist=0.1,
    )  # fmt: skip
    atoms = []
    for _ in range(draw.times(2, 4)):
        atoms += [to("crouch", 0.75, low), to("rise", 0.75)]
    return atoms


def sit(draw: Draw) -> list[Atom]:
    """Down on a chair that is not there, a while of sitting, and up."""
    knees = {"left_flex": 0.55, "right_flex": 0.55, "left_elbow": 0.75, "right_elbow": 0.75}
    lean = {
        "drop": 0.25,
        "forward": -0.2,
        "pelvis_pitch": 0.45,
        "spine_pitch": 0.45,
        "head_pitch": -0.3,
    } | knees
    seated = {"drop": 0.43, "forward": -0.36, "pelvis_pitch": -0.05, "spine_pitch": 0.12, **knees}
    shift = {**seated, "spine_roll": draw.between(-0.08, 0.08), "head_yaw": draw.between(-0.5, 0.5)}
    return [
        to("sit down", 1.1, draw.pose(**lean), draw.pose(**seated)),
        to("sit", draw.between(1.0, 2.6), draw.pose(**shift), draw.pose(**seated)),
        to("stand up", 1.1, draw.pose(**lean), {}),
    ]


def kick(draw: Draw) -> list[Atom]:
    """One or two kicks with one leg."""
    arms = {"left_abduct": 0.5, "right_abduct": 0.5, "left_elbow": 0.5, "right_elbow": 0.5}
    over = {"sideways": 0.075, "drop": 0.03, **arms}
    back = draw.pose(
        **over, right_foot_forward=-0.32, right_foot_up=0.28, right_foot_pitch=0.9, spine_pitch=0.15
    )  # fmt: skip
    out = draw.pose(
        **over, right_foot_forward=0.82, right_foot_up=0.55, right_foot_pitch=-0.1, left_flex=0.7,
        pelvis_pitch=-0.2, spine_pitch=-0.05, head_pitch=0.15,
    )  # fmt: skip
    fold = draw.pose(**over, right_foot_forward=0.18, right_foot_up=0.3, right_foot_pitch=0.3)
    atoms = []
    for _ in range(draw.times(1, 2)):
        atoms += [to("load leg", 0.45, back), to("kick out", 0.32, out), to("fold leg", 0.3, fold)]
        atoms.append(to("set down", 0.4))
    return _either(draw, [replace(a, name=f"{a.name} right") for a in atoms])


def bow(draw: Draw) -> list[Atom]:
    """Bending forward from the hips, a hold, and up."""
    low = draw.pose(
        pelvis_pitch=0.5, spine_pitch=0.6, head_pitch=0.15, forward=-0.11, left_flex=0.75, right_flex=0.75,
        left_elbow=-0.15, right_elbow=-0.15,
    )  # fmt: skip
    return [to("bend", 0.85, low), to("hold bend", draw.between(0.4, 1.2), low), to("rise", 0.85)]


def punch(draw: Draw) -> list[Atom]:
    """A guard, two to six punches left and right in turn, arms down."""
    guard = {
        "left_flex": 0.75, "right_flex": 0.6, "left_elbow": 1.85, "right_elbow": 1.9, "left_twist": 0.3,
        "right_twist": 0.3, "drop": 0.07, "spine_pitch": 0.12,
    }  # fmt: skip
    right = guard | {"right_flex": 1.45, "right_elbow": 0.05}
    right |= {"spine_yaw": 0.5, "pelvis_yaw": 0.15, "head_yaw": -0.4}
    left = guard | {"left_flex": 1.45, "left_elbow": 0.05}
    left |= {"spine_yaw": -0.4, "pelvis_yaw": -0.12, "head_yaw": 0.35}
    strikes = [
        to("punch left", 0.5, draw.pose(**left), draw.pose(**guard)),
        to("punch right", 0.5, draw.pose(**right), draw.pose(**guard)),
    ]
    first, count = draw.times(0, 1), draw.times(2, 6)
    atoms = [strikes[(first + k) % 2] for k in range(count)]
    return [to("guard up", 0.5, draw.pose(**guard)), *atoms, to("arms down", 0.55)]


def _either(draw: Draw, atoms: list[Atom]) -> list[Atom]:
    """The atoms as written (right) or mirrored: two in three are right-handed."""
    return atoms if draw.rng.random() < 0.67 else [mirrored(atom) for atom in atoms]


def point(draw: Draw) -> list[Atom]:
    """One arm out ahead, a hold, and down."""
    pose = {"right_flex": 1.45, "right_abduct": 0.3, "right_elbow": -0.25}
    pose |= {"head_yaw": -0.2, "spine_yaw": -0.15}
    hold = {**pose, "right_flex": pose["right_flex"] + draw.between(-0.15, 0.15)}
    atoms = [
        to("right arm out", 0.65, draw.pose(**pose)),
        to("right arm hold", draw.between(0.6, 1.6), draw.pose(**hold)),
        to("right arm down", 0.65),
    ]
    return _either(draw, atoms)


def reach(draw: Draw) -> list[Atom]:
    """One hand reaches, takes and brings something to the chest."""
    height = draw.between(0.75, 1.7)
    far = {
        "right_flex": height, "right_elbow": -0.1, "spine_pitch": 0.42 - 0.2 * height, "pelvis_pitch": 0.1,
        "spine_yaw": 0.3, "forward": 0.06, "left_flex": -0.2, "head_pitch": 0.35 - 0.25 * height,
    }  # fmt: skip
    near = {"right_flex": 0.45, "right_elbow": 1.55, "right_twist": 0.4, "head_pitch": 0.25}
    atoms = [
        to("right arm reach", 0.75, draw.pose(**far)),
        to("right hand take", draw.between(0.3, 0.6), draw.pose(**{**far, "right_elbow": -0.02})),
        to("right arm fetch", 0.65, draw.pose(**near)),
        to("right arm down", 0.65),
    ]
    return _either(draw, atoms)


def _wave(draw: Draw, sides: tuple[str, ...]) -> list[Atom]:
    def arms(**channels: float) -> Pose:
        return draw.pose(**{f"{side}_{name}": value for side in sides for name, value in channels.items()})

    up = {"abduct": 1.25, "flex": 0.35, "twist": -1.55, "elbow": 1.1}
    out, back = arms(**{**up, "elbow": 0.65}), arms(**{**up, "elbow": 1.45, "twist": -1.45})
    who = "both arms" if len(sides) == 2 else f"{sides[0]} arm"
    atoms = [to(f"{who} up", 0.65, arms(**up))]
    for _ in range(draw.times(2, 5)):
        atoms += [to(f"{who} wave out", 0.36, out), to(f"{who} wave in", 0.36, back)]
    return [*atoms, to(f"{who} down".replace("both ", ""), 0.65)]


def wave_left(draw: Draw) -> list[Atom]:
    """The left arm up, waving, and down."""
    return _wave(draw, ("left",))


def wave_right(draw: Draw) -> list[Atom]:
    """The right arm up, waving, and down."""
    return _wave(draw, ("right",))


def wave_both(draw: Draw) -> list[Atom]:
    """Both arms up, waving, and down."""
    return _wave(draw, ("left", "right"))


def stand(draw: Draw) -> list[Atom]:
    """Standing with a shift of weight and a look aside."""
    pose = {"sideways": draw.between(-0.04, 0.04), "head_yaw": draw.between(-0.6, 0.6)}
    pose["spine_yaw"] = draw.between(-0.1, 0.1)
    return [to("stand", draw.between(1.0, 2.4), draw.pose(**pose), {})]


#: motif -> its atoms for one performance
MOTIFS: dict[str, Callable[[Draw], list[Atom]]] = {
    "walk": walk, "run": run, "turn": turn, "jump": jump, "squat": squat, "sit": sit, "kick": kick,
    "bow": bow, "punch": punch, "point": point, "reach": reach, "wave left": wave_left,
    "wave right": wave_right, "wave both": wave_both, "stand": stand,
}  # fmt: skip

#: activity -> motifs in order; "a|b" is a choice, "a?" may be left out
ACTIVITIES: dict[str, tuple[str, ...]] = {
    "greet": ("walk", "wave left|wave right|wave both", "bow?", "turn?"),
    "fetch": ("walk|run", "reach", "turn", "walk", "reach", "bow?"),
    "exercise": ("squat", "jump", "wave both", "squat|jump"),
    "spar": ("stand?", "punch", "kick", "punch", "kick?"),
    "wait": ("stand", "turn?", "sit", "stand", "point?"),
    "play": ("run", "kick", "jump?", "run", "wave left|wave right"),
    "guide": ("point", "walk", "point?", "turn?", "bow|wave both"),
    "patrol": ("walk", "turn", "run|walk", "turn", "stand"),
    "meet": ("wave both|wave right", "bow", "reach", "sit", "turn?"),
}
