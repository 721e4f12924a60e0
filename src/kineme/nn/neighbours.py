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
