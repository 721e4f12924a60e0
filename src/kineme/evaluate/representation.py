"""What a method says about a take, in the one form that all metrics read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kineme.motion import Motion, Segment


@dataclass(frozen=True, eq=False)
class Take:
    """A canonical motion with its true labels, and the name that tables and messages use.

    `decoys` : seconds (B,) of joins that look like boundaries and are none.
    """

    name: str
    motion: Motion
    labels: tuple[Segment, ...]
    decoys: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class Level:
    """The tokens of one take at one level, in order and without gaps.

    Attributes
    ----------
    name : ``frame``, ``clip``, ``atom`` or ``motif``.
    tokens : (M, D) float32.
    lengths : (M,) frames that each token stands for; their sum is the take's T.
    clustered : (M, C) float32, what the method itself makes codes of; None where that is the tokens.
    """

    name: str
    tokens: np.ndarray
    lengths: np.ndarray
    clustered: np.ndarray | None = None

    @property
    def for_codes(self) -> np.ndarray:
        """(M, C) what k-means is given."""
        return self.tokens if self.clustered is None else self.clustered

    @property
    def unit(self) -> np.ndarray:
        """(T,) which token holds each frame."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


@dataclass(frozen=True, eq=False)
class Mined:
    """The segments of one take as the method would write them, in order and without gaps.

    Attributes
    ----------
    ids : (M,) which motif.
    lengths : (M,) frames of each.
    motif_frames : (P,) frames of each occurrence of a pattern, before neighbours were joined to segments.
    motif_atoms : (P,) how many atoms each is made of.
    """

    ids: np.ndarray
    lengths: np.ndarray
    motif_frames: np.ndarray
    motif_atoms: np.ndarray

    @property
    def unit(self) -> np.ndarray:
        """(T,) which segment holds each frame."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


@dataclass(frozen=True, eq=False)
class View:
    """A take as a method sees it: frame k stands at k / fps seconds."""

    fps: float
    levels: tuple[Level, ...]


class Representation(Protocol):
    """A fitted method: deterministic functions of one motion."""

    def view(self, motion: Motion) -> View:
        """Tokens at every level."""
        ...

    def mined(self, motion: Motion) -> Mined | None:
        """Segments at the frames of `view`; None from a method that has none."""
        ...


@dataclass(frozen=True, eq=False)
class Fold:
    """One condition of a protocol: what may be trained on and what is measured.

    Attributes
    ----------
    corpus : the protocol's name, such as ``unseen-actor``.
    name : the fold's, such as ``g1``; empty where there is one only.
    training : names what a representation is trained on; folds with the same name share one checkpoint.
    train, val, test : takes. Where there is no labelled training data (``train`` empty), only boundaries are
        counted and k-means is fitted to the test takes themselves.
    representation_train : takes to train on where they differ from `train`.
    checksum, training_checksum : of the corpora that all takes, and those to train on, are from.
    """

    corpus: str
    name: str
    training: str
    train: tuple[Take, ...]
    val: tuple[Take, ...]
    test: tuple[Take, ...]
    representation_train: tuple[Take, ...] = ()
    checksum: str = ""
    training_checksum: str = ""

    @property
    def training_motions(self) -> Sequence[Motion]:
        """What a representation may be trained on (labels are not for it)."""
        return [take.motion for take in self.representation_train or self.train]


class Method(Protocol):
    """A row (or several, one a level) of a table."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    @property
    def code(self) -> tuple[str, ...]:
        """Source files of the package (patterns) that its figures depend on, beside those of all methods."""
        ...

    def state(self, fold: Fold, seed: int) -> str:
        """What else its figures depend on, such as a checksum of weights; empty for nothing."""
        ...

    def fitted_on(self, fold: Fold) -> str:
        """Names what `fit` reads: folds for which it is the same share one representation."""
        ...

    def fit(self, fold: Fold, seed: int) -> Representation:
        """Train on `fold.training_motions`, or fetch what was trained on `fold.training` with this seed."""
        ...
