"""Rows of the tables of prediction and interpolation: each learns once a seed, and then fills moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from kineme.evaluate.forecast_folds import ForecastFolds
from kineme.evaluate.learned import PACKAGED, A4MerRow
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.config import PRESETS as MODELS
from kineme.models.a4mer.heads.bank import HeadBank, Kind, query_of
from kineme.models.a4mer.heads.config import PRESETS, HeadConfig
from kineme.models.a4mer.heads.head import Head
from kineme.models.a4mer.learner import A4MerLearner
from kineme.models.predictors.direct import direct_mlp, direct_transformer
from kineme.nn.curve_net import CurveNet
from kineme.nn.decoder import Memory
from kineme.nn.moments import Cuts, Moments, history, lift_over, moments
from kineme.nn.recall import nearest

#: moments and times -> what networks see of them, and channels (B, T, 66) in that frame of reference
Fill = Callable[[Cuts, np.ndarray], tuple[Moments, np.ndarray]]
#: moments that plain retrieval averages, and how far the movement stays where it was: the best on val
NEIGHBOURS, OFFSET = 16, 0.5
#: steps of the direct networks: as much time as a head has with its tokens, or more
STEPS = {"direct MLP": 800, "direct Transformer": 400, "direct MLP, recalled poses": 400}
#: steps where time is no object: the MLP's error at 4 s stops falling on the val takes of `joined`, and the
#: Transformer, level with the MLP at equal steps, has eight times its own (docs/papers/a4mer.md)
LONGER = {"direct MLP, trained longer": 12800, "direct Transformer, trained longer": 3200}
#: the head's, beside those: eight times its own, too
HEAD_LONGER = 3200
_CHUNK = 256


def in_parts(fill: Fill, cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
    """The answers to many moments, a few hundred at a time."""
    from kineme.models.a4mer.heads.bank import only, parts

    made = moments(cuts, times, 2, 1, 4.0)
    found = [fill(only(cuts, part), times)[1] for part in parts(len(cuts.now), _CHUNK)]
    return made, np.concatenate(found)


def _lift(cuts: Cuts, config: HeadConfig) -> torch.Tensor:
    return torch.from_numpy(lift_over(cuts, config.waves, config.longest))


@dataclass(frozen=True)
class Simple:
    """What needs no training: the base of the ends, or a part of it.

    how : ``hold`` (the last pose), ``move`` (its velocity goes on), ``nearest`` (of a gap's ends) or
    ``cubic`` (Hermite).
    """

    name: str
    how: Literal["hold", "move", "nearest", "cubic"]

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """Nothing."""

        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made = moments(cuts, times, 2, 1, 4.0)
            return made, self._blend(cuts, times) @ made.ends

        return fill

    def _blend(self, cuts: Cuts, times: np.ndarray) -> np.ndarray:
        one, zero = np.ones(len(times)), np.zeros(len(times))
        if self.how == "hold":
            rows = [one, zero]
        elif self.how == "move":
            rows = [one, np.asarray(times)]
        else:
            s, gap = np.asarray(times) / cuts.gap, cuts.gap
            if self.how == "nearest":
                rows = [(s < 0.5).astype(float), (s >= 0.5).astype(float), zero, zero]
            else:
                rows = [
                    2 * s**3 - 3 * s**2 + 1, 3 * s**2 - 2 * s**3,
                    (s**3 - 2 * s**2 + s) * gap, (s**3 - s**2) * gap,
                ]  # fmt: skip
        return np.stack(rows, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Retrieval:
    """The mean of what followed the nearest moments, by their poses and velocities."""

    kind: Kind
    config: HeadConfig
    name: str = "k-NN retrieval"

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """The training moments."""
        bank = folds.bank("poses", lambda: None, self.config, self.kind)
        sides = bank.sides

        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made = moments(cuts, times, 2, self.config.waves, self.config.longest)
            query = query_of(None, cuts, made)
            found = bank.library.of(nearest(query, bank.library, NEIGHBOURS, sides))
            moved = (found.ends - query.ends[:, None]).mean(1)
            weights = found.weights.float().mean(1) + OFFSET * torch.einsum(
                "kec,bec->bkc", _lift(cuts, self.config), moved
            )
            return made, made.base + (torch.from_numpy(made.waves) @ weights).numpy()

        return fill


@dataclass(frozen=True)
class Direct:
    """A network that sees poses alone."""

    name: str
    kind: Kind
    config: HeadConfig

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """Trained on the same moments as the heads."""
        from kineme.train.heads import train_curves

        config, sides = self.config, self._sides
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._network(config)
        recalls = network.recall is not None
        bank: HeadBank = folds.bank("poses", lambda: None, config, self.kind)
        if not recalls:
            bank = replace(bank, neighbours=bank.neighbours[:, :0])
        folder = run / f"{self.kind}-{self.name.replace(' ', '-').replace(',', '')}-{seed}"
        net = train_curves(
            network, bank, config, folder, self._memory, seed=seed, settings={"name": self.name}
        )

        @torch.no_grad()
        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made = moments(cuts, times, config.near, config.waves, config.longest)
            recalled = None
            if recalls:
                query = query_of(None, cuts, made)
                index = nearest(query, bank.library, config.recalled, sides)
                recalled = query, bank.library.of(index), _lift(cuts, config)
            near, about = torch.from_numpy(made.near), torch.from_numpy(made.about)
            weights = net(near, about, self._memory(cuts, 0, torch.zeros(0)), recalled)
            return made, made.base + (torch.from_numpy(made.waves) @ weights).numpy()

        return fill

    @property
    def _sides(self) -> int:
        return 1 if self.kind == "predictor" else 2

    @property
    def _attends(self) -> bool:
        return "Transformer" in self.name

    def _network(self, config: HeadConfig) -> CurveNet:
        if self._attends:
            return direct_transformer(self._sides, config.near, config.waves)
        return direct_mlp(self._sides, config.near, config.waves, recalled="recalled" in self.name)

    def _memory(self, cuts: Cuts, group: int, which: torch.Tensor) -> Memory | None:
        if not self._attends:
            return None
        items, times, known = history(cuts, self.config.context_seconds, 5.0)
        count = len(items)
        return Memory(
            torch.from_numpy(items), torch.from_numpy(times).expand(count, -1), torch.from_numpy(known)
        )


@dataclass(frozen=True)
class HeadRow:
    """A head on a trained A4Mer, or on one with random weights."""

    name: str
    kind: Kind
    config: HeadConfig
    weights: Literal["trained", "random"]
    models: Path
    preset: str = "small"

    def base(self, folds: ForecastFolds, seed: int) -> A4Mer:
        """The model of this seed."""
        config = MODELS[self.preset]
        if self.weights == "trained":
            return A4MerRow(self.preset, "trained", self.models).fit(folds.fold, seed).model  # type: ignore[return-value]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = A4MerLearner(config)
        learner.fit_normalisation(folds.sources[0][0], seed)
        return A4Mer(config, learner.average)

    def tokens(self, seed: int) -> str:
        """Names the model; of either route: what is recalled by is found once."""
        return f"{self.weights}-{seed}"

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """Trained on the tokens of the model."""
        from kineme.train.heads import train_head

        base = self.base(folds, seed)
        bank = folds.bank(self.tokens(seed), lambda: base.network, PRESETS["small"], self.kind)
        folder = run / f"{self.kind}-{self.config.route}-{self.weights}-{seed}"
        head = train_head(base, bank, self.config, self.kind, folder, seed=seed)

        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made, found = head.curves(cuts, times)
            return made, found[:, 0]

        return fill


@dataclass(frozen=True)
class PackageRow:
    """The head that comes with the package, which learned nothing from the tables' corpora but two people of
    `hdm05`; nothing is trained."""

    kind: Kind
    name: str = "A4Mer of the package"

    def fit(self, folds: ForecastFolds, seed: int, run: Path) -> Fill:
        """The shipped weights."""
        head = Head.named(PACKAGED, self.kind)

        def fill(cuts: Cuts, times: np.ndarray) -> tuple[Moments, np.ndarray]:
            made, found = head.curves(cuts, times)
            return made, found[:, 0]

        return fill


def learned_rows(
    kind: Kind, models: Path, preset: str = "small", steps: int = 0
) -> list[Direct | HeadRow | PackageRow]:
    """The trained rows of a table. `steps` : of every row, where it is not 0: the quick version, in which no
    A4Mer is trained either."""
    ours, paper = (replace(PRESETS[n], steps=steps or PRESETS[n].steps) for n in ("small", "paper"))
    weights = "random" if steps else "trained"
    return [
        *(
            Direct(name, kind, replace(ours, steps=steps or own, hidden=256))
            for name, own in (STEPS | LONGER).items()
        ),
        HeadRow("A4Mer", kind, ours, weights, models, preset),
        HeadRow(
            "A4Mer, trained longer", kind, replace(ours, steps=steps or HEAD_LONGER), weights, models, preset
        ),
        HeadRow("A4Mer, paper's head", kind, paper, weights, models, preset),
        HeadRow("A4Mer, random weights", kind, ours, "random", models, preset),
        PackageRow(kind),
    ]
