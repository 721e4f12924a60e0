"""What latents are drawn from: N(0, I), or the Gaussian that lies nearest to the latents of training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from kineme.nn.gaussian import Gaussian

#: added to the variance of every feature, so that its root exists
_TINY = 1e-6


class LatentPrior(NamedTuple):
    """N(x mean, factor factor^T) of sequences of the actions x (B, K).

    Attributes
    ----------
    mean : (K, D), one row an action. factor : (D, D), lower triangular.
    """

    mean: Tensor
    factor: Tensor


def fit_prior(posterior: Gaussian, actions: Tensor) -> LatentPrior:
    """The prior with the least divergence from the posteriors (n, D) of sequences of actions (n, K), together.

    A divergence of little weight lets the posteriors of all sequences, taken together, lie elsewhere than N(0, I),
    and what is drawn from there is decoded to what no sequence looks like (Hoffman and Johnson, *ELBO surgery*,
    2016). A density fitted after training finds them again (Ghosh et al., *From variational to deterministic
    autoencoders*, 2020). Its mean is linear in the actions, as the model's tokens are (eq. 1): a
    pair that no training sequence had has one, too.
    """
    means, shares = posterior.mean.double(), actions.double()
    mean = torch.linalg.pinv(shares) @ means
    left = means - shares @ mean
    covariance = left.T @ left / len(left) + torch.diag(posterior.log_variance.double().exp().mean(0) + _TINY)
    return LatentPrior(mean.float(), torch.linalg.cholesky(covariance).float())
