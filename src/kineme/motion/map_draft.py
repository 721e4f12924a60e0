"""A draft of a map file (`map_file`) for a skeleton whose names do not tell everything.

What names tell comes first. For the rest the tree is looked at: two equal chains that hang where the pelvis
is are legs, two equal chains further up are arms. Whether a guess is one stands beside it.
"""

from __future__ import annotations

import json

import numpy as np

from kineme.motion.canonical import JOINTS, SIDES
from kineme.motion.rigs import ESSENTIAL, recognise_rig
from kineme.motion.skeleton import Skeleton

#: bones shorter than this share of the longest chain are helpers
_SHORT = 0.01
#: chains are twins where their lengths differ by less than this share
_ALIKE = 0.15


def draft_map(skeleton: Skeleton, name: str) -> str:
    """The text of a map file (TOML) for `skeleton`, with a comment at every joint that needs a look.

    It is a valid map file as it stands if anything could be guessed; joints that could not are commented out.
    """
    rig = recognise_rig(skeleton)
    by_names = dict(rig.joints)
    guessed = guess_by_tree(skeleton, {skeleton.names.index(joint) for joint in by_names.values()})
    guessed = {canonical: joint for canonical, joint in guessed.items() if canonical not in by_names}
    lines = [
        "# Which joint of the file plays which part of the body. Edit it, then give it with --map.",
        "# Lines marked GUESS come from the shape of the tree alone: check left and right.",
        '# An empty name ("") says that the skeleton has no such joint.',
        f"name = {_quoted(name)}",
        "",
        "[joints]",
    ]
    used = set(by_names.values()) | {skeleton.names[joint] for joint in guessed.values()}
    for canonical in JOINTS:
        if canonical in by_names:
            lines.append(f"{canonical} = {_quoted(by_names[canonical])}")
        elif canonical in rig.ends:
            lines.append(f"# {canonical}: the end of {_quoted(rig.ends[canonical])} stands for it")
        elif canonical in guessed:
            lines.append(f"{canonical} = {_quoted(skeleton.names[guessed[canonical]])}  # GUESS")
        else:
            need = "needed" if canonical in ESSENTIAL else "may stay away"
            lines.append(f'# {canonical} = ""  # could not be guessed; {need}')
    left = [joint for joint in skeleton.names if joint not in used]
    if left:
        lines += ["", "# joints that play no part so far:"]
        lines += [f"#   {_quoted(joint)}" for joint in left[:200]]
        lines += [f"#   and {len(left) - 200} more"] if len(left) > 200 else []
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A string in TOML: JSON's, with the one control character escaped that JSON leaves."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def guess_by_tree(skeleton: Skeleton, taken: set[int]) -> dict[str, int]:
    """Canonical joint -> joint, from the shape of the tree; joints in `taken` are not given again.

    Left is where the zero pose has the larger x.
    """
    chains = _Chains(skeleton)
    found: dict[str, int] = {}
    pelvis, legs = chains.fork(0, 3)
    if pelvis is None or legs is None:
        return {}
    found["pelvis"] = pelvis
    for side, top in zip(SIDES, chains.left_first(legs), strict=True):
        names = ("hip", "knee", "ankle", "foot")
        found |= {f"{side}_{n}": j for n, j in zip(names, chains.along(top)[:4], strict=False)}
    above = [child for child in skeleton.children[pelvis] if child not in legs]
    spine = max(above, key=lambda child: chains.length[child], default=None)
    chest, arms = (None, None) if spine is None else chains.fork(spine, 3)
    if chest is not None and arms is not None:
        row = [joint for joint in skeleton.ancestors(chest) if pelvis in skeleton.ancestors(joint)[1:]][::-1]
        places = {1: ["spine3"], 2: ["spine1", "spine3"]}.get(len(row), ["spine1", "spine2"])
        found |= dict(zip(places, row, strict=False)) | {"spine3": chest}
        for side, top in zip(SIDES, chains.left_first(arms), strict=True):
            chain = chains.along(top, stop_at_fingers=True)
            names = ("collar", "shoulder", "elbow", "wrist")[-min(len(chain), 4) :]
            found |= {f"{side}_{n}": j for n, j in zip(names, chain[:4], strict=False)}
        heads = [c for c in skeleton.children[chest] if c not in arms]
        if heads:
            row = chains.along(max(heads, key=lambda child: chains.length[child]))
            found |= dict(zip(("neck", "head"), row, strict=False))
    return {name: joint for name, joint in found.items() if joint not in taken}


class _Chains:
    """The longest way down from every joint: its length and its joints."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton = skeleton
        steps = np.linalg.norm(skeleton.offsets, axis=1)
        self.length = np.zeros(len(skeleton))  # of the bones below a joint, along the longest way
        self.count = np.ones(len(skeleton), int)
        self.next = np.full(len(skeleton), -1)
        for joint in range(len(skeleton) - 1, 0, -1):
            parent = skeleton.parents[joint]
            if self.length[joint] + steps[joint] > self.length[parent]:
                self.length[parent] = self.length[joint] + steps[joint]
                self.next[parent] = joint
                self.count[parent] = self.count[joint] + 1
        self.places = skeleton.rest_positions

    def fork(self, top: int, joints: int) -> tuple[int | None, tuple[int, int] | None]:
        """The first joint from `top` down from which two twin chains of at least `joints` hang."""
        joint = top
        while joint >= 0:
            children = [c for c in self.skeleton.children[joint] if self.count[c] >= joints]
            pairs = [(a, b) for k, a in enumerate(children) for b in children[k + 1 :] if self._twins(a, b)]
            if pairs:  # of chains alike the pair that ends furthest apart sideways
                return joint, max(pairs, key=lambda pair: self._across(*pair))
            joint = int(self.next[joint])
        return None, None

    def _twins(self, a: int, b: int) -> bool:
        """Whether the first bones below two joints have the same lengths, bone by bone."""
        steps = [np.linalg.norm(self.skeleton.offsets[self.along(top)[1:4]], axis=1) for top in (a, b)]
        if len(steps[0]) != len(steps[1]) or not len(steps[0]):
            return False
        return bool((np.abs(steps[0] - steps[1]) <= _ALIKE * np.maximum(*steps)).all())

    def _across(self, a: int, b: int) -> float:
        ends = [self.along(top)[-1] for top in (a, b)]
        return abs(float(self.places[ends[0], 0] - self.places[ends[1], 0]))

    def left_first(self, pair: tuple[int, int]) -> tuple[int, int]:
        a, b = pair
        middle = [self.places[self.along(top)].mean(axis=0)[0] for top in pair]
        return (a, b) if middle[0] >= middle[1] else (b, a)

    def along(self, top: int, stop_at_fingers: bool = False) -> list[int]:
        """The joints of the longest way down, helpers of no length left out."""
        chain, joint = [], top
        while joint >= 0:
            below = self.next[joint]
            if (
                below < 0
                or np.linalg.norm(self.skeleton.offsets[below]) > _SHORT * self.length[0]
                or not chain
            ):
                chain.append(joint)
            if stop_at_fingers and len(chain) > 2 and len(self.skeleton.children[joint]) >= 3:
                break
            joint = int(below)
        return chain
