"""The fully connected VAE that HG-VAE is compared with. See README.md beside this file."""

from __future__ import annotations

from kineme.models.vae.network import VAEConfig, VAENetwork

__all__ = ["VAEConfig", "VAENetwork"]
