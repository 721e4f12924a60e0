"""ST-GCN: spatial-temporal graph convolutions on the skeleton (Yan, Xiong, Lin, AAAI 2018, arXiv 1801.07455).

Graph: the 22 joints of the canonical body. Each convolution sums over three sets of neighbours (the paper's
*spatial configuration*): the joint itself, those nearer to the body's middle, those farther from it; each set
has weights of its own, and every edge a learned importance. Convolutions over time follow, joint by joint.

For clips (one class each) the paper's strides halve time twice; for a class a frame there are none.
`features` gives the pooled activations before the last layer, by which generated motion can be judged.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from kineme.motion.canonical import INDEX, PARENTS

#: the joint from which nearer and farther is counted
MIDDLE = INDEX["spine1"]
#: the paper's units: channels, and by how much time is thinned
PAPER = (
    (64, 1), (64, 1), (64, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1), (256, 1),
)  # fmt: skip
#: for corpora of an hour on a CPU
SMALL = ((32, 1), (32, 1), (64, 1))
TEMPORAL = 9


def hops(parents: tuple[int, ...], middle: int) -> np.ndarray:
    """(J,) edges between each joint and the `middle` one, in the tree of `parents`."""
    away = np.full(len(parents), -1)
    away[middle], front = 0, [middle]
    while front:
        joint = front.pop(0)
        near = [j for j, p in enumerate(parents) if p == joint] + [parents[joint]]
        for other in near:
            if other >= 0 and away[other] < 0:
                away[other] = away[joint] + 1
                front.append(other)
    return away


def partitions(parents: tuple[int, ...] = PARENTS, middle: int = MIDDLE) -> np.ndarray:
    """(3, J, J) adjacency of the spatial configuration: self, nearer to the middle, farther (paper, eq. 8).

    Entry [k, i, j] lets joint i read joint j. Each is normalised as in the paper's eq. 10:
    D^-1/2 A D^-1/2 with D the sums of the rows plus 0.001.
    """
    count, away = len(parents), hops(parents, middle)
    found = np.zeros((3, count, count))
    found[0] = np.eye(count)
    for child, parent in enumerate(parents):
        if parent >= 0:
            for i, j in ((child, parent), (parent, child)):
                found[1 if away[j] < away[i] else 2, i, j] = 1
    rows, columns = found.sum(2) + 1e-3, found.sum(1) + 1e-3
    return (found / np.sqrt(rows[:, :, None] * columns[:, None])).astype(np.float32)


class Unit(nn.Module):
    """One unit: graph convolution, convolution over time, residual."""

    graph: Tensor

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float):
        super().__init__()
        graph = torch.from_numpy(partitions())
        self.register_buffer("graph", graph)
        self.importance = nn.Parameter(torch.ones_like(graph))
        self.spread = nn.Conv2d(inputs, 3 * outputs, 1)
        self.time = nn.Sequential(
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, (TEMPORAL, 1), (stride, 1), (TEMPORAL // 2, 0)),
            nn.BatchNorm2d(outputs),
            nn.Dropout(dropout),
        )
        self.rest = (
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, (stride, 1)), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T, J) -> (B, outputs, T / stride, J)."""
        each = self.spread(x).unflatten(1, (3, -1))  # (B, 3, outputs, T, J)
        mixed = torch.einsum("bkctj,kij->bcti", each, self.graph * self.importance)
        return torch.relu(self.time(mixed) + self.rest(x))


class STGCN(nn.Module):
    """Joints over time (B, C, T, 22) to a class a clip, or a frame.

    Parameters
    ----------
    channels : numbers a joint, such as places (3) and velocities (3). classes : how many.
    units : (channels, stride) of each unit; `PAPER` or `SMALL`. dropout : the paper's 0.5 in PAPER.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        units: tuple[tuple[int, int], ...] = PAPER,
        dropout: float = 0.5,
        strides: bool = True,
    ):
        super().__init__()
        joints = len(PARENTS)
        self.norm = nn.BatchNorm1d(channels * joints)
        widths = (channels, *(width for width, _ in units))
        self.units = nn.ModuleList(
            Unit(a, b, stride if strides else 1, dropout)
            for a, (b, stride) in zip(widths[:-1], units, strict=True)
        )
        self.stride = int(np.prod([stride for _, stride in units])) if strides else 1
        self.out = nn.Linear(widths[-1], classes)

    def maps(self, x: Tensor) -> Tensor:
        """(B, D, T', 22): activations after the last unit, from x (B, C, T, 22)."""
        count, channels, frames, joints = x.shape
        flat = x.permute(0, 3, 1, 2).reshape(count, joints * channels, frames)
        x = self.norm(flat).view(count, joints, channels, frames).permute(0, 2, 3, 1)
        for unit in self.units:
            x = unit(x)
        return x

    def features(self, x: Tensor, frames: Tensor | None = None) -> Tensor:
        """(B, D): the mean over joints and real frames, before the last layer.

        frames : (B,) how many of the T frames are real; all if not given.
        """
        over_time = self.maps(x).mean(3)
        if frames is None:
            return over_time.mean(2)
        count = torch.div(frames + self.stride - 1, self.stride, rounding_mode="floor")[:, None]
        real = torch.arange(over_time.shape[2], device=x.device)[None] < count
        return (over_time * real[:, None]).sum(2) / count

    def forward(self, x: Tensor, frames: Tensor | None = None) -> Tensor:
        """Logits (B, classes) of clips."""
        return self.out(self.features(x, frames))


class FrameSTGCN(nn.Module):
    """ST-GCN with a class a frame, fed with A4Mer's input: places and velocities of joints, (N, 131)."""

    def __init__(self, classes: int, units: tuple[tuple[int, int], ...] = SMALL, dropout: float = 0.3):
        super().__init__()
        self.body = STGCN(6, classes, units, dropout, strides=False)

    def forward(self, items: Tensor, frames: Tensor, counts: list[int]) -> Tensor:
        """As `GRURecogniser.forward`. The pelvis has a height only; the turning rate is not a joint's."""
        height, joints, velocity, _ = items.split((1, 63, 66, 1), dim=1)
        none = torch.zeros_like(height)
        places = torch.cat([none, height, none, joints], dim=1).unflatten(1, (22, 3))
        nodes = torch.cat([places, velocity.unflatten(1, (22, 3))], dim=2)  # (N, 22, 6)
        padded = pad_sequence(list(nodes.split(counts)), batch_first=True)  # (B, T, 22, 6)
        made = self.body.out(self.body.maps(padded.permute(0, 3, 1, 2)).mean(3).transpose(1, 2))
        return torch.cat([row[:count] for row, count in zip(made, counts, strict=True)])
