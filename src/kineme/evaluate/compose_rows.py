"""The rows of the tables on coupled actions: what makes sequences of the composed classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kineme.evaluate.compose_sets import ComposeSet
from kineme.evaluate.runs import kept, slug
from kineme.models.compose.batch import PairBank, Pairs, couple_frames
from kineme.models.compose.config import PLUS, ComposeConfig
from kineme.models.compose.coupling import joint_share
from kineme.models.compose.energy import SCHEMES, motion_energy
from kineme.models.compose.model import Composer
from kineme.models.compose.motionclip import MotionCLIP, MotionCLIPConfig
from kineme.render.mae import MaskedAutoencoder, load_mae
from kineme.render.mae_config import MAEConfig
from kineme.render.mae_folder import SMALL
from kineme.train.compose import places, train_compose, train_mae
from kineme.train.motionclip import train_motionclip


class Sequences(NamedTuple):
    """What a row made: frames (n, T, F), and which of them are real, valid (n, T) bool."""

    frames: Tensor
    valid: Tensor


#: (set, classes (n,), frames of each (n,), seed of the samples) -> what was made; recorded clips last as long
#: as they do, whatever is asked for
Maker = Callable[[ComposeSet, np.ndarray, list[int], int], Sequences]
#: the row that is told in words
TOLD = "MotionCLIP"


@dataclass(frozen=True)
class Bench:
    """What the rows share: the settings that they start from, and where models are kept.

    Attributes
    ----------
    config : of the model. mae : of an autoencoder to be trained on the set; None is the package's, which has
    seen none of it. folder : of trained models. seed : of their training. say : for progress. text : the text
    encoder of MotionCLIP, the small one where empty.
    """

    config: ComposeConfig
    mae: MAEConfig | None
    folder: Path
    seed: int
    say: Callable[[str], None] = lambda _: None
    text: str = ""

    def model(self, data: ComposeSet, tag: str, refine: bool = False, **changes) -> Composer:
        """The model of a row; it is trained where it is not there yet."""
        config = replace(self.config, labels=data.labels, **changes)
        run = self.folder / data.name / f"{tag}-{self.seed}"
        if (held := kept(Composer.load, run, config)) is not None:
            return held
        self.say(f"training {tag}, seed {self.seed}, on {data.name}")
        filler = self.filler(data) if refine else None
        return train_compose(
            data.train, config, run, filler=filler, filler_name=SMALL if refine else "", seed=self.seed,
            progress=False,
        )  # fmt: skip

    def text_model(self, data: ComposeSet) -> MotionCLIP:
        """MotionCLIP on the single actions and their names; trained where it is not there yet."""
        config = MotionCLIPConfig(replace(self.config, labels=data.labels), self.text)
        tag = f"motionclip-{slug(self.text)}" if self.text else "motionclip"
        run = self.folder / data.name / f"{tag}-{self.seed}"
        if (held := kept(MotionCLIP.load, run, config)) is not None:
            return held
        self.say(f"training {tag}, seed {self.seed}, on {data.name}")
        return train_motionclip(data.train, config, run, seed=self.seed, progress=False)

    def filler(self, data: ComposeSet) -> MaskedAutoencoder:
        """The autoencoder that refines: the package's, or a small one trained on the set's sequences."""
        if self.mae is None:
            return load_mae(SMALL)
        run = self.folder / data.name / "mae"
        if not (run / "model" / "config.json").is_file():
            self.say(f"training the autoencoder on {data.name}")
            train_mae(data.train, self.mae, run, progress=False)
        return load_mae(run / "model")


def rows(bench: Bench) -> dict[str, Maker]:
    """Every row by name, in the paper's order."""
    return {
        "real": lambda data, classes, counts, seed: Sequences(data.test.frames, data.test.valid),
        "coupled training clips, no model": _clips(bench),
        "ACTOR + mask": _actor(bench),
        "latent disentanglement": _model(bench, "half", rates="half"),
        TOLD: _motionclip(bench),
        "ours, without refinement": _model(bench, "ours"),
        "ours, z from N(0, I)": _model(bench, "ours", normal=True),
        "ours, with refinement": _model(bench, "refined", refine=True),
        "all classes": _model(bench, "all", full=True),
        "uniform lambda": _model(bench, "uniform", rates="uniform"),
        "no mask": _model(bench, "unmasked", masks=False),
    }


