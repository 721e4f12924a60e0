"""What frozen features know: weighted nearest neighbours and a linear classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

NEIGHBOURS = 20
BANK_FRAMES = 50_000
#: every so many rows are looked at to choose a penalty, where that leaves at least so many
THINNED, FEW_ROWS = 5, 2_000
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


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


def bank_index(frames: int, seed: int, limit: int = BANK_FRAMES) -> np.ndarray:
    """Which of the training frames are the bank: all, or `limit` of them drawn by seed; sorted."""
    if frames <= limit:
        return np.arange(frames)
    return np.sort(np.random.default_rng(seed).choice(frames, size=limit, replace=False))


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


def top_accuracy(scores: np.ndarray, labels: np.ndarray, top: int) -> float:
    """Share of rows whose true class is among the `top` highest scores (Q, C); a score of 0 is no guess.

    Of equal scores the lower class goes first.
    """
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    guessed = np.take_along_axis(scores, best, axis=1) > 0
    return float(((best == labels[:, None]) & guessed).any(1).mean()) if len(labels) else 0.0


def fit_linear(
    features: np.ndarray, labels: np.ndarray, classes: int, penalty: float, start: torch.Tensor | None = None
) -> torch.Tensor:
    """Multinomial logistic regression: weights (D + 1, classes), the last row the bias.

    Minimises mean cross-entropy + penalty / 2 * |weights without bias|^2 by L-BFGS, from zero or from
    `start`. The minimum is the only one, so no seed enters.
    """
    import torch

    x = torch.cat([torch.as_tensor(features), torch.ones(len(features), 1)], dim=1)
    y = torch.as_tensor(labels, dtype=torch.long)
    weights = (torch.zeros(x.shape[1], classes) if start is None else start.clone()).requires_grad_(True)
    optimiser = torch.optim.LBFGS(
        [weights],
        max_iter=200,
        history_size=20,
        tolerance_grad=1e-5,
        tolerance_change=1e-8,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ weights, y) + penalty / 2 * weights[:-1].square().sum()
        value.backward()
        return value

    optimiser.step(loss)  # type: ignore[arg-type]
    return weights.detach()


def linear_scores(weights: torch.Tensor, features: np.ndarray) -> np.ndarray:
    """Class probabilities (Q, C) of features (Q, D)."""
    import torch

    return torch.softmax(torch.as_tensor(features) @ weights[:-1] + weights[-1], dim=1).numpy()


def linear_probe(
    train: tuple[np.ndarray, np.ndarray],
    val: tuple[np.ndarray, np.ndarray],
    classes: int,
    penalties: Sequence[float] = PENALTIES,
) -> torch.Tensor:
    """Weights of the regression on `train` = (features, labels) with the penalty that does best on `val`.

    Penalties are compared on every `THINNED`-th row of `train`, neighbouring frames being nearly alike, from
    the strongest, each from the solution before it; of equal accuracies on `val` the stronger penalty wins.
    With the one chosen, the regression is then fitted to all rows.
    """
    features, labels = train
    few = (features[::THINNED], labels[::THINNED]) if len(features) > THINNED * FEW_ROWS else train
    best, best_accuracy, start, weights = 0.0, -1.0, None, None
    for penalty in sorted(penalties, reverse=True):
        weights = fit_linear(*few, classes, penalty, weights)
        accuracy = top_accuracy(linear_scores(weights, val[0]), val[1], 1)
        if accuracy > best_accuracy:
            best, best_accuracy, start = penalty, accuracy, weights
    return fit_linear(*train, classes, best, start)
