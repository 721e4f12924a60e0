"""Teach a model how motion goes on: adds a head for `kineme predict` to a copy of the model.

The model itself stays as it is. The head keeps moments of the takes, recalls what followed when the atoms
were like these, and corrects it by the latest poses; that takes a minute or two.
"""

from __future__ import annotations

from kineme.cli.train_heads import Args, train

__all__ = ["Args", "run"]


def run(args: Args) -> int:
    """Trains, and says where the model is."""
    return train(args, "predictor")
