"""A4Mer as rows of a table: trained, and its twin with random weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kineme.errors import InputError
from kineme.evaluate.encoders import Tokens
from kineme.evaluate.representation import Fold
from kineme.evaluate.runs import slug
from kineme.evaluate.sources import digest
from kineme.formats.atomic import atomic_write
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.config import PRESETS, A4MerConfig
from kineme.models.a4mer.folder import find_model
from kineme.models.a4mer.learner import A4MerLearner
from kineme.models.a4mer.model import A4Mer, standard_positions
from kineme.motion import Motion

#: the name of the package's own weights
PACKAGED = "a4mer-small"
#: settings of a model that are named where they are not those of its row
_NAMED = 3


def take_bank(motions: list[Motion]) -> TakeBank:
    """World positions of the takes that a model trains on."""
    return TakeBank([standard_positions(motion) for motion in motions], motions[0].fps)


def random_model(config: A4MerConfig, bank: TakeBank, seed: int) -> A4Mer:
    """What training with this seed starts from, with a vocabulary mined as a trained model's is."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = A4MerLearner(config)
    learner.fit_normalisation(bank, seed)
    model = A4Mer(config, learner.average)
    takes = np.split(bank.positions, bank.offsets[1:-1])
    return model.with_vocabulary([model.encode_atoms(take, bank.fps) for take in takes], seed)


@dataclass(frozen=True)
class A4MerRow:
    """One preset, trained on a fold's training motions or not at all.

    Attributes
    ----------
    models : folder of trained models, ``<training>/<preset>-<seed>/model``; what is missing is trained there.
    variant : settings that are none of a preset's, under the name `preset`.
    """

    preset: str
    weights: Literal["trained", "random"]
    models: Path
    variant: A4MerConfig | None = None

    @property
    def name(self) -> str:
        """As in the table."""
        whose = f"A4Mer {self.preset}" if self.variant is None else self.preset
        return whose + (", random weights" if self.weights == "random" else "")

    @property
    def config(self) -> A4MerConfig:
        """The settings of the model."""
        return PRESETS[self.preset] if self.variant is None else self.variant

    @property
    def code(self) -> tuple[str, ...]:
        """The model's own sources."""
        return ("evaluate/learned.py", "evaluate/encoders.py", "tasks/*.py", "models/a4mer/*.py", "nn/*.py")

    def _run(self, fold: Fold, seed: int) -> Path:
        return self.models / fold.training / f"{slug(self.preset)}-{seed}"

    def state(self, fold: Fold, seed: int) -> str:
        """Checksum of the trained model's files; empty before it is trained."""
        files = sorted((self._run(fold, seed) / "model").glob("*.*")) if self.weights == "trained" else []
        return digest(files) if files else ""

    def fitted_on(self, fold: Fold) -> str:
        """The fold's training."""
        return fold.training

    def fit(self, fold: Fold, seed: int) -> Tokens:
        """The model of this fold and seed: read from `models`, or made now.

        Raises InputError where the one in `models` was trained on another corpus or with other settings.
        """
        config = self.config
        motions = list(fold.training_motions)
        if self.weights == "random":
            return Tokens(random_model(config, take_bank(motions), seed))
        run = self._run(fold, seed)
        stamp = run / "trained_on.txt"
        if stamp.is_file() and stamp.read_text(encoding="utf-8").strip() != fold.training_checksum:
            raise InputError(
                "this model was trained on another version of the corpus; delete its folder", run
            )
        if (run / "model" / "config.json").is_file():
            model = A4Mer.load(run / "model")
            _check_settings(model.config, config, run)
            return Tokens(model)
        from kineme.train.a4mer import train_a4mer

        run.mkdir(parents=True, exist_ok=True)
        with atomic_write(stamp) as part:
            part.write_text(fold.training_checksum + "\n", encoding="utf-8")
        return Tokens(train_a4mer(take_bank(motions), config, run, seed=seed))


def _check_settings(had: A4MerConfig, asked: A4MerConfig, run: Path) -> None:
    """Raises InputError where a trained model is not of the settings that a row is about."""
    mine, theirs = asked.to_dict(), had.to_dict()
    other = [f"{name} {theirs[name]!r}, not {mine[name]!r}" for name in mine if theirs[name] != mine[name]]
    if other:
        more = f" and {len(other) - _NAMED} more" if len(other) > _NAMED else ""
        raise InputError(
            f"this model was trained with other settings ({'; '.join(other[:_NAMED])}{more}); delete its folder, or "
            "name another one for trained models",
            run,
        )


@dataclass(frozen=True)
class Remined:
    """A trained model with the words of the corpus at hand, as `kineme index --mine` gives it.

    Codes, patterns and motifs are mined, without labels, in the fold's own training takes; where there are
    none, in the very takes that are cut. The weights are those of `row`.
    """

    row: A4MerRow

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.row.name}, re-mined"

    @property
    def code(self) -> tuple[str, ...]:
        """As of the model."""
        return self.row.code

    def state(self, fold: Fold, seed: int) -> str:
        """As of the model."""
        return self.row.state(fold, seed)

    def fitted_on(self, fold: Fold) -> str:
        """The corpus itself."""
        return f"{fold.corpus} {fold.name}"

    def fit(self, fold: Fold, seed: int) -> Tokens:
        """The model of this fold and seed with a vocabulary of its own."""
        model: Any = self.row.fit(fold, seed).model
        motions = [take.motion for take in fold.train or fold.test]
        atoms = [model.encode_atoms(standard_positions(motion), motion.fps) for motion in motions]
        return Tokens(model.with_vocabulary(atoms, seed))


@dataclass(frozen=True)
class Packaged:
    """The weights that come with the package, with the words of the corpus at hand: what `kineme index` does.

    They have seen nothing of `joined` and `86_01`, and of `hdm05` the training takes only.
    """

    name: str = "A4Mer of the package, re-mined"

    @property
    def code(self) -> tuple[str, ...]:
        """As of other models."""
        return A4MerRow("small", "trained", Path()).code

    def state(self, fold: Fold, seed: int) -> str:
        """Checksum of the weights."""
        return digest(sorted(find_model(PACKAGED).glob("*.safetensors")))

    def fitted_on(self, fold: Fold) -> str:
        """The corpus itself."""
        return f"{fold.corpus} {fold.name}"

    def fit(self, fold: Fold, seed: int) -> Tokens:
        """The weights, with a vocabulary mined in the fold's training takes, or else in its test takes."""
        model = A4Mer.from_pretrained(PACKAGED)
        motions = [take.motion for take in fold.train or fold.test]
        atoms = [model.encode_atoms(standard_positions(motion), motion.fps) for motion in motions]
        return Tokens(model.with_vocabulary(atoms, seed))
