"""Two actions at once: energies of body parts, their coupling, and a model that learns from coupled actions.
See README.md beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kineme.models.compose.config import PRESETS, ComposeConfig

if TYPE_CHECKING:
    from kineme.models.compose.model import Composer

__all__ = ["PRESETS", "ComposeConfig", "Composer"]


def __getattr__(name: str) -> Any:
    """What needs torch, on first use; the settings are there at once, for the help of commands."""
    if name != "Composer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kineme.models.compose.model import Composer

    return Composer
