"""HG-VAE: a hierarchical graph-convolutional VAE of whole motion. See README.md beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kineme.models.hgvae.config import PRESETS, HGVAEConfig

if TYPE_CHECKING:
    from kineme.models.hgvae.model import HGVAE, Calibration

__all__ = ["HGVAE", "PRESETS", "Calibration", "HGVAEConfig"]


def __getattr__(name: str) -> Any:
    """What needs torch, on first use; the settings are there at once, for the help of commands."""
    if name not in ("HGVAE", "Calibration"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kineme.models.hgvae import model

    return getattr(model, name)
