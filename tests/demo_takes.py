"""Made-up takes for the page's tests and pictures: simple maths on the canonical body, and what happens when.

Every move is a function of its phase that fills a row of pose parameters; the rows are smoothed, turned into
rotations and put through forward kinematics, and the body is set on the floor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage

from kineme.motion.canonical import JOINTS, SMPL22
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.motion import Segment
from kineme.motion.rotations import axis_angle_to_matrix, yaw_matrix
from kineme.report.body import page_body
from kineme.report.payload import Example, PageClip, PageMotif, PageScale, PageSegment, Payload
from kineme.report.words import describe, summarise

FPS = 30
PARAMETERS = (
    "speed", "aside", "turn", "sway", "bend", "twist", "nod",
    "hip_l", "hip_r", "knee_l", "knee_r", "open_l", "open_r",
    "raise_l", "raise_r", "swing_l", "swing_r", "elbow_l", "elbow_r", "hop",
)  # fmt: skip
_AT = {name: column for column, name in enumerate(PARAMETERS)}
Pose = dict[str, float]
_REST: Pose = {"raise_l": -74, "raise_r": -74, "elbow_l": 14, "elbow_r": 14, "knee_l": 3, "knee_r": 3}


def _walk(phase: float, seconds: float, speed: float = 1.25, lift: float = 1.0) -> Pose:
    beat = 2 * math.pi * phase * seconds * (0.75 + 0.12 * speed)
    s, c = math.sin(beat), math.cos(beat)
    return {
        "speed": speed, "hip_l": 24 * lift * s + 4, "hip_r": -24 * lift * s + 4,
        "knee_l": 10 + 46 * lift * max(0.0, c) ** 1.5, "knee_r": 10 + 46 * lift * max(0.0, -c) ** 1.5,
        "swing_l": -22 * lift * s, "swing_r": 22 * lift * s,
        "elbow_l": 18 + 12 * lift * max(0, -s), "elbow_r": 18 + 12 * lift * max(0, s),
        "twist": 5 * s, "bend": 3 * lift, "sway": 2 * c,
    }  # fmt: skip


def _bump(phase: float) -> float:
    """0 at both ends, 1 in the middle, gently."""
    return math.sin(math.pi * min(max(phase, 0.0), 1.0)) ** 2


def _hold(phase: float, share: float = 0.25) -> float:
    """Up in the first share of the time, down in the last."""
    edge = min(phase, 1 - phase) / share
    return 0.5 - 0.5 * math.cos(math.pi * min(max(edge, 0.0), 1.0))


def _wave(phase: float, seconds: float) -> Pose:
    up = _hold(phase, 0.22)
    return {
        "raise_r": -74 + 104 * up, "twist": 4 * up, "nod": -3 * up,
        "elbow_r": 14 + up * (62 + 28 * math.sin(2 * math.pi * 1.9 * phase * seconds)),
    }  # fmt: skip


def _times(share: float, **most: float) -> Pose:
    """Each parameter at this share of its largest value."""
    return {name: value * share for name, value in most.items()}


def _turn(phase: float, seconds: float, degrees: float) -> Pose:
    first, second = ("l", "r") if degrees > 0 else ("r", "l")
    a, b = _bump(2 * phase), _bump(2 * phase - 1)
    steps = {f"knee_{first}": 14 * a, f"knee_{second}": 14 * b, f"hip_{first}": 9 * a, f"hip_{second}": 9 * b}
    return {"turn": degrees * _bump(phase) * 2 / seconds} | steps


def _raised(share: float) -> Pose:
    return {"raise_r": -74 + 150 * share, "elbow_r": 10}


def _both_up(phase: float, _seconds: float) -> Pose:
    height = -74 + 155 * _bump(phase)
    return {"raise_l": height, "raise_r": height, "bend": -4 * _bump(phase)}


def _crouch(phase: float, _seconds: float) -> Pose:
    down = {"hip_l": 96, "hip_r": 96, "knee_l": 112, "knee_r": 112, "bend": 24}
    return _times(_hold(phase, 0.4), **down, swing_l=30, swing_r=30, open_l=8, open_r=8)


def _reach(phase: float, _seconds: float) -> Pose:
    out = _times(_bump(phase), swing_l=84, bend=14, twist=-18, hip_l=12, knee_l=16)
    return out | {"elbow_l": 14 - 8 * _bump(phase)}


def _kick(phase: float, _seconds: float) -> Pose:
    leg = {
        "hip_r": -22 * _bump(phase * 2) + 88 * _bump(phase * 1.7 - 0.6),
        "knee_r": 5 + 62 * _bump(phase * 1.8),
    }
    return leg | _times(_bump(phase), swing_l=30, swing_r=-24, bend=-6)


def _bow(phase: float, _seconds: float) -> Pose:
    return _times(_hold(phase, 0.42), bend=62, nod=12) | _times(_hold(phase), hip_l=8, hip_r=8)


def _aside(phase: float, _seconds: float) -> Pose:
    lead, follow = _bump(phase * 1.5), _bump(phase * 1.5 - 0.5)
    return {"aside": 1.04 * _bump(phase), "open_l": 17 * lead, "open_r": 12 * follow, "knee_l": 18 * lead}


def _jump(phase: float, _seconds: float) -> Pose:
    down, landing = _bump(phase * 2.4), _bump(phase * 2.4 - 1.4)
    legs = {"knee_l": 50 * down + 20 * landing, "knee_r": 50 * down + 20 * landing}
    arms = _times(_bump(phase * 1.3), swing_l=70, swing_r=70)
    return legs | arms | _times(down, hip_l=42, hip_r=42) | {"hop": 0.34 * _bump(phase * 2 - 0.75)}


#: name -> seconds, pose by phase and seconds
MOVES: dict[str, tuple[float, Callable[[float, float], Pose]]] = {
    "stand": (1.4, lambda p, s: {"sway": 1.5 * math.sin(2 * math.pi * p)}),
    "walk": (2.6, _walk),
    "stride": (2.0, lambda p, s: _walk(p, s, 1.9, 1.3)),
    "jog": (1.8, lambda p, s: _walk(p, s * 1.5, 2.7, 1.5) | {"elbow_l": 85, "elbow_r": 85, "bend": 9}),
    "turn left": (1.2, lambda p, s: _turn(p, s, 95)),
    "turn right": (1.2, lambda p, s: _turn(p, s, -95)),
    "wave": (2.4, _wave),
    "raise arm": (0.9, lambda p, s: _raised(0.5 - 0.5 * math.cos(math.pi * p))),
    "lower arm": (0.9, lambda p, s: _raised(0.5 + 0.5 * math.cos(math.pi * p))),
    "both arms up": (1.9, _both_up),
    "crouch": (2.2, _crouch),
    "reach left": (1.5, _reach),
    "kick right": (1.2, _kick),
    "bow": (1.8, _bow),
    "step aside": (1.2, _aside),
    "jump": (1.0, _jump),
}


@dataclass(frozen=True)
class Take:
    """Positions (T, 22, 3) in metres and the moves in it: (name, start, end) in seconds."""

    positions: np.ndarray
    moves: list[tuple[str, float, float]]


def take(names: list[str], seed: int, build: float = 1.0) -> Take:
    """One take of the moves `names`, one after the other; tempo and size vary with the seed."""
    rng = np.random.default_rng(seed)
    rows, moves, clock = [], [], 0
    for name in names:
        seconds, move = MOVES[name]
        frames = round(seconds * FPS * rng.uniform(0.85, 1.2))
        size = rng.uniform(0.9, 1.08)
        for k in range(frames):
            pose = move(k / frames, frames / FPS)
            row = np.zeros(len(PARAMETERS))
            for key, value in (_REST | pose).items():
                rest = _REST.get(key, 0.0)
                row[_AT[key]] = rest + (value - rest) * size
            rows.append(row)
        moves.append((name, clock / FPS, (clock + frames) / FPS))
        clock += frames
    values = _smooth(np.array(rows))
    return Take(_positions(values) * np.float32(build), moves)


def _smooth(rows: np.ndarray, width: int = 7) -> np.ndarray:
    kernel = np.hanning(width + 2)[1:-1]
    kernel /= kernel.sum()
    padded = np.pad(rows, ((width // 2, width // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)


def _positions(rows: np.ndarray) -> np.ndarray:
    p = {name: rows[:, column].astype(np.float32) for name, column in _AT.items()}
    local = np.tile(np.eye(3, dtype=np.float32), (len(rows), len(JOINTS), 1, 1))

    def set_joint(joint: str, *turns: tuple[int, np.ndarray]) -> None:
        for axis, degrees in turns:
            rotvec = np.zeros((len(rows), 3), dtype=np.float32)
            rotvec[:, axis] = np.deg2rad(degrees)
            local[:, JOINTS.index(joint)] = local[:, JOINTS.index(joint)] @ axis_angle_to_matrix(rotvec)

    for side, sign in (("left", 1.0), ("right", -1.0)):
        s = side[0]
        set_joint(f"{side}_hip", (2, sign * p[f"open_{s}"]), (0, -p[f"hip_{s}"]))
        set_joint(f"{side}_knee", (0, p[f"knee_{s}"]))
        set_joint(f"{side}_ankle", (0, (p[f"hip_{s}"] - p[f"knee_{s}"]) * 0.8))
        set_joint(f"{side}_collar", (2, sign * np.maximum(p[f"raise_{s}"], 0) * 0.2))
        set_joint(f"{side}_shoulder", (0, -p[f"swing_{s}"]), (2, sign * p[f"raise_{s}"]))
        set_joint(f"{side}_elbow", (1, -sign * p[f"elbow_{s}"]))
    for spine in ("spine1", "spine2", "spine3"):
        set_joint(spine, (0, p["bend"] / 3), (1, p["twist"] / 3), (2, p["sway"] / 3))
    set_joint("neck", (0, p["nod"] - p["bend"] * 0.2))
    set_joint("head", (0, p["nod"] * 0.5))
    yaw = np.deg2rad(np.cumsum(p["turn"]) / FPS)
    local[:, 0] = yaw_matrix(yaw).astype(np.float32)
    step = np.einsum("tab,tb->ta", local[:, 0], np.stack([p["aside"], 0 * yaw, p["speed"]], axis=1)) / FPS
    positions, _ = forward_kinematics(SMPL22, local, np.cumsum(step, axis=0).astype(np.float32))
    feet = positions[:, [JOINTS.index("left_foot"), JOINTS.index("right_foot")], 1].min(axis=1)
    positions[:, :, 1] += (p["hop"] + 0.04 - feet)[:, None]
    return positions


_SENTENCES = (
    "stand walk turn left walk wave walk turn right walk stand",
    "stand raise arm lower arm both arms up crouch stand bow stand",
    "walk stride jog walk stand jump jump stand",
    "stand step aside step aside reach left stand kick right stand kick right",
    "jog turn left jog turn left walk stand wave stand bow",
    "stand crouch both arms up crouch both arms up stand",
)


def _words_to_moves(sentence: str) -> list[str]:
    moves, rest = [], sentence
    while rest:
        name = max((m for m in MOVES if rest.startswith(m)), key=len)
        moves.append(name)
        rest = rest[len(name) :].strip()
    return moves


def demo_takes(count: int) -> list[Take]:
    """`count` takes of several moves each, of people of several sizes."""
    builds = (1.0, 0.94, 1.06)
    return [
        take(_words_to_moves(_SENTENCES[n % len(_SENTENCES)]), seed=n, build=builds[n % 3])
        for n in range(count)
    ]


def demo_payload(count: int = 12, names: tuple[str, ...] = (), labelled: bool = True) -> Payload:
    """A payload as discovery would make it, except that it knows the truth. `names` : the clips' names."""
    takes = demo_takes(count)
    body = page_body(JOINTS, SMPL22.parents, takes[0].positions)
    clips = tuple(
        PageClip(
            name=names[n] if n < len(names) else f"Take_{n + 1:03d}",
            duration=len(t.positions) / FPS,
            fps=FPS / 2,
            skeleton=0,
            positions=body.place(t.positions[::2]),
            labels=tuple(Segment(start, end, name) for name, start, end in t.moves) if labelled else (),
            source=f"takes/{names[n] if n < len(names) else f'Take_{n + 1:03d}'}.bvh",
        )
        for n, t in enumerate(takes)
    )
    scales = tuple(_scale(takes, name, seconds, pieces) for name, seconds, pieces in _SCALES)
    return Payload(
        title="Takes",
        summary=tuple(summarise(clips, scales[1])),
        clips=clips,
        skeletons=(body.skeleton,),
        scales=scales,
        default_scale=1,
        model={"Model": "made-up takes, whose moves are known", "Frames per second": "30"},
        created_with="kineme, for its own tests",
    )


