"""HG-VAE's network: a bottom-up encoder of graphs, and a top-down decoder with a deterministic path.

Shapes: windows are (B, nodes, frames); inside, graphs are node-major, (nodes, B, features). Levels are listed
from the top, z_0, downward, as the paper numbers them; `config.levels` lists them from the bottom.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kineme.models.hgvae.config import HGVAEConfig
from kineme.motion.dct import basis_tensor
from kineme.nn.gaussian import Gaussian, LevelState, Pass
from kineme.nn.graph import GraphBlock, GraphConvolution


class Rung(nn.Module):
    """One stochastic level of the decoder (Figure 2): posterior, prior, and the latent's way to the path.

    The top level's prior is the standard normal; there the path is still empty and the posterior sees the
    encoder alone. With ``condition="every"`` a vector of the class is added to the path at every level, before
    anything is read off it; then the top level is like the others, and its prior is p(z_0 | class).
    """

    def __init__(self, config: HGVAEConfig, level: tuple[int, int], top: bool):
        super().__init__()
        nodes, features = level
        path, width, labels = config.nodes, config.path_features, len(config.labels)
        every = labels > 0 and config.condition == "every"
        self.bare = top and not every
        if every:  # a vector of every class and node; nothing is added where there is no class
            self.classes = nn.Parameter(torch.zeros(path, labels, width))
        seen = features if self.bare else 2 * features
        if not self.bare:
            self.blocks = _blocks(config, path, width)
            self.resize = GraphConvolution((path, nodes), (width, features))
            self.prior = GraphConvolution((path, nodes), (width, 2 * features), activation=False)
            self.beside_prior = GraphConvolution((nodes, path), (2 * features, width))
            self.prior_weight = nn.Parameter(torch.zeros(()))
        self.mix = GraphConvolution((nodes, nodes), (seen, features))
        self.posterior = GraphConvolution((nodes, nodes), (features, 2 * features), activation=False)
        self.expand = GraphConvolution((nodes, path), (features + labels * self.bare, width))
        self.latent_weight = nn.Parameter(torch.ones(()) if top else torch.zeros(()))
        with torch.no_grad():  # posterior and prior begin close to each other
            self.posterior.weight.mul_(0.1)
            if not self.bare:
                self.prior.weight.mul_(0.1)

    def look(self, path: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Gaussian | None]:
        """The path (N, B, F) before the latent is added, and p(z_l | z_<l, class): a factor of eq. 2.

        labels : one-hot classes (B, C).
        """
        if self.bare:
            return path, None
        if labels is not None and hasattr(self, "classes"):
            path = path + labels @ self.classes
        path = self.blocks(path)
        parameters = self.prior(path)
        return path + self.prior_weight * self.beside_prior(parameters), Gaussian.of(parameters)

    def infer(self, path: Tensor, features: Tensor) -> Gaussian:
        """q(z_l | z_<l, x), a factor of eq. 3, from the path and the encoder's features of this level."""
        seen = features if self.bare else torch.cat([self.resize(path), features], dim=-1)
        return Gaussian.of(self.posterior(self.mix(seen)))

    def add(self, path: Tensor, latent: Tensor, labels: Tensor | None) -> Tensor:
        """The path with the latent (n, B, f); at a bare top the one-hot class (B, C) is appended to it."""
        if labels is not None and self.bare:
            latent = torch.cat([latent, labels.expand(latent.shape[0], -1, -1)], dim=-1)
        return path + self.latent_weight * self.expand(latent)


def _blocks(config: HGVAEConfig, nodes: int, features: int) -> nn.Sequential:
    return nn.Sequential(*(GraphBlock(nodes, features, config.residual) for _ in range(config.blocks)))


