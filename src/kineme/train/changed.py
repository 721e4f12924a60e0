"""Copies of a take in another tempo, posture and amplitude: what else a labelled take may have looked like.

They are changed in the ways that A4Mer's own training windows are (`models.a4mer.batch`), but not mirrored: a
class can be of one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kineme.models.a4mer.batch import restyle
from kineme.models.a4mer.features import at
from kineme.motion import Segment

#: how far they are changed; the training windows' own strength
STRENGTH = 0.4
#: the natural logarithm of the tempo, at full strength
TEMPO = 0.25


class Changed(NamedTuple):
    """World positions (T', 22, 3) of a copy; what took a second takes 1 / `tempo` of one."""

    positions: np.ndarray
    tempo: float


def changed_take(takes: Sequence[np.ndarray], number: int, copy: int, seed: int) -> Changed:
    """Copy `copy` of take `number` among world positions (T, 22, 3) each, some of it in another one's posture.

    A function of its arguments alone.
    """
    rng = np.random.default_rng([seed, 9, number, copy])
    tempo = float(np.exp(rng.uniform(-TEMPO, TEMPO) * STRENGTH))
    own = takes[number]
    index = np.arange(int((len(own) - 1) / tempo) + 1) * tempo
    moved = at(own, index, len(own) - 1)
    lender = takes[int(rng.integers(len(takes)))][: len(moved)]
    pair = [moved, np.concatenate([lender, np.repeat(lender[-1:], len(moved) - len(lender), axis=0)])]
    poses = np.stack(pair).astype(np.float32)[None]
    return Changed(restyle(poses, np.array([len(moved), len(lender)]), rng, STRENGTH)[0, 0], tempo)


def in_tempo(labels: Iterable[Segment], tempo: float) -> tuple[Segment, ...]:
    """The labels of a copy."""
    return tuple(replace(s, start=s.start / tempo, end=s.end / tempo) for s in labels)
