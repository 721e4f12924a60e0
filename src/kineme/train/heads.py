"""Training of A4Mer's heads that go on and that fill gaps, and of the direct networks beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.place import RELATIVE
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.heads.bank import HeadBank, Kind, only
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, make_network
from kineme.models.a4mer.heads.paper import TokenInterpolator, TokenPredictor
from kineme.models.a4mer.heads.paper_motion import context_columns, owners
from kineme.nn.curve_net import CurveNet, curve_loss, distances
from kineme.nn.decoder import Memory
from kineme.nn.moments import Cuts, Moments, lift_over, moments, truth
from kineme.train.networks import Course, StepLoss, train_network

#: moments by which the scales of inputs and outputs are set
_SAMPLE = 1024

#: cuts of a step -> what a network attends to besides the poses beside the stretch
MemoryOf = Callable[[Cuts, int, Tensor], Memory | None]


def course_of(config: HeadConfig) -> Course:
    """How a head trains."""
    return Course(config.steps, config.learning_rate, config.weight_decay)


def _moments(
    bank: HeadBank, config: HeadConfig, group: int, which: np.ndarray
) -> tuple[Cuts, Moments, Tensor]:
    cuts = only(bank.groups[group], which)
    made = moments(cuts, bank.times[group], config.near, config.waves, config.longest)
    return cuts, made, torch.from_numpy(truth(cuts, made))


def _sample(bank: HeadBank, config: HeadConfig) -> list[tuple[Cuts, Moments, Tensor]]:
    """Moments of all groups alike."""
    rng = np.random.default_rng(0)
    each = max(1, _SAMPLE // len(bank.groups))
    return [
        _moments(bank, config, g, rng.integers(len(cuts.now), size=min(each, len(cuts.now))))
        for g, cuts in enumerate(bank.groups)
    ]


def curve_step(bank: HeadBank, config: HeadConfig, memory_of: MemoryOf) -> StepLoss:
    """The loss of a `CurveNet` on a batch of moments of one group."""

    def loss(network: nn.Module, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        group, which = bank.draw(rng, config.batch_size)
        cuts, made, true = _moments(bank, config, group, which)
        rows = torch.from_numpy(which + int(bank.firsts[group]))
        recalled = None
        if bank.neighbours.shape[1]:
            query, found = bank.library.of(rows), bank.library.of(bank.neighbours[rows])
            recalled = query, found, torch.from_numpy(lift_over(cuts, config.waves, config.longest))
        near, about = torch.from_numpy(made.near), torch.from_numpy(made.about)
        if config.posture:
            assert isinstance(network, CurveNet)
            away = rng.standard_normal((len(near), 1, 1, near.shape[-1])).astype(np.float32)
            near = near + config.posture * network.std * torch.from_numpy(away)
        weights = network(near, about, memory_of(cuts, group, torch.from_numpy(which)), recalled)
        curve = torch.from_numpy(made.base) + torch.from_numpy(made.waves) @ weights
        total, joints = curve_loss(curve, true, config.root_weight)
        return total, {"mpjpe": joints * 1000}

    return loss


def train_curves(
    network: CurveNet,
    bank: HeadBank,
    config: HeadConfig,
    run: Path,
    memory_of: MemoryOf,
    *,
    seed: int = 0,
    settings: Any = None,
    progress: bool = False,
) -> nn.Module:
    """Train a network of curves, whatever it attends to; returns the moving average."""
    found = _sample(bank, config)
    near = torch.cat([torch.from_numpy(made.near).flatten(0, 1)[:, None] for _, made, _ in found])
    residual = torch.cat([(true - torch.from_numpy(made.base)).flatten(0, 1) for _, made, true in found])
    network.fit_scales(near, residual[None])
    loss = curve_step(bank, config, memory_of)
    trained = train_network(
        network, loss, course_of(config), run, settings=settings, seed=seed, progress=progress
    )
    assert isinstance(trained, CurveNet)
    trained.scale[:RELATIVE] *= config.direct  # where the body goes, its own velocity says best
    return trained


def atoms_memory(bank: HeadBank) -> MemoryOf:
    """The tokens of a moment's atoms."""

    def memory_of(cuts: Cuts, group: int, which: Tensor) -> Memory | None:
        seen = bank.seen[group].of(which)
        return Memory(torch.cat([seen.z, seen.h], dim=-1), seen.times, seen.mask)

    return memory_of


