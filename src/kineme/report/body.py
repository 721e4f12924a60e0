"""From a file's own skeleton to a body that the page can draw (`kineme.motion.figure`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.motion.figure import Figure, figure_of
from kineme.report.payload import PageSkeleton


@dataclass(frozen=True)
class Body:
    """How a file's own skeleton is shown.

    Attributes
    ----------
    skeleton : what the page draws: the points of `figure`.
    """

    skeleton: PageSkeleton
    figure: Figure

    @property
    def kept(self) -> tuple[int, ...]:
        """Index of each joint shown in the file's own skeleton."""
        return self.figure.kept

    @property
    def ends(self) -> tuple[tuple[int, int, int, float], ...]:
        """The ends that are added, as in `Figure`."""
        return self.figure.ends

    def place(self, places: np.ndarray) -> np.ndarray:
        """World places (T, J, 3) of the own skeleton, metres, as (T, K, 3) millimetres for `PageClip`.

        Centred over the floor; int16, or int32 for a motion wider than 65 m.
        """
        shown = self.figure.points(places)
        middle = (shown.min(axis=(0, 1)) + shown.max(axis=(0, 1))) / 2 * np.array([1, 0, 1])
        whole = np.round((shown - middle) * 1000).astype(np.int32)
        limits = np.iinfo(np.int16)
        return whole.astype(np.int16) if limits.min <= whole.min() and whole.max() <= limits.max else whole


def page_body(names: Sequence[str], parents: Sequence[int], places: np.ndarray) -> Body:
    """How to show a skeleton.

    Parameters
    ----------
    names, parents : the file's own joints, then its bone ends, called "JOINT end" (`corpus.OwnSkeleton`).
    places : (T, J, 3) world places in metres of any clip of it: they tell the lengths.
    """
    figure = figure_of(names, parents, places)
    skeleton = PageSkeleton(
        names=figure.names,
        parents=figure.parents,
        radii=figure.radii,
        parts=figure.parts,
        flesh=figure.flesh,
        across=figure.across,
        detail=figure.detail,
        height=figure.height,
    )
    return Body(skeleton, figure)