_SCALES = (("0.3 s", 0.3, 3), ("0.5 s", 0.5, 2), ("1 s", 1.0, 1))


def _scale(takes: list[Take], name: str, seconds: float, pieces: int) -> PageScale:
    order = [m for m, _ in Counter(m for t in takes for m, _, _ in t.moves).most_common()]
    prefix = "" if seconds == 0.5 else f"{name}/"
    ids = {move: f"{prefix}m{n + 1}" for n, move in enumerate(order)}
    segments = []
    for number, t in enumerate(takes):
        found = []
        for k, (move, start, end) in enumerate(t.moves):
            edges = np.linspace(start, end, pieces + 1)
            for piece in range(pieces):
                code = str(order.index(move) * pieces + piece)
                found.append(PageSegment("atom", edges[piece], edges[piece + 1], code, 0.9))
            if (k + number) % 9 != 4:  # not all of the time is covered
                found.append(
                    PageSegment("motif", start, end, ids[move], 0.6 + 0.4 * ((k * 7 + number) % 5) / 4)
                )
        segments.append(tuple(found))
    motifs = tuple(_motif(takes, move, ids) for move in order)
    steps = Counter((ids[a[0]], ids[b[0]]) for t in takes for a, b in zip(t.moves, t.moves[1:], strict=False))
    return PageScale(
        name=name,
        seconds=seconds,
        motifs=motifs,
        segments=tuple(segments),
        transitions=tuple((a, b, n) for (a, b), n in sorted(steps.items())),
        merges=tuple(
            (int(a), int(b), float(d)) for a, b, d, _ in linkage(_features(takes, order), "average")
        ),
    )


