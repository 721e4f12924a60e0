"""Single actions to learn from, and coupled ones to be measured by: the open counterpart, HumanAct-C,
UESTC-C.

The paper's two sets are made of HumanAct12 and UESTC as ACTOR holds them, which a user must have; which clips
its authors took is not published, so these are drawn by a seed. The open counterpart is made of
Bandai-Namco's dataset 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.corpus.actions import Action, action_of
from kineme.errors import InputError
from kineme.evaluate import sources
from kineme.models.compose.batch import PairBank, Pairs
from kineme.models.compose.config import PLUS, ComposeConfig
from kineme.models.compose.coupling import mixing_rate
from kineme.motion import Motion

LOCOMOTION = ("walk", "run", "walk-turn-left", "walk-turn-right")
UPPER_BODY = (
    "wave-left-hand", "wave-right-hand", "wave-both-hands",
    "raise-up-left-hand", "raise-up-right-hand", "raise-up-both-hands",
)  # fmt: skip
#: the 24 composed classes of the open counterpart
OPEN_PAIRS = tuple(f"{a}{PLUS}{b}" for a in LOCOMOTION for b in UPPER_BODY)
#: the 9 of HumanAct-C, by ACTOR's names of the actions; "call" is HumanAct12's phone
HUMANACT_PAIRS = (
    "walk+drink", "walk+phone", "walk+throw", "walk+lift dumbbell", "run+phone", "run+throw", "sit+phone",
    "sit+eat", "sit+drink",
)  # fmt: skip
_UESTC_LEGS = (
    "marking-time-and-knee-lifting", "punching-and-knee-lifting", "left-lunging", "left-kicking",
    "forward-lunging",
)  # fmt: skip
_UESTC_UPPER = (
    "pulling-chest-expanders", "punching", "elbow-circling", "shoulder-abduction", "standing-rotation",
)  # fmt: skip
#: the 25 of UESTC-C
UESTC_PAIRS = tuple(f"{a}{PLUS}{b}" for a in _UESTC_LEGS for b in _UESTC_UPPER)
#: split files of Bandai-Namco dataset 2: contiguous blocks, and whole (content, style) pairs
OPEN_SPLITS = {"blocks": "bandai-namco", "unseen-styles": "bandai-namco-2-compositional"}


@dataclass(frozen=True)
class SetSize:
    """Training sequences of each action, and test sequences of each composed class."""

    train: int
    test: int


@dataclass(frozen=True, eq=False)
class ComposeSet:
    """What a table is measured on.

    Attributes
    ----------
    name : of the set. pairs : its composed classes. labels : all single actions that are learnt.
    train : single actions. held : further single actions, of the training split, that nothing is trained on
        but the fairer judge. test, classes : coupled sequences of held-out clips, and their class (n,).
    """

    name: str
    pairs: tuple[str, ...]
    labels: tuple[str, ...]
    train: tuple[Action, ...]
    held: tuple[Action, ...]
    test: Pairs
    classes: np.ndarray

    @property
    def checksum(self) -> str:
        """sha256 over all sequences."""
        total = hashlib.sha256("\n".join((*self.labels, *self.pairs)).encode())
        for action in (*self.train, *self.held):
            total.update(f"{action.name} {action.label}".encode() + action.rotations.tobytes())
        total.update(self.test.frames.numpy().tobytes())
        return total.hexdigest()

    def coupled(self, actions: Sequence[Action], each: int, config: ComposeConfig, seed: int):
        """`each` coupled sequences of every composed class, and their classes."""
        return coupled(actions, self.pairs, each, replace(config, labels=self.labels), seed)


def coupled(
    actions: Sequence[Action], pairs: Sequence[str], each: int, config: ComposeConfig, seed: int
) -> tuple[Pairs, np.ndarray]:
    """`each` sequences of every pair, coupled by the energy masks with lambda one half, and their classes."""
    bank = PairBank(actions, replace(config, pairs=tuple(pairs), masks=True))
    rng = np.random.default_rng([seed, 31])
    members, classes = [], []
    for number, (one, other) in enumerate(bank.pairs):
        for _ in range(each):
            members.append((int(rng.choice(bank.members[one])), int(rng.choice(bank.members[other]))))
            classes.append(number)
    made = bank.couple(members, mixing_rate(len(members), "half"), rng)
    return made, np.array(classes)


def build_set(
    name: str,
    pairs: Sequence[str],
    train: Sequence[Action],
    test: Sequence[Action],
    size: SetSize,
    config: ComposeConfig,
    seed: int = 0,
) -> ComposeSet:
    """A set of the actions in `train` and `test`, which share no clip.

    Raises InputError where an action has fewer training sequences than asked for, or a class no test clip.
    """
    labels = tuple(sorted({action.label for action in train}))
    rng, chosen, held = np.random.default_rng([seed, 30]), [], []
    for label in labels:
        own = [action for action in train if action.label == label]
        if len(own) < size.train:
            raise InputError(
                f"{name}: there are {len(own)} training sequences of {label!r}, not {size.train}"
            )
        order = rng.permutation(len(own))
        chosen += [own[k] for k in order[: size.train]]
        held += [own[k] for k in order[size.train :]]
    missing = {a for pair in pairs for a in pair.split(PLUS)} - {action.label for action in test}
    if missing:
        raise InputError(f"{name}: no test clip is labelled {', '.join(sorted(missing))}")
    known = {a for pair in pairs for a in pair.split(PLUS)}
    kept = [action for action in test if action.label in known]
    made, classes = coupled(kept, pairs, size.test, replace(config, labels=tuple(sorted(known))), seed)
    return ComposeSet(name, tuple(pairs), labels, tuple(chosen), tuple(held), made, classes)


def open_set(
    split: str, size: SetSize, config: ComposeConfig, data: Path | None = None, most: int | None = None
) -> ComposeSet:
    """The open counterpart on a split of `OPEN_SPLITS`: ten actions of Bandai-Namco dataset 2.

    `most` : at most so many clips of a (content, style) are read, for the small version.
    """
    folder = sources.find_data() if data is None else data
    wanted = (*LOCOMOTION, *UPPER_BODY)
    train, test = (
        [
            action_of(clip.motion, clip.content, config.fps, clip.name)
            for clip in sources.bandai_clips(folder, part, most, OPEN_SPLITS[split])
            if clip.content in wanted
        ]
        for part in ("train", "test")
    )
    return build_set(f"{split}-{size.train}", OPEN_PAIRS, train, test, size, config)


def humanact_set(
    motions: Sequence[Motion], config: ComposeConfig, size: SetSize, seed: int = 0
) -> ComposeSet:
    """HumanAct-C of the clips in `humanact12poses.pkl` (`kineme.formats.load`): 10 training sequences of each
    of 12 actions and 100 test sequences of each of 9 classes in the paper."""
    return _by_seed("HumanAct-C", HUMANACT_PAIRS, motions, config, size, seed, others=True)


def uestc_set(motions: Sequence[Motion], config: ComposeConfig, size: SetSize, seed: int = 0) -> ComposeSet:
    """UESTC-C of the clips in `vibe_cache_refined.pkl` with its `info` folder: 5 training sequences of
    each of 10 actions and 25 test sequences of each of 25 classes in the paper."""
    return _by_seed("UESTC-C", UESTC_PAIRS, motions, config, size, seed, others=False)


def _plain(motion: Motion) -> str:
    """A clip's action; UESTC's are spelt with hyphens, as the paper does."""
    label = motion.labels[0].label if motion.labels else ""
    hyphens = "-".join(label.lower().replace("_", " ").replace("-", " ").split())
    return hyphens if hyphens in (*_UESTC_LEGS, *_UESTC_UPPER) else label


def _by_seed(
    name: str,
    pairs: Sequence[str],
    motions: Sequence[Motion],
    config: ComposeConfig,
    size: SetSize,
    seed: int,
    others: bool,
) -> ComposeSet:
    """Training clips drawn by seed, the rest for tests; `others` : also learn actions of no pair."""
    known = {action for pair in pairs for action in pair.split(PLUS)}
    labelled = [(number, motion, _plain(motion)) for number, motion in enumerate(motions)]
    actions = [
        action_of(motion, label, config.fps, f"{name} {number}")
        for number, motion, label in labelled
        if label and (others or label in known) and len(motion) > 1
    ]
    rng, train, test = np.random.default_rng([seed, 32]), [], []
    for label in sorted({action.label for action in actions}):
        own = [action for action in actions if action.label == label]
        order = rng.permutation(len(own))
        train += [own[k] for k in order[: size.train]]
        test += [own[k] for k in order[size.train :]]
    return build_set(name, pairs, train, test, size, config, seed)