def _clips(bench: Bench) -> Maker:
    """The recipe that made the test set, on the training clips: nothing is learnt."""

    def make(data: ComposeSet, classes: np.ndarray, counts: list[int], seed: int) -> Sequences:
        config = replace(bench.config, labels=data.labels, pairs=data.pairs)
        bank, rng = PairBank(data.train, config), np.random.default_rng([seed, 33])
        members = [
            tuple(int(rng.choice(bank.members[label])) for label in bank.pairs[number]) for number in classes
        ]
        rates = torch.full((len(members),), 0.5)
        made = bank.couple(members, rates, rng)  # type: ignore[arg-type]  # pairs are two
        return Sequences(made.frames, made.valid)

    return make


def _model(
    bench: Bench, tag: str, *, refine: bool = False, full: bool = False, normal: bool = False, **changes
) -> Maker:
    """Samples of a model trained on coupled sequences; `full` : of all pairs, not of the composed classes; `normal` :
    from the prior of its training."""

    def make(data: ComposeSet, classes: np.ndarray, counts: list[int], seed: int) -> Sequences:
        model = bench.model(data, tag, refine, pairs=() if full else data.pairs, **changes)
        model = model.with_normal_prior() if normal else model
        return _lasting(model.sample([data.pairs[number] for number in classes], counts, seed), counts)

    return make


def _actor(bench: Bench) -> Maker:
    """ACTOR on single actions; two samples are coupled by the energies that they have."""

    def make(data: ComposeSet, classes: np.ndarray, counts: list[int], seed: int) -> Sequences:
        model = bench.model(data, "actor", singles=1.0)
        texts = [data.pairs[number].split(PLUS) for number in classes]
        made = [model.sample([text[k] for text in texts], counts, 2 * seed + k) for k in range(2)]
        return _lasting(couple_samples(made[0], made[1], counts, model.config), counts)

    return make


def _motionclip(bench: Bench) -> Maker:
    """MotionCLIP, told *A while B*. Nothing is drawn: a class has one sequence a length."""
    held: dict[str, MotionCLIP] = {}  # a text model takes long to load

    def make(data: ComposeSet, classes: np.ndarray, counts: list[int], seed: int) -> Sequences:
        if data.name not in held:
            held[data.name] = bench.text_model(data)
        return _lasting(held[data.name].sample([data.pairs[number] for number in classes], counts), counts)

    return make


def _lasting(frames: Tensor, counts: Sequence[int]) -> Sequences:
    """Frames (n, T, F) that are real for so many each."""
    return Sequences(frames, torch.arange(frames.shape[1])[None] < torch.tensor(counts)[:, None])


def couple_samples(first: Tensor, second: Tensor, counts: Sequence[int], config: ComposeConfig) -> Tensor:
    """Sequences (n, T, F) coupled by their own energies, lambda one half; zero past their `counts`."""
    energies = [
        torch.from_numpy(
            np.stack(
                [
                    motion_energy(row[:count], SCHEMES[config.division])
                    for row, count in zip(places(frames).numpy(), counts, strict=True)
                ]
            )
        ).float()
        for frames in (first, second)
    ]
    share = joint_share(energies[0], energies[1], torch.full((len(first),), 0.5))
    made = couple_frames(first, second, share, config)
    return made * (torch.arange(first.shape[1])[None] < torch.tensor(counts)[:, None])[..., None]


def lengths(pairs: Pairs) -> list[int]:
    """Frames of each sequence."""
    return pairs.valid.sum(1).tolist()
