"""A4Mer: Action Atoms and Action Motifs (CVPR 2026). See README.md beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kineme.models.a4mer.config import PRESETS, A4MerConfig

if TYPE_CHECKING:
    from kineme.models.a4mer.model import A4Mer, Encoding

__all__ = ["PRESETS", "A4Mer", "A4MerConfig", "Encoding"]


def __getattr__(name: str) -> Any:
    """What needs torch, on first use; the settings are there at once, for the help of commands."""
    if name not in ("A4Mer", "Encoding"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kineme.models.a4mer import model

    return getattr(model, name)
