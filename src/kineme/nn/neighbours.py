"""Weighted nearest neighbours on standardised features: classes from labelled examples, without training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 20


@dataclass(frozen=True)
class Standardiser:
    """Mean and scale of a training bank's features; a feature that never varies is left at its scale."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, bank: np.ndarray) -> Standardiser:
        """From features (N, D)."""
        mean = bank.mean(axis=0, dtype=np.float64)
        deviation = bank.std(axis=0, dtype=np.float64)
        constant = deviation <= 1e-6 * np.maximum(np.abs(mean), 1.0)
        return cls(mean, np.where(constant, 1.0, deviation))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features (N, D) as float32 with the bank's mean 0 and deviation 1."""
        return ((features - self.mean) / self.scale).astype(np.float32)


def nearest_distance(
    bank: np.ndarray, queries: np.ndarray, apart: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """Euclidean distance (Q,) of each query to the nearest row of a bank (N, D).

    apart : groups (N,) and (Q,), integers; what is of a query's own group is passed over. Infinite where
    nothing is left.
    """
    import torch

    reference, asked = torch.as_tensor(bank), torch.as_tensor(queries)
    norms = (reference * reference).sum(1)
    found = np.full(len(queries), np.inf)
    for begin in range(0, len(queries), 1024):
        part = slice(begin, begin + 1024)
        squares = norms - 2 * asked[part] @ reference.T  # less |a|^2, which does not change the order
        if apart is not None:
            own, others = torch.as_tensor(apart[1][part]), torch.as_tensor(apart[0])
            squares = squares.masked_fill(own[:, None] == others, torch.inf)
        least, nearest = squares.min(1)
        exact = np.linalg.norm(bank[nearest.numpy()].astype(np.float64) - queries[part], axis=1)
        found[part] = np.where(torch.isinf(least).numpy(), np.inf, exact)
    return found


def knn_votes(
    bank: np.ndarray, labels: np.ndarray, queries: np.ndarray, classes: int, k: int = NEIGHBOURS
) -> np.ndarray:
    """Votes (Q, classes) of the k nearest frames of a bank (N, D), each weighing 1 / its Euclidean distance.

    Neighbours at distance zero, where there are any, vote alone and alike. `labels` : (N,) integers below
    `classes`. Rows sum to 1.
    """
    import torch

    k = min(k, len(bank))
    reference, asked = torch.as_tensor(bank), torch.as_tensor(queries)
    norms = (reference * reference).sum(1)
    votes = np.zeros((len(queries), classes))
    for begin in range(0, len(queries), 1024):
        block = asked[begin : begin + 1024]
        # |a - b|^2 less |a|^2, which does not change the order
        nearest = (norms - 2 * block @ reference.T).topk(k, dim=1, largest=False).indices.numpy()
        chosen = bank[nearest].astype(np.float64)
        distance = np.linalg.norm(chosen - queries[begin : begin + 1024, None], axis=-1)
        exact = distance <= 1e-6
        with np.errstate(divide="ignore"):
            weight = np.where(exact.any(1, keepdims=True), exact, 1 / distance)
        rows = np.repeat(np.arange(len(block)), k)
        np.add.at(votes[begin : begin + 1024], (rows, labels[nearest].ravel()), weight.ravel())
    return votes / votes.sum(1, keepdims=True)
