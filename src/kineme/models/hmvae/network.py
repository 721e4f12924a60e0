"""HM-VAE's motion prior (Li et al. 2021) as the HG-VAE paper compares it: two levels, the upper one pooled.

Joints are pooled by averaging the members of six body parts, and unpooled by copying; nothing of that is
learned. Graphs are node-major, (nodes, B, features).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kineme.motion.canonical import JOINTS, PARTS
from kineme.motion.dct import basis_tensor
from kineme.nn.gaussian import Gaussian, LevelState, Pass
from kineme.nn.graph import GraphBlock, GraphConvolution


@dataclass(frozen=True)
class HMVAEConfig:
    """`joints` and `root` as in `Channels`; `features` of the graphs and of the latents of both levels.

    `kl_weight` : of the divergence in the loss, instead of a learned scale of the likelihood.
    """

    joints: tuple[str, ...] = JOINTS[1:]
    root: bool = True
    frames: int = 50
    features: int = 64
    kl_weight: float = 0.003

    @property
    def nodes(self) -> int:
        """Nodes of a window."""
        return 3 * len(self.joints) + (4 if self.root else 0)


def pooling(config: HMVAEConfig) -> Tensor:
    """(18 or 19, nodes): each body part's mean over its joints, an axis a row; the root's nodes make one
    more."""
    parts = [
        [config.joints.index(JOINTS[j]) for j in part if JOINTS[j] in config.joints]
        for part in PARTS.values()
    ]
    rows = []
    for members in (part for part in parts if part):
        for axis in range(3):
            row = torch.zeros(config.nodes)
            row[[3 * joint + axis for joint in members]] = 1 / len(members)
            rows.append(row)
    if config.root:
        row = torch.zeros(config.nodes)
        row[-4:] = 1 / 4
        rows.append(row)
    return torch.stack(rows)


class HMVAENetwork(nn.Module):
    """Two stochastic levels: z_0 on the pooled graph, z_1 on the nodes; the likelihood has unit variance."""

    basis: Tensor
    pool: Tensor

    def __init__(self, config: HMVAEConfig):
        super().__init__()
        self.config = config
        nodes, features, frames = config.nodes, config.features, config.frames
        self.register_buffer("basis", basis_tensor(frames), persistent=False)
        self.register_buffer("pool", pooling(config), persistent=False)
        top = self.pool.shape[0]
        self.low = nn.Sequential(
            GraphConvolution((nodes, nodes), (frames, features)), GraphBlock(nodes, features)
        )
        self.high = nn.Sequential(
            GraphConvolution((top, top), (features, features)), GraphBlock(top, features)
        )
        self.posterior_0 = GraphConvolution((top, top), (features, 2 * features), activation=False)
        self.down = nn.Sequential(
            GraphConvolution((top, top), (features, features)), GraphBlock(top, features)
        )
        self.prior_1 = GraphConvolution((nodes, nodes), (features, 2 * features), activation=False)
        self.posterior_1 = GraphConvolution((nodes, nodes), (2 * features, 2 * features), activation=False)
        self.decoder = nn.Sequential(
            GraphConvolution((nodes, nodes), (2 * features, features)), GraphBlock(nodes, features)
        )
        self.out = GraphConvolution((nodes, nodes), (features, frames), activation=False)
        with torch.no_grad():
            for layer in (self.posterior_0, self.prior_1, self.posterior_1, self.out):
                layer.weight.mul_(0.1)

    def forward(
        self, windows: Tensor, *, sample: bool = True, generator: torch.Generator | None = None
    ) -> Pass:
        """Reconstruct windows (B, nodes, frames)."""
        low = self.low(windows.transpose(0, 1) @ self.basis.T)
        high = self.high(_mixed(self.pool, low))
        posterior = Gaussian.of(self.posterior_0(high))
        top = posterior.sample(generator) if sample else posterior.mean
        path = _mixed((self.pool > 0).to(low).T, self.down(top))
        prior = Gaussian.of(self.prior_1(path))
        posterior_1 = Gaussian.of(self.posterior_1(torch.cat([path, low], dim=-1)))
        bottom = posterior_1.sample(generator) if sample else posterior_1.mean
        made = self.out(self.decoder(torch.cat([path, bottom], dim=-1))) @ self.basis
        mean = made.transpose(0, 1)
        levels = (LevelState(posterior, None, top), LevelState(posterior_1, prior, bottom))
        return Pass(Gaussian(mean, torch.zeros_like(mean)), levels)


def _mixed(matrix: Tensor, graph: Tensor) -> Tensor:
    nodes, batch, features = graph.shape
    return (matrix @ graph.reshape(nodes, batch * features)).view(-1, batch, features)
