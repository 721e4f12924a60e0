"""What a motif does, in plain words: "right arm rises", "walks forward", "turns left", "crouches".

The rules are few and their thresholds are shares of the body's own limbs, so that they hold for a child and
for a basketball player. Each example is described on its own; what most of the examples do is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.motion.canonical import JOINTS, PARTS
from kineme.motion.frame import facing_positions
from kineme.motion.kinematics import velocities
from kineme.report.payload import PageClip, PageScale

_J = {name: index for index, name in enumerate(JOINTS)}
#: joint about which a body part moves
_BASE = {
    "left arm": "spine3",
    "right arm": "spine3",
    "left leg": "pelvis",
    "right leg": "pelvis",
    "head": "spine3",
}
_ADULT_LEG = 0.85


@dataclass(frozen=True)
class Description:
    """`words` such as "walks forward, right arm rises"; `parts` of the body, the liveliest first."""

    words: str
    parts: list[str]


@dataclass(frozen=True)
class _Body:
    """One example, ready to be asked: positions in the facing frame and the sizes to measure them by."""

    facing: np.ndarray  # (T, 22, 3), pelvis over the origin, heading +Z
    yaw: np.ndarray  # (T,) radians, unwrapped
    velocity: np.ndarray  # (T, 2) of the pelvis over the floor: forward, left; m/s for an adult's size
    seconds: float
    fps: float
    leg: float
    arm: float
    scale: float  # this body's size over an adult's

    def at(self, joint: str) -> np.ndarray:
        return self.facing[:, _J[joint]]

    @property
    def chest(self) -> np.ndarray:
        """(T, 3) the upper trunk's direction."""
        return self.at("neck") - self.at("spine3")


def describe(examples: Sequence[np.ndarray], fps: float) -> Description:
    """Words for what `examples` have in common.

    Parameters
    ----------
    examples : canonical world positions (T, 22, 3) in metres, one array an occurrence; T may differ.
    fps : their frames per second.
    """
    bodies = [_body(np.asarray(e, dtype=np.float64), fps) for e in examples if len(e)]
    if not bodies:
        return Description("no example", [])
    said = _one_gait([_phrases(body) for body in bodies])
    votes = Counter(phrase for phrases in said for phrase in phrases)
    scores: dict[str, float] = defaultdict(float)
    for phrases in said:
        for phrase, score in phrases.items():
            scores[phrase] += min(score, 4.0)
    parts = _moving_parts(bodies)
    scores = _both_arms({p: scores[p] for p in votes if votes[p] * 2 > len(bodies)})
    ranked = sorted(scores, key=lambda p: (-scores[p], p))
    chosen = [p for p in ranked[:2] if scores[p] >= 0.45 * scores[ranked[0]]]
    chosen.sort(key=lambda p: (" arm" in p or " leg" in p, -scores[p]))  # the whole body comes first
    return Description(", ".join(chosen) if chosen else _fallback(bodies, parts), parts)


_GAITS = ("runs", "walks", "steps")  # of two as frequent the livelier


def _one_gait(said: list[dict[str, float]]) -> list[dict[str, float]]:
    """The phrases with one word for going somewhere, the most frequent: a slow run may look like a walk."""
    counts = Counter(phrase.split()[0] for phrases in said for phrase in phrases)
    gait = max(_GAITS, key=lambda word: counts[word])

    def agree(phrase: str) -> str:
        first, _, rest = phrase.partition(" ")
        return f"{gait} {rest}" if first in _GAITS else phrase

    return [{agree(phrase): score for phrase, score in phrases.items()} for phrases in said]