class HGVAENetwork(nn.Module):
    """Encoder and decoder of any number of levels, on normalised windows (B, nodes, frames)."""

    basis: Tensor

    def __init__(self, config: HGVAEConfig):
        super().__init__()
        self.config = config
        self.register_buffer("basis", basis_tensor(config.frames, config.coefficients), persistent=False)
        sizes = [(config.nodes, config.coefficients), *config.levels]
        self.encoder = nn.ModuleList(
            nn.Sequential(GraphConvolution((n, m), (f, g)), *_blocks(config, m, g))
            for (n, f), (m, g) in zip(sizes[:-1], sizes[1:], strict=True)
        )
        top = len(config.levels) - 1
        self.rungs = nn.ModuleList(
            Rung(config, level, k == top) for k, level in reversed(list(enumerate(config.levels)))
        )
        self.start = nn.Parameter(torch.zeros(config.nodes, 1, config.path_features))
        self.last = _blocks(config, config.nodes, config.path_features)
        self.out = GraphConvolution(
            (config.nodes, config.nodes), (config.path_features, 2 * config.coefficients), activation=False
        )
        with torch.no_grad():
            self.out.weight.mul_(0.1)

    def forward(
        self,
        windows: Tensor,
        labels: Tensor | None = None,
        *,
        off: int = 0,
        sample: bool = True,
        generator: torch.Generator | None = None,
    ) -> Pass:
        """Reconstruct windows (B, nodes, frames).

        Parameters
        ----------
        labels : (B,) class numbers, for a model with classes; -1 is no class.
        off : so many of the top levels are turned off: z = mean of the posterior. Their divergence is for
            the caller not to count (`objective.elbo` takes the same argument).
        sample : draw the other levels from their posteriors; otherwise all take the mean.
        """
        features = self.encode(windows)
        path = self.start.expand(-1, len(windows), -1)
        hot, levels = self._one_hot(labels, len(windows)), []
        for number, (rung, seen) in enumerate(zip(self.rungs, reversed(features), strict=True)):
            path, prior = rung.look(path, hot)  # type: ignore[operator]
            posterior = rung.infer(path, seen)  # type: ignore[operator]
            drawn = sample and number >= off
            latent = posterior.sample(generator) if drawn else posterior.mean
            path = rung.add(path, latent, hot)  # type: ignore[operator]
            levels.append(LevelState(posterior, prior, latent))
        return Pass(self.decode(path), tuple(levels))

    def generate(
        self,
        count: int,
        labels: Tensor | None = None,
        *,
        sampled: int | None = None,
        generator: torch.Generator | None = None,
        latents: Tensor | None = None,
    ) -> Pass:
        """Windows from the prior, eq. 2.

        Parameters
        ----------
        sampled : draw only so many levels from the top and take the mean of the prior below (Figure 6).
        latents : (count, D) in place of draws: all levels' from the top, in deviations of their priors, as
            `objective.standardised` has them.
        """
        given = latents if latents is None else self._by_level(latents)
        path = self.start.expand(-1, count, -1)
        hot, levels = self._one_hot(labels, count), []
        for number, rung in enumerate(self.rungs):
            path, prior = rung.look(path, hot)  # type: ignore[operator]
            drawn = sampled is None or number < sampled
            own = prior
            if own is None:
                nodes, features = self.config.levels[-1]
                own = Gaussian(*(path.new_zeros(nodes, count, features) for _ in range(2)))
            if not drawn:
                latent = own.mean
            elif given is None:
                latent = own.sample(generator)
            else:
                latent = own.mean + given[number] * (0.5 * own.log_variance).exp()
            path = rung.add(path, latent, hot)  # type: ignore[operator]
            levels.append(LevelState(None, prior, latent))
        return Pass(self.decode(path), tuple(levels))

    def encode(self, windows: Tensor) -> list[Tensor]:
        """Features of every level, bottom first, each (nodes, B, features)."""
        graph = windows.transpose(0, 1) @ self.basis.T  # eq. 7
        found = []
        for layer in self.encoder:
            graph = layer(graph)
            found.append(graph)
        return found

    def decode(self, path: Tensor) -> Gaussian:
        """p(x | z) of the finished path: coefficients, then eq. 8."""
        mean, log_variance = self.out(self.last(path)).chunk(2, dim=-1)
        made = Gaussian.of(torch.cat([mean @ self.basis, log_variance @ self.basis], dim=-1))
        return Gaussian(*(part.transpose(0, 1) for part in made))

    def _by_level(self, latents: Tensor) -> list[Tensor]:
        """(count, D) as (nodes, count, features) of every level, from the top."""
        sizes = self.config.levels[::-1]
        parts = latents.split([nodes * features for nodes, features in sizes], dim=1)
        shapes = zip(parts, sizes, strict=True)
        return [part.view(len(latents), *size).transpose(0, 1) for part, size in shapes]

    def _one_hot(self, labels: Tensor | None, count: int) -> Tensor | None:
        """(B, C), zeros where there is no class; None for a model without classes."""
        classes = len(self.config.labels)
        if not classes:
            return None
        hot = self.start.new_zeros(count, classes)
        if labels is None:
            return hot
        known = labels >= 0
        return hot.masked_scatter(
            known[:, None].expand(-1, classes),
            torch.nn.functional.one_hot(labels[known], classes).to(hot.dtype),
        )
