"""HM-VAE, the two-level baseline of HG-VAE. See README.md beside this file."""

from __future__ import annotations

from kineme.models.hmvae.network import HMVAEConfig, HMVAENetwork

__all__ = ["HMVAEConfig", "HMVAENetwork"]
