"""Moments for the tables of prediction and interpolation: one training, several corpora to test on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kineme.errors import UsageError
from kineme.evaluate import corpora
from kineme.evaluate.learned import take_bank
from kineme.evaluate.representation import Fold, Take
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import HeadBank, Kind, build_bank, cuts_of
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.network import A4MerNetwork
from kineme.nn.moments import Cuts

#: seconds between training moments of a corpus: hdm05 is small, and counts more
STRIDES = {"joined": 2.0, "hdm05": 0.2, "synthetic": 1.0}
#: seconds between moments that are tested on, and of context that they have
TEST_STRIDE, CONTEXT = {"joined": 2.0, "hdm05": 1.0, "synthetic": 2.0}, 10.0


@dataclass(eq=False)
class ForecastFolds:
    """What the rows of a table share.

    Attributes
    ----------
    names : corpora that are tested on. fold : their common training. sources : training takes with strides.
    tested : (takes, labels a take) a corpus. checksum : of all corpora.
    """

    names: tuple[str, ...]
    fold: Fold
    sources: list[tuple[TakeBank, float]]
    tested: dict[str, tuple[TakeBank, tuple[Take, ...]]]
    checksum: str
    _banks: dict[str, HeadBank] = field(default_factory=dict)

    def bank(self, name: str, make: Callable[[], A4MerNetwork | None], config: HeadConfig, kind: Kind):
        """Training moments with the tokens of a network; the last one asked for is kept."""
        if name not in self._banks:
            self._banks.clear()
            self._banks[name] = build_bank(make(), self.sources, config, kind)
        return self._banks[name]

    def cuts(
        self, corpus: str, gap: float | None, after: float
    ) -> tuple[Cuts, Callable[[float], np.ndarray]]:
        """Test moments of a corpus, and (B,) bool for so many seconds: whether the action is still the
        same."""
        takes, labelled = self.tested[corpus]
        cuts = cuts_of(takes, TEST_STRIDE[corpus], CONTEXT, gap, after)
        classes = np.concatenate([_classes(take, takes.fps) for take in labelled])

        def within(seconds: float) -> np.ndarray:
            ends = cuts.now + round(seconds * takes.fps)
            changes = np.concatenate([[0], np.cumsum(np.diff(classes) != 0)])
            return changes[np.minimum(ends, cuts.last)] == changes[cuts.now]

        return cuts, within


def _classes(take: Take, fps: float) -> np.ndarray:
    """(T,) number of the label that holds each frame."""
    times = np.arange(len(take.motion)) / fps
    return np.searchsorted(np.array([s.end for s in take.labels[:-1]]), times, side="right")


def open_forecast(names: tuple[str, ...], quick: bool, data: Path | None = None) -> ForecastFolds:
    """``joined`` and ``hdm05`` (trained on together), or the small ``synthetic``."""
    for name in names:
        if name not in STRIDES:
            raise UsageError(f"there is no corpus {name!r}; there are {', '.join(STRIDES)}")
    size = corpora.QUICK if quick else corpora.FULL
    folds = {name: corpora.folds(name, size, data)[0] for name in names}
    sources = [(take_bank([t.motion for t in fold.train]), STRIDES[name]) for name, fold in folds.items()]
    if not quick and set(names) != {"synthetic"}:  # one training, whatever is tested on
        both = {n: corpora.folds(n, size, data)[0] for n in ("joined", "hdm05")}
        sources = [(take_bank([t.motion for t in fold.train]), STRIDES[n]) for n, fold in both.items()]
    tested = {n: (take_bank([t.motion for t in fold.test]), fold.test) for n, fold in folds.items()}
    first = next(iter(folds.values()))
    checksum = " ".join(fold.checksum for fold in folds.values())
    return ForecastFolds(tuple(names), first, sources, tested, checksum)
