"""Direct regressors of curves: an MLP over the latest poses, and a Transformer over the frames of the
context.

The MLP is siMLPe's idea (Guo et al., WACV 2023): the cosine transform of the history, layers over it, the sum
with the last pose; here the layers are wide and few, which learns faster, and the answer is smooth curves
(`kineme.nn.curves`). The Transformer asks the observed frames, a query a wave.
"""

from __future__ import annotations

from kineme.nn.curve_net import CurveNet, Inputs, shape_for

#: poses and velocities of a frame
FRAME_WIDTH = 132


def direct_mlp(sides: int, near: int, waves: int, hidden: int = 256, recalled: bool = False) -> CurveNet:
    """The MLP; `recalled` : with moments that are recalled by their poses."""
    return CurveNet(shape_for(sides, near, waves, hidden), Inputs(sides, 0, 0 if recalled else None))


def direct_transformer(
    sides: int, near: int, waves: int, width: int = 96, layers: int = 2, hidden: int = 256
) -> CurveNet:
    """The Transformer: `layers` of attention to the frames of the context."""
    return CurveNet(shape_for(sides, near, waves, hidden, layers, width=width), Inputs(sides, FRAME_WIDTH))
