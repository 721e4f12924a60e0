"""Teach a model to fill gaps of whole frames: adds a head for `kineme interpolate` to a copy of the model.

The model itself stays as it is. The head keeps moments of the takes, recalls what lay between when the
atoms on both sides were like these, and corrects it by the poses there; that takes a few minutes.
"""

from __future__ import annotations

from kineme.cli.train_heads import Args, train

__all__ = ["Args", "run"]


def run(args: Args) -> int:
    """Trains, and says where the model is."""
    return train(args, "interpolator")
