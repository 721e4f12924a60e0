"""What frozen features know: weighted nearest neighbours and a linear classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kineme.nn.neighbours import NEIGHBOURS, Standardiser, knn_votes

if TYPE_CHECKING:
    import torch

__all__ = ["NEIGHBOURS", "Standardiser", "knn_votes"]

BANK_FRAMES = 50_000
#: every so many rows are looked at to choose a penalty, where that leaves at least so many
THINNED, FEW_ROWS = 5, 2_000
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def bank_index(frames: int, seed: int, limit: int = BANK_FRAMES) -> np.ndarray:
    """Which of the training frames are the bank: all, or `limit` of them drawn by seed; sorted."""
    if frames <= limit:
        return np.arange(frames)
    return np.sort(np.random.default_rng(seed).choice(frames, size=limit, replace=False))


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
