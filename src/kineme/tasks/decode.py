"""Which motif a clip is in, piece by piece: the sequence that fits best when every change has a price.

Mining finds what recurs; each piece of a cover on its own would go to the nearest motif, and flicker
wherever two are about equally near. A change is worth its price only if the pieces that follow agree on it.
This is the most likely path of a hidden Markov model with one Gaussian a motif and sticky transitions
(Viterbi 1967; stickiness as the time scale of behaviour: Weinreb et al., Nature Methods 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class MotifStates:
    """The motifs that a clip can be in.

    Attributes
    ----------
    numbers : (M,) int64, their numbers, ascending. centres : (M, D) float64, the mean prototype of each.
    misfit : mean squared distance of a prototype from the centre of its motif.
    """

    numbers: np.ndarray
    centres: np.ndarray
    misfit: float

    @classmethod
    def of(cls, prototypes: np.ndarray, numbers: np.ndarray) -> MotifStates:
        """From prototypes (P, D) and the motif (P,) of each (`motifs.motif_numbers`)."""
        found, group = np.unique(numbers, return_inverse=True)
        points = prototypes.astype(np.float64)
        centres = np.stack([points[group == k].mean(axis=0) for k in range(len(found))])
        spare = len(points) - len(found)
        misfit = float(((points - centres[group]) ** 2).sum() / spare) if spare else _half_way(centres)
        return cls(found, centres, misfit)

    def decode(
        self, tokens: np.ndarray, seconds: np.ndarray, timescale: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The motif (K,) of each piece of a clip, and how clear it is (K,) in [0, 1].

        Parameters
        ----------
        tokens : (K, D). seconds : (K,) durations.
        timescale : seconds; a change of motif costs as much as the usual misfit for so long.

        Confidence is 1 - d1 / d2 with d1 the distance to the chosen motif and d2 that to the nearest other,
        and 0 where another one is nearer. Distances are computed one by one in float64: they do not depend
        on the company.
        """
        squares = _squares(tokens, self.centres)
        path = cheapest_path(squares * seconds[:, None], timescale * self.misfit)
        rows = np.arange(len(path))
        own = np.sqrt(squares[rows, path])
        squares[rows, path] = np.inf
        other = np.sqrt(squares.min(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            clear = np.where(np.isinf(other), 1.0, np.where(other > 0, 1 - own / other, 0.0))
        return self.numbers[path], np.maximum(clear, 0.0).astype(np.float32)


def _half_way(centres: np.ndarray) -> float:
    """Mean squared distance of a centre (M, D) to half the way to the next one; 0 for one alone."""
    squares = _squares(centres, centres)
    np.fill_diagonal(squares, np.inf)
    return float(squares.min(axis=1).mean() / 4) if len(centres) > 1 else 0.0


def _squares(tokens: np.ndarray, centres: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(tokens.astype(np.float64), centres, "sqeuclidean")


def cheapest_path(costs: np.ndarray, price: float) -> np.ndarray:
    """States (K,) of K steps that minimise the sum of their costs (K, S) plus `price` for every change.

    Of equally cheap ways to a state, staying comes before changing, and the first state before the others.
    """
    steps, states = costs.shape
    before = np.empty((steps, states), dtype=np.int64)
    stay = np.arange(states)
    total = costs[0]
    for k in range(1, steps):
        best = int(total.argmin())
        kept = total <= total[best] + price
        before[k] = np.where(kept, stay, best)
        total = np.where(kept, total, total[best] + price) + costs[k]
    path = np.empty(steps, dtype=np.int64)
    path[-1] = total.argmin()
    for k in range(steps - 1, 0, -1):
        path[k - 1] = before[k, path[k]]
    return path