def _occurrences(takes: list[Take], move: str) -> list[Example]:
    return [Example(n, s, e) for n, t in enumerate(takes) for name, s, e in t.moves if name == move]


def _motif(takes: list[Take], move: str, ids: dict[str, str]) -> PageMotif:
    found = _occurrences(takes, move)
    pieces = [takes[n].positions[round(s * FPS) : round(e * FPS)] for n, s, e in found[:8]]
    said = describe(pieces, FPS)
    features = dict(zip(ids, _features(takes, list(ids)), strict=True))
    near = sorted(
        (m for m in ids if m != move), key=lambda m: float(np.linalg.norm(features[m] - features[move]))
    )
    return PageMotif(
        id=ids[move],
        name="",
        count=len(found),
        mean_seconds=float(np.mean([e - s for _, s, e in found])),
        words=said.words,
        parts=tuple(said.parts),
        examples=tuple(found[:6]),
        similar=tuple(ids[m] for m in near[:4]),
    )


def _features(takes: list[Take], order: list[str]) -> np.ndarray:
    """(moves, 66): how far each joint travels about the pelvis in a move, on average."""
    rows = []
    for move in order:
        n, start, end = _occurrences(takes, move)[0]
        piece = takes[n].positions[round(start * FPS) : round(end * FPS)]
        rows.append((piece - piece[:, :1]).std(axis=0).ravel())
    return np.array(rows)