def _body(positions: np.ndarray, fps: float) -> _Body:
    facing, angle = facing_positions(positions)
    yaw = np.unwrap(angle)
    leg, arm = (
        sum(
            float(np.median(np.linalg.norm(positions[:, _J[a]] - positions[:, _J[b]], axis=1)))
            for a, b in chain
        )
        for chain in (
            (("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_ankle", "left_foot")),
            (("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
        )
    )
    scale = max(leg / _ADULT_LEG, 1e-3)
    speed = velocities(positions[:, 0, [0, 2]], fps) / scale  # world x and z
    forward = speed[:, 0] * np.sin(yaw) + speed[:, 1] * np.cos(yaw)
    left = speed[:, 0] * np.cos(yaw) - speed[:, 1] * np.sin(yaw)
    velocity = np.stack([forward, left], axis=1)
    return _Body(facing, yaw, velocity, len(positions) / fps, fps, max(leg, 1e-3), max(arm, 1e-3), scale)


def _phrases(body: _Body) -> dict[str, float]:
    """What the body does, each phrase with how far it is past its threshold (1: just)."""
    travel = _travel(body)
    found = travel | _turning(body) | _jumping(body)
    if not any("jump" in p for p in found):
        found |= _height(body)
    low = any(p.startswith(("crouch", "goes down", "stands up")) for p in found)
    found |= {} if low else _trunk(body)
    found |= _arms(body, walking=bool(travel))
    if not travel and not low and "jumps" not in found:
        found |= _legs(body)
    return found


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Means over the first and the last sixth."""
    edge = max(1, len(values) // 6)
    return float(values[:edge].mean()), float(values[-edge:].mean())


def _excursion(values: np.ndarray) -> tuple[float, float]:
    """Net change, and the largest departure that comes back again (signed)."""
    first, last = _ends(values)
    high, low = float(values.max()) - max(first, last), min(first, last) - float(values.min())
    return last - first, high if high >= low else -low


def _travel(body: _Body) -> dict[str, float]:
    forward, left = body.velocity.mean(axis=0)
    speed = float(np.hypot(forward, left))
    distance = speed * body.seconds
    if speed < 0.25 or distance < 0.2:
        return {}
    side = abs(left) > 1.2 * abs(forward)
    where = (
        ("to the left" if left > 0 else "to the right") if side else "forward" if forward > 0 else "backward"
    )
    flies = (_above_floor(body) > 0.03 * body.scale).mean() > 0.1  # a walk has always a foot on the floor
    runs = speed > 2.1 or (speed > 0.9 and flies)
    gait = "steps" if distance < 0.7 or (side and speed < 0.7) else "runs" if runs else "walks"
    return {f"{gait} {where}": 1.0 + min(distance / 0.7, 3.0)}


def _turning(body: _Body) -> dict[str, float]:
    first, last = _ends(body.yaw)
    degrees = float(np.rad2deg(last - first))
    return {"turns left" if degrees > 0 else "turns right": abs(degrees) / 35} if abs(degrees) > 35 else {}


def _feet(body: _Body) -> np.ndarray:
    """(T,) height of the lower foot."""
    return np.minimum(body.at("left_foot")[:, 1], body.at("right_foot")[:, 1])


def _above_floor(body: _Body) -> np.ndarray:
    """(T,) height of the lowest joint of the feet above the floor, as far as the example shows the floor."""
    low = np.min(
        [body.at(f"{side}_{joint}")[:, 1] for side in ("left", "right") for joint in ("ankle", "foot")], 0
    )
    return low - np.percentile(low, 5)


def _jumping(body: _Body) -> dict[str, float]:
    air = _above_floor(body)
    high = float(air.max()) / body.scale
    return {"jumps": high / 0.08} if high > 0.1 and (air > 0.05 * body.scale).mean() < 0.8 else {}


def _height(body: _Body) -> dict[str, float]:
    height = (body.at("pelvis")[:, 1] - _feet(body)) / body.leg
    tilt = (body.at("neck") - body.at("pelvis"))[:, 1] / np.linalg.norm(
        body.at("neck") - body.at("pelvis"), axis=1
    )
    if np.median(tilt) < 0.35:
        return {"lies down": 1.5}
    net, there_and_back = _excursion(height)
    if net < -0.15:
        return {"crouches": -net / 0.15}
    if net > 0.15:
        return {"stands up": net / 0.15}
    if there_and_back < -0.18:
        return {"crouches and rises": -there_and_back / 0.15}
    return {"stays low": 1.2} if float(np.median(height)) < 0.78 else {}


def _trunk(body: _Body) -> dict[str, float]:
    spine = body.at("neck") - body.at("pelvis")
    up = np.maximum(spine[:, 1], 0.05)
    found = {}
    net, there_and_back = _excursion(np.rad2deg(np.arctan2(spine[:, 2], up)))
    if net > 18 or there_and_back > 18:
        found["bends forward"] = max(net, there_and_back) / 18
    elif net < -18:
        found["straightens up"] = -net / 18
    net, there_and_back = _excursion(np.rad2deg(np.arctan2(spine[:, 0], up)))
    lean = net if abs(net) > abs(there_and_back) else there_and_back
    if abs(lean) > 16:
        found["leans left" if lean > 0 else "leans right"] = abs(lean) / 16
    return found


def _arms(body: _Body, walking: bool) -> dict[str, float]:
    sides = {side: _arm(body, side, walking) for side in ("left", "right")}
    return {f"{side} arm {verb}": score for side, verbs in sides.items() for verb, score in verbs.items()}


def _both_arms(scores: dict[str, float]) -> dict[str, float]:
    """The same phrases, with "both arms wave" for "left arm waves" and "right arm waves"."""
    joined = {}
    for phrase, score in scores.items():
        side, _, verb = phrase.partition(" arm ")
        other = f"{'right' if side == 'left' else 'left'} arm {verb}"
        if verb and other in scores:
            joined[f"both arms {_plural(verb)}"] = score + scores[other]
        else:
            joined[phrase] = score
    return joined


def _plural(verb: str) -> str:
    first, _, rest = verb.partition(" ")
    stem = first[:-2] if first.endswith("ches") else first if first == "held" else first[:-1]
    return f"{stem} {rest}".strip().replace(" lowers", " lower")


def _arm(body: _Body, side: str, walking: bool) -> dict[str, float]:
    hand = (body.at(f"{side}_wrist") - body.at(f"{side}_shoulder")) / body.arm  # length 1: a straight arm
    said = _arm_verbs(hand, body.fps, walking)
    if not said:
        return said
    # an arm that hangs along a bending trunk only seems to rise: it must do so about the trunk as well
    trunk = _arm_verbs(_upright(hand, body.chest), body.fps, walking)
    return {verb: min(score, trunk[verb]) for verb, score in said.items() if verb in trunk}


def _upright(points: np.ndarray, chest: np.ndarray) -> np.ndarray:
    """Points (T, 3) pitched back about the left-right axis by as much as the chest (T, 3) leans forward."""
    angle = -np.arctan2(chest[:, 2], chest[:, 1])
    cos, sin = np.cos(angle), np.sin(angle)
    y, z = points[:, 1], points[:, 2]
    return np.stack([points[:, 0], cos * y - sin * z, sin * y + cos * z], axis=1)


def _arm_verbs(hand: np.ndarray, fps: float, walking: bool) -> dict[str, float]:
    """Verbs for a hand's place about its shoulder (T, 3), in lengths of the arm."""
    height = hand[:, 1]
    net, there_and_back = _excursion(height)
    up = height > -0.3
    if up.sum() / fps > 0.4 and _swings(_without_drift(hand, fps)[up], 0.07) >= 3:
        return {"waves": 2.5}
    change = net if abs(net) >= abs(there_and_back) else there_and_back
    if change > 0.3:
        at = int(np.argmax(height if there_and_back > net else height + np.linspace(0, 1e-6, len(height))))
        forward = hand[at, 2] > 0.62 and abs(hand[at, 0]) < 0.6 and height[at] < 0.45
        if there_and_back > max(net, 0.3) and not forward:
            return {"rises and lowers": there_and_back / 0.3}
        return {"reaches forward" if forward else "rises": change / 0.3}
    if net < -0.3:
        return {"lowers": -net / 0.3}
    if not walking and _swings(hand - hand.mean(axis=0), 0.1) >= 2:
        return {"swings": 0.9}
    return {"held up": 1.1} if float(height.min()) > 0.05 else {}


def _without_drift(points: np.ndarray, fps: float) -> np.ndarray:
    """Points (T, 3) less their running mean over 0.6 s."""
    width = max(1, round(0.3 * fps)) * 2 + 1
    padded = np.pad(points, ((width // 2, width // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    return points - (sums[width:] - sums[:-width]) / width


def _swings(centred: np.ndarray, least: float) -> int:
    """How often points (T, 3) about zero cross it along their main direction, by `least` on either side."""
    if len(centred) < 4:
        return 0
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    side = np.where(along > least, 1, np.where(along < -least, -1, 0))
    side = side[side != 0]
    return int((np.diff(side) != 0).sum()) if len(side) else 0


def _legs(body: _Body) -> dict[str, float]:
    found = {}
    for side, other in (("left", "right"), ("right", "left")):
        above = (body.at(f"{side}_ankle") - body.at(f"{other}_ankle")) / body.leg
        peak = int(np.argmax(above[:, 1]))
        if above[peak, 1] < 0.2:
            continue
        pace = float(np.linalg.norm(velocities(above, body.fps), axis=1).max()) * _ADULT_LEG
        verb = "kicks" if pace > 2.6 and above[:, 2].max() > 0.45 else "lifts"
        found[f"{side} leg {verb}"] = float(above[peak, 1]) / 0.2 + (1.0 if verb == "kicks" else 0.0)
    return found


def _part_speeds(body: _Body) -> dict[str, float]:
    """Mean speed of each part's fastest joint about the joint it hangs on, in m/s for an adult's size."""
    speeds = {}
    for part, joints in PARTS.items():
        base, joints = _BASE.get(part), (*joints, _J["neck"]) if part == "torso" else joints
        points = body.facing[:, joints] - (body.at(base)[:, None] if base else 0.0)
        if base == "spine3":  # what hangs on a bending trunk does not move by itself
            points = np.stack([_upright(points[:, k], body.chest) for k in range(len(joints))], axis=1)
        speeds[part] = (
            float(np.linalg.norm(velocities(points, body.fps), axis=-1).mean(axis=0).max()) / body.scale
        )
    return speeds


def _moving_parts(bodies: Sequence[_Body]) -> list[str]:
    each = [_part_speeds(body) for body in bodies]
    speed = {part: float(np.median([e[part] for e in each])) for part in PARTS}
    most = max(speed.values())
    moving = [part for part in speed if speed[part] > 0.12 and speed[part] >= 0.55 * most]
    return sorted(moving, key=lambda part: -speed[part])


def _fallback(bodies: Sequence[_Body], parts: Sequence[str]) -> str:
    """Words where no rule holds for most examples."""
    if not parts:
        return "stands still" + _arms_at_rest(bodies)
    pace = float(np.median([max(_part_speeds(body).values()) for body in bodies]))
    how = "move" if len(parts) > 1 else "moves"
    which = " and ".join(parts[:2]) if len(parts) < 3 else "whole body"
    how = "moves" if which == "whole body" else how
    return f"{which} {how}" + (" a little" if pace < 0.45 else "")


def _arms_at_rest(bodies: Sequence[_Body]) -> str:
    """How a still body holds its arms; empty where they hang."""
    heights, gaps = [], []
    for body in bodies:
        hands = [
            (body.at(f"{s}_wrist") - body.at(f"{s}_shoulder")).mean(axis=0) / body.arm
            for s in ("left", "right")
        ]
        heights.append([hand[1] for hand in hands])
        gaps.append(np.linalg.norm(body.at("left_wrist") - body.at("right_wrist"), axis=1).mean() / body.arm)
    left, right = np.median(heights, axis=0) > -0.78
    if left and right:
        return ", hands together" if np.median(gaps) < 0.45 else ", both arms bent"
    return ", left arm bent" if left else ", right arm bent" if right else ""


def summarise(clips: Sequence[PageClip], scale: PageScale) -> list[str]:
    """The page's summary: how much there is, how much of it the motifs cover, which are the most frequent."""
    total = sum(clip.duration for clip in clips)
    covered = sum(s.end - s.start for found in scale.segments for s in found if s.level == "motif")
    takes = f"{len(clips)} take{'s' if len(clips) != 1 else ''}, {say_duration(total)}."
    count = len(scale.motifs)
    if not count:
        return [takes, "No motif comes back often enough to be one; add takes, or try a finer time scale."]
    share = f"{min(100, round(100 * covered / total))}% of the time"
    what = f"{count} motif{'s cover' if count != 1 else ' covers'} {share}."
    most = sorted(scale.motifs, key=lambda m: -m.count)[:3]
    named = ", ".join(f"{m.name or m.words} ({m.count} time{'s' if m.count != 1 else ''})" for m in most)
    return [takes, what, f"The most frequent: {named}."]


def say_duration(seconds: float) -> str:
    """`6 min 20 s`, `3 h 24 min`, `8.4 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" + (f" {rest} s" if rest else "")
