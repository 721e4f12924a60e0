"""Gaussian noise with a few shared factors: what is left of a window after a model's mean, and its
conditionals.

    r = W f + e,    f ~ N(0, 1),  e ~ N(0, diag(psi))    (probabilistic PCA, a noise of its own per entry)

Neighbouring entries err alike, so what is known of a window says something about the error of what is not.
"""

from __future__ import annotations

from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor

#: least variance of an entry, of normalised units
LEAST = 1e-6


class FactorNoise(NamedTuple):
    """`factors` (R, D) and `variance` (D,) of the D entries of a window."""

    factors: Tensor
    variance: Tensor

    @classmethod
    def fit(cls, residuals: Tensor, count: int) -> FactorNoise:
        """From residuals (n, D): the `count` leading principal directions, and what they leave, per entry.

        Residuals are not centred: a mean error is an error, too.
        """
        count = min(count, *residuals.shape)
        if count == 0:
            return cls(
                residuals.new_zeros(0, residuals.shape[1]), residuals.square().mean(0).clamp(min=LEAST)
            )
        wide = residuals.double()
        # eigenvectors of the smaller Gram matrix are far cheaper than the singular vectors of all
        flat = len(wide) < wide.shape[1]
        gram = (wide @ wide.T if flat else wide.T @ wide) / len(wide)
        values, vectors = torch.linalg.eigh(gram)
        values, vectors = values[-count:].clamp(min=1e-12), vectors[:, -count:]
        directions = (vectors.T @ wide) / (values * len(wide)).sqrt()[:, None] if flat else vectors.T
        rest = (wide.square().mean(0) - (directions.square() * values[:, None]).sum(0)).clamp(min=LEAST)
        return cls((directions * values.sqrt()[:, None]).to(residuals.dtype), rest.to(residuals.dtype))

    def draw(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Samples (count, D)."""
        shared = self.factors.new_empty(count, len(self.factors)).normal_(generator=generator)
        own = self.variance.new_empty(count, len(self.variance)).normal_(generator=generator)
        return shared @ self.factors + own * self.variance.sqrt()

    def condition(self, residuals: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (B, D) of all entries given the `known` ones (B, D) bool of residuals (B, D).

        What stands in the others is not looked at.
        """
        weight = known / self.variance  # (B, D)
        count = len(self.factors)
        precision = torch.einsum("rd,bd,sd->brs", self.factors, weight, self.factors)
        precision = precision + torch.eye(count, dtype=residuals.dtype)
        pull = (residuals.masked_fill(~known, 0.0) * weight) @ self.factors.T
        root = torch.linalg.cholesky(precision)
        scores = torch.cholesky_solve(pull[..., None], root)[..., 0]
        spread = torch.linalg.solve_triangular(root, self.factors.expand(len(known), -1, -1), upper=False)
        return scores @ self.factors, spread.square().sum(1) + self.variance

    def log_density(self, residuals: Tensor) -> Tensor:
        """(B,) of residuals (B, D), by the matrix inversion lemma."""
        scaled = self.factors / self.variance
        precision = scaled @ self.factors.T + torch.eye(len(self.factors), dtype=residuals.dtype)
        root = torch.linalg.cholesky(precision)
        inner = torch.linalg.solve_triangular(root, scaled @ residuals.T, upper=False)
        square = (residuals.square() / self.variance).sum(1) - inner.square().sum(0)
        volume = self.variance.log().sum() + 2 * root.diagonal().log().sum()
        return -0.5 * (square + volume + residuals.shape[1] * log(2 * pi))

    def leave_one_out(self, residuals: Tensor) -> Tensor:
        """(B, D) log-density of each entry given all others of its window.

        With precision matrix K: mean r_i - (K r)_i / K_ii, variance 1 / K_ii (Rasmussen and Williams 2006,
        eq. 5.10 to 5.12).
        """
        scaled = self.factors / self.variance
        precision = scaled @ self.factors.T + torch.eye(len(self.factors), dtype=residuals.dtype)
        root = torch.linalg.cholesky(precision)
        half = torch.linalg.solve_triangular(root, scaled, upper=False)  # (R, D)
        pulled = residuals / self.variance - (residuals @ half.T) @ half
        diagonal = 1 / self.variance - half.square().sum(0)
        return -0.5 * (pulled.square() / diagonal - diagonal.log() + log(2 * pi))