def train_head(
    base: A4Mer,
    bank: HeadBank,
    config: HeadConfig,
    kind: Kind,
    run: Path,
    *,
    seed: int = 0,
    card: str = "",
    progress: bool = False,
) -> Head:
    """A head on the frozen tokens of `base`; a run found in the folder `run` goes on where it stopped."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make_network(config, base, kind)
    settings = {"kind": kind, **config.to_dict(), "moments": bank.library.size}
    if isinstance(network, CurveNet):
        memory_of = atoms_memory(bank) if config.layers else (lambda *_: None)
        trained = train_curves(
            network, bank, config, run, memory_of, seed=seed, settings=settings, progress=progress
        )
        library = None
        if config.recalled:
            library = bank.library.of(kept_moments(bank, config.library, seed))
        return Head(kind, config, base, trained, library, card)
    make = _predictor_step if isinstance(network, TokenPredictor) else _interpolator_step
    loss = make(network, bank, config, base)
    trained = train_network(
        network, loss, course_of(config), run, settings=settings, seed=seed, progress=progress
    )
    return Head(kind, config, base, trained, None, card)


def kept_moments(bank: HeadBank, most: int, seed: int) -> Tensor:
    """Numbers of the moments that are kept with a head: all, or `most` drawn evenly over the takes."""
    count = bank.library.size
    if not most or most >= count:
        return torch.arange(count)
    order = np.random.default_rng([seed, 33]).permutation(count)[:most]
    return torch.from_numpy(np.sort(order))


def _predictor_step(network: nn.Module, bank: HeadBank, config: HeadConfig, base: A4Mer) -> StepLoss:
    assert isinstance(network, TokenPredictor)
    fps = base.config.fps
    cuts = bank.groups[0]
    some = np.random.default_rng(0).integers(len(cuts.now), size=256)
    columns, counts = context_columns(only(cuts, some), fps, config.context_seconds)
    real = columns[torch.arange(columns.shape[1]) < counts[:, None]]
    network.mean.copy_(real.mean(0))
    network.std.copy_(real.std(0).clamp(min=0.02))

    def loss(network: nn.Module, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, TokenPredictor)
        group, which = bank.draw(rng, config.batch_size)
        atoms = bank.seen[group].of(torch.from_numpy(which))
        few = which[: max(1, len(which) // 4)]  # the decoder sees a quarter: each holds fifty frames
        columns, _ = context_columns(only(bank.groups[group], few), fps, config.context_seconds)
        owner, place = owners(atoms.of(torch.arange(len(few))), columns.shape[1])
        total, joints = network.loss(atoms, columns, place, owner)
        return total, {"decoded": joints * 1000}

    return loss


def _interpolator_step(network: nn.Module, bank: HeadBank, config: HeadConfig, base: A4Mer) -> StepLoss:
    assert isinstance(network, TokenInterpolator)
    real = torch.cat([_departures(made, true).flatten(0, 1) for _, made, true in _sample(bank, config)])
    network.mean.copy_(real.mean(0))
    network.std.copy_(real.std(0).clamp(min=0.02))

    def loss(network: nn.Module, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        group, which = bank.draw(rng, config.batch_size)
        cuts, made, true = _moments(bank, config, group, which)
        atoms = bank.seen[group].of(torch.from_numpy(which))
        times = torch.from_numpy(made.times.astype(np.float32))
        joints, root = (
            part.mean() for part in distances(network(atoms, cuts.gap, times), _departures(made, true))
        )
        return joints + config.root_weight * root, {"mpjpe": joints * 1000}

    return loss


def _departures(made: Moments, true: Tensor) -> Tensor:
    """True channels, the pelvis' relative to the straight way."""
    share = torch.from_numpy((made.times / made.times[-1] * (1 - 1 / (len(made.times) + 1)))[:, None]).float()
    ends = torch.from_numpy(made.ends)
    way = ends[:, 0, None] * (1 - share) + ends[:, 1, None] * share
    return torch.cat([true[..., :63], true[..., 63:] - way[..., 63:]], dim=-1)
