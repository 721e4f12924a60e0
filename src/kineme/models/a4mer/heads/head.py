"""Heads that go on, and that fill gaps: what the tasks ask, whatever the route."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.place import RELATIVE
from kineme.errors import InputError, UsageError
from kineme.models.a4mer.folder import find_model
from kineme.models.a4mer.heads.bank import Kind, encode_cuts, query_of
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.folder import head_folder, read_head, train_command, write_head
from kineme.models.a4mer.heads.packed import pack_library, unpack_library
from kineme.models.a4mer.heads.paper import TokenInterpolator, TokenPredictor
from kineme.models.a4mer.heads.paper_motion import bridged_tokens, rolled_out
from kineme.models.a4mer.heads.tokens import padded
from kineme.models.a4mer.model import A4Mer
from kineme.nn.curve_net import CurveNet, Inputs, shape_for
from kineme.nn.decoder import Memory
from kineme.nn.moments import Cuts, Moments, lift_over, moments
from kineme.nn.recall import Library, nearest

#: how boldly moments are drawn for samples: their scores are divided by it
TEMPERATURE = 2.0


@dataclass(eq=False)
class Head:
    """A predictor or an interpolator on the frozen tokens of an A4Mer.

    Attributes
    ----------
    kind : which of the two. config : its settings. base : the model whose tokens it reads. network : its own
        weights. library : what it recalls; None where it recalls nothing. card : text of its card.
    """

    kind: Kind
    config: HeadConfig
    base: A4Mer
    network: nn.Module
    library: Library | None = None
    card: str = ""

    @property
    def sides(self) -> int:
        """1 for what follows, 2 for a gap."""
        return 1 if self.kind == "predictor" else 2

    @torch.no_grad()
    def curves(
        self, cuts: Cuts, times: np.ndarray, samples: int = 1, seed: int = 0
    ) -> tuple[Moments, np.ndarray]:
        """How the moments of `cuts` go on, or through their gaps, at `times` (T,) seconds after them.

        Returns the moments, and channels (B, samples, T, 66) in their frame of reference: first the answer
        that is right on average, then ways in which it may go, drawn by `seed`.
        """
        made = moments(cuts, times, self.config.near, self.config.waves, self.config.longest)
        if isinstance(self.network, TokenPredictor):
            return made, rolled_out(self.network, self.base.network, cuts, made, self.config, samples, seed)
        if isinstance(self.network, TokenInterpolator):
            found = bridged_tokens(self.network, self.base.network, cuts, made, self.config)
            return made, np.repeat(found[:, None], samples, axis=1)
        assert isinstance(self.network, CurveNet)
        return made, self._curves(cuts, made, samples, seed)

    def _curves(self, cuts: Cuts, made: Moments, samples: int, seed: int) -> np.ndarray:
        net = self.network
        assert isinstance(net, CurveNet)
        atoms = encode_cuts(self.base.network, cuts, self.config.context_seconds)
        near, about = torch.from_numpy(made.near), torch.from_numpy(made.about)
        memory = None
        if self.config.layers:
            seen = padded(atoms)
            memory = Memory(torch.cat([seen.z, seen.h], dim=-1), seen.times, seen.mask)
        recalled = None
        if self.library is not None:
            query = query_of(atoms, cuts, made)
            index = nearest(query, self.library, self.config.recalled, self.sides)
            recalled = query, self.library.of(index), self._lift(cuts)
        weights = [net(near, about, memory, recalled)]
        if samples > 1 and recalled is not None and net.recall is not None:
            scores = net.recall.scores(*recalled[:2])
            for shares in draw_shares(scores, samples - 1, seed):
                weights.append(net(near, about, memory, recalled, shares))
        while len(weights) < samples:  # nothing to draw from
            weights.append(weights[0])
        waves = torch.from_numpy(made.waves)
        return made.base[:, None] + torch.stack([waves @ w for w in weights], dim=1).numpy()

    @torch.no_grad()
    def recall_distance(self, cuts: Cuts) -> np.ndarray:
        """(B,) metres between the poses beside each stretch and those of the nearest moment that is recalled
        for it, mean over joints; nan where the head recalls nothing."""
        if self.library is None:
            return np.full(len(cuts.now), np.nan)
        made = moments(cuts, np.zeros(1), self.config.near, self.config.waves, self.config.longest)
        query = query_of(encode_cuts(self.base.network, cuts, self.config.context_seconds), cuts, made)
        found = self.library.of(nearest(query, self.library, 1, self.sides)[:, 0])
        apart = (found.ends - query.ends)[:, : self.sides, :RELATIVE].float()
        return apart.reshape(len(apart), -1, 3).norm(dim=-1).mean(1).numpy()

    def _lift(self, cuts: Cuts) -> Tensor:
        return torch.from_numpy(lift_over(cuts, self.config.waves, self.config.longest))

    def save(self, model_folder: Path) -> Path:
        """Write the head into its model's folder; returns the head's own folder."""
        state = {k: v.cpu().to(torch.float16).numpy() for k, v in self.network.state_dict().items()}
        if self.library is not None:
            state |= pack_library(self.library, self.config.rank)
        return write_head(model_folder, self.kind, self.config.to_dict(), state, self.card)

    @classmethod
    def named(cls, head: Head | str | Path, kind: Kind) -> Head:
        """The head itself, or that of a model's folder, of a model of the package or of a hub.

        Raises InputError where the model lacks it.
        """
        return head if isinstance(head, Head) else cls.load(find_model(head), kind)

    @classmethod
    def load(cls, model_folder: Path, kind: Kind, base: A4Mer | None = None) -> Head:
        """Read a model's head. Raises InputError where it lacks it, or it is damaged."""
        settings, arrays, card = read_head(model_folder, kind)
        folder = head_folder(model_folder, kind)
        try:
            config = HeadConfig.from_dict(settings)
        except UsageError as error:
            raise InputError(f"{error}; make it again with `{train_command(kind)}`", folder) from None
        base = A4Mer.load(model_folder) if base is None else base
        network = make_network(config, base, kind)
        library, arrays = unpack_library(arrays, folder)
        state = {name: torch.from_numpy(np.array(a)).float() for name, a in arrays.items()}
        shapes = {name: v.shape for name, v in network.state_dict().items()}
        if {name: v.shape for name, v in state.items()} != shapes:
            again = f"make it again with `{train_command(kind)}`"
            raise InputError(f"does not fit its settings; {again}", folder)
        network.load_state_dict(state)
        return cls(kind, config, base, network.eval().requires_grad_(False), library, card)


