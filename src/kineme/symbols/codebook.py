"""k-means codes of token vectors: fit once, then every token takes its nearest centre.

The k-means is scikit-learn's: faiss and torch each bring an OpenMP runtime, and the two crash on macOS.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kineme.errors import InputError

GATHER = 6  # for even codes: gatherings of tokens to one centre
PER_CLUSTER = 256  # tokens a cluster that k-means looks at; more change the centres little
_ROWS = 1 << 14  # tokens at a time in `nearest`


@dataclass(frozen=True, eq=False)
class Codebook:
    """K centres (K, D) float32; from `fit`, no two are equal and the most populated comes first."""

    centres: np.ndarray

    def __post_init__(self) -> None:
        centres = np.ascontiguousarray(self.centres, np.float32)
        if centres.ndim != 2 or not centres.size or not np.isfinite(centres).all():
            raise ValueError(f"a codebook needs finite centres (K, D), not {np.shape(self.centres)}")
        object.__setattr__(self, "centres", centres)

    def __len__(self) -> int:
        return len(self.centres)

    def assign(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest centre of each token (N, D): codes (N,) int32 and Euclidean distances (N,) float32.

        Of equally near centres the first is taken, and a token has the same code alone as in a batch.
        """
        codes, distances = self.nearest(tokens, 1)
        return codes[:, 0], distances[:, 0].astype(np.float32)

    def confidence(self, tokens: np.ndarray) -> np.ndarray:
        """How clear the choice of each token's centre is, (N,) float32 in [0, 1].

        (d2 - d1) / d2, from the distances to the nearest and the second-nearest centre (the simplified
        silhouette: Hruschka et al., 2004): 1 on a centre, 0 halfway between two. With one centre, 1.
        """
        if len(self) == 1:
            return np.ones(len(tokens), np.float32)
        _, distances = self.nearest(tokens, 2)
        near, second = distances.T
        clear = np.divide(second - near, second, out=np.zeros(len(tokens)), where=second > 0)
        return clear.astype(np.float32)

    def nearest(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest centres of each token: codes (N, count) int32, distances (N, count) float64, rising.

        A float32 matrix product, whose rounding depends on the batch, finds the centres that can be among
        them, given that rounding; their distances, computed again in float64 each by itself, decide.
        """
        tokens = np.asarray(tokens, np.float32)
        if tokens.ndim != 2 or tokens.shape[1] != self.centres.shape[1]:
            raise ValueError(f"tokens must be (N, {self.centres.shape[1]}), not {tokens.shape}")
        if not 1 <= count <= len(self):
            raise ValueError(f"{count} nearest of {len(self)} centres")
        if not np.isfinite(tokens).all():
            raise InputError("the tokens are not all finite numbers; the model that made them is damaged")
        codes = np.empty((len(tokens), count), np.int32)
        distances = np.empty((len(tokens), count))
        for at in range(0, len(tokens), _ROWS):
            rows = slice(at, at + _ROWS)
            codes[rows], distances[rows] = self._nearest(tokens[rows], count)
        return codes, distances

    def _nearest(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        centres = self.centres
        size = np.einsum("nd,nd->n", tokens, tokens, dtype=np.float64)
        centre_size = np.einsum("kd,kd->k", centres, centres, dtype=np.float64)
        rough = centre_size - 2.0 * (tokens @ centres.T)  # squared distance less |token|^2
        # 2 |fl(x.c) - x.c| <= D eps |x| |c| (Higham 2002, section 3.1); on both sides, and doubled
        error = 4 * tokens.shape[1] * np.finfo(np.float32).eps * np.sqrt(size * centre_size.max())
        bar = np.partition(rough, count - 1, axis=1)[:, count - 1] + error
        row, code = np.nonzero(rough <= bar[:, None])
        exact = np.square(tokens[row].astype(np.float64) - centres[code]).sum(axis=1)
        order = np.lexsort((code, exact, row))
        first = np.searchsorted(row, np.arange(len(tokens)))  # row is sorted, and stays so in `order`
        best = order[first[:, None] + np.arange(count)]
        return code[best].astype(np.int32), np.sqrt(exact[best])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What a safetensors file of the codebook holds."""
        return {"centres": self.centres}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], path: str | Path | None = None) -> Codebook:
        """Back from `to_arrays`; InputError, naming the path, where these are no centres."""
        try:
            return cls(arrays["centres"])
        except (KeyError, ValueError, TypeError) as error:
            message = "holds no codebook (an array `centres`, finite, K x D); train the model again"
            raise InputError(message, path) from error


def fit(
    tokens: np.ndarray,
    clusters: int,
    seed: int,
    *,
    starts: int = 4,
    iterations: int = 60,
    evenness: float = 0.0,
) -> Codebook:
    """k-means over tokens (N, D): at most `clusters` centres, fewer where there are fewer distinct tokens.

    More than 256 tokens a cluster are thinned to that many by the seed (as faiss does). The best of
    `starts` k-means++ starts is kept. One thread, since the order in which threads add up changes the last
    bits.

    `evenness` in [0, 1]: where tokens are many, centres crowd, and what is rare has to share one. With e > 0
    the tokens are first gathered into a multiple of the clusters, and a gathering of n counts as n^(1 - e):
    at 0 every token counts the same, at 1 every kind of token.

    Raises ValueError for clusters < 1, InputError for no tokens or tokens that are not finite.
    """
    tokens = np.asarray(tokens, np.float32)
    if clusters < 1 or tokens.ndim != 2:
        raise ValueError(f"need at least one cluster and tokens (N, D), not {clusters} and {tokens.shape}")
    if not len(tokens) or not np.isfinite(tokens).all():
        raise InputError("there are no tokens to cluster, or some are not finite")
    if len(tokens) > PER_CLUSTER * clusters:
        chosen = np.random.default_rng(seed).choice(len(tokens), PER_CLUSTER * clusters, replace=False)
        tokens = tokens[np.sort(chosen)]
    gathered = GATHER * clusters
    if evenness > 0 and len(tokens) >= 2 * gathered:
        kinds, labels = _k_means(tokens, gathered, seed, 1, 30)
        weights = np.bincount(labels, minlength=len(kinds)).astype(np.float64)
        there = weights > 0
        centres, _ = _k_means(
            kinds[there], clusters, seed, starts, iterations, weights[there] ** (1 - evenness)
        )
        labels = Codebook(centres).assign(tokens)[0]
    else:
        centres, labels = _k_means(tokens, clusters, seed, starts, iterations)
    count = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-count, kind="stable")[: np.count_nonzero(count)]
    _, firsts = np.unique(centres[order], axis=0, return_index=True)
    return Codebook(centres[order[np.sort(firsts)]])


def _k_means(
    points: np.ndarray,
    clusters: int,
    seed: int,
    starts: int,
    iterations: int,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Centres (K, D) and the centre (N,) of each point (N, D)."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    means = KMeans(
        min(clusters, len(points)),
        n_init=starts,  # type: ignore[arg-type]  # annotated as a string only
        max_iter=iterations,
        random_state=seed,
    )
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct tokens than clusters
        labels = means.fit_predict(points, sample_weight=weights)
    return means.cluster_centers_, labels