def draw_shares(scores: Tensor, count: int, seed: int) -> list[Tensor]:
    """`count` times shares (B, n, K) that follow one moment each, none twice while there are others.

    A moment is drawn by its score, mean over the waves: the Gumbel trick takes the `count` largest of scores
    with noise, which is drawing without replacement.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(scores.shape[:2], generator=generator).clamp(1e-6, 1 - 1e-6)
    keys = scores.mean(-1) / TEMPERATURE - (-noise.log()).log()
    order = keys.argsort(dim=1, descending=True)
    made = []
    for k in range(count):
        one = order[:, k % order.shape[1]]
        shares = nn.functional.one_hot(one, scores.shape[1]).float()
        made.append(shares[..., None].expand_as(scores))
    return made


def make_network(config: HeadConfig, base: A4Mer, kind: Kind) -> nn.Module:
    """A head's network with fresh weights."""
    width = base.config.width
    if config.route == "tokens":
        if kind == "predictor":
            return TokenPredictor(config, width, base.config.max_frames)
        return TokenInterpolator(config, width)
    return curve_net(config, kind, items=2 * width, keys=True)


def curve_net(config: HeadConfig, kind: Kind, items: int, keys: bool) -> CurveNet:
    """The network of curves; `items` wide is the memory that its layers attend to, and `keys` says whether
    moments are recalled by tokens, too."""
    sides = 1 if kind == "predictor" else 2
    shape = shape_for(
        sides, config.near, config.waves, config.hidden, config.layers, width=config.width,
        heads=config.heads, dropout=config.dropout,
    )  # fmt: skip
    recalled = (3 * sides if keys else 0) if config.recalled else None
    return CurveNet(shape, Inputs(sides, items if config.layers else 0, recalled))
