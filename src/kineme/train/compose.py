"""Training the model of coupled actions, and the small masked autoencoder of its refinement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from kineme.body import CapsuleBody
from kineme.body.posing import SkinnedBody, joints_of, rotation_of
from kineme.corpus.actions import Action
from kineme.models.compose.batch import PairBank, Pairs, split_frames, to_features
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.model import Composer
from kineme.models.compose.network import ComposeNetwork
from kineme.models.compose.objective import bound, divergence, reconstruction
from kineme.models.compose.refine import Refinement
from kineme.motion import SMPL22
from kineme.render.attention import attention_map, kept_patches
from kineme.render.camera import Camera, frontal
from kineme.render.mae import MaskedAutoencoder, save_mae, small_mae
from kineme.render.mae_config import MAEConfig
from kineme.render.points import render
from kineme.train.steps import Loss, train_steps

#: points on the body that refinement renders
POINTS = 7000
#: (network, what was drawn, share of the steps that is done, randomness of the step) -> loss and what to log
PairsLoss = Callable[[nn.Module, Pairs, float, np.random.Generator], tuple[Tensor, dict[str, Tensor]]]


class Trained(Protocol):
    """A model that learns from coupled sequences: its network, its card, and how it is saved."""

    card: str

    @property
    def network(self) -> nn.Module:
        """The weights."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model folder."""
        ...


M = TypeVar("M", bound=Trained)


def refinement(filler: MaskedAutoencoder, config: ComposeConfig, points: int = POINTS) -> Refinement:
    """The refinement loss on the standard body's capsules."""
    body = SkinnedBody(CapsuleBody().skin, points)
    return Refinement(body, filler, config.refine_share, config.refine_joints == "own")


def places(frames: Tensor) -> Tensor:
    """(..., 22, 3) metres of frames (..., F): the standard body's joints relative to the pelvis."""
    sixd, root = split_frames(frames)
    offsets = torch.from_numpy(SMPL22.offsets.copy()).to(frames)
    return joints_of(SMPL22.parents, offsets, rotation_of(sixd), torch.zeros_like(root))[0]


def rise(done: float, between: tuple[float, float]) -> float:
    """From 0 to 1 while the share `done` of the steps goes from the first of `between` to the second."""
    first, whole = between
    return min(1.0, max(0.0, (done - first) / (whole - first))) if whole > first else float(done >= first)


def likelihood(pairs: Pairs, decoded: Tensor, config: ComposeConfig) -> tuple[Tensor, dict[str, Tensor]]:
    """The negative log-likelihood of eq. 5 (12), up to constants and weights: of rotations, of the root as the
    network sees it, and of the joints' places; the sum, and each to be logged."""
    wanted, made = to_features(pairs.frames, config), to_features(decoded, config)
    told = {
        "reconstruction": reconstruction(wanted[..., :-3], made[..., :-3], pairs.valid),
        "root": reconstruction(wanted[..., -3:], made[..., -3:], pairs.valid),
    }
    total = told["reconstruction"] + config.root_weight * told["root"]
    if config.joints_weight:
        told["joints"] = reconstruction(places(pairs.frames), places(decoded), pairs.valid)
        total = total + config.joints_weight * told["joints"]
    return total, told


def pairs_loss(
    network: ComposeNetwork,
    pairs: Pairs,
    config: ComposeConfig,
    refine: Refinement | None,
    done: float,
    rng: np.random.Generator,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Eq. 5 (12), plus the refinement of eq. 7 (14) on a few frames where there is one; `done` : the share of the
    steps, on which the weights depend."""
    made = network(pairs.frames, pairs.valid, pairs.actions)
    rebuilt, told = likelihood(pairs, made.decoded, config)
    told["divergence"] = divergence(made.posterior)
    loss = bound(rebuilt, told["divergence"], config.kl_weight * rise(done, config.kl_rise))
    refine_weight = config.refine_weight * rise(done, config.refine_rise)
    if refine is not None and refine_weight:
        rows, times = np.nonzero(pairs.valid.cpu().numpy())
        chosen = rng.choice(len(rows), size=min(config.refine_pictures, len(rows)), replace=False)
        told["refinement"] = refine(made.decoded, pairs, [(int(rows[k]), int(times[k])) for k in chosen])
        loss = loss + refine_weight * told["refinement"]
    return loss, told


def train_on_pairs(
    model: M,
    loss: PairsLoss,
    bank: PairBank,
    run: Path,
    *,
    settings: dict[str, Any],
    seed: int,
    card: str,
    progress: bool,
    trainer_options: dict[str, Any] | None,
    finish: Callable[[], None] = lambda: None,
) -> M:
    """Train `model` in place on what `bank` draws, by the bank's own settings, and write it to ``run/model``.

    settings : plain values; a run of others, or of other sequences, is not resumed (UsageError). finish : what is
    to be done with the trained network before it is written.
    """
    config = bank.config
    model.card = card
    model.network.requires_grad_(True)
    share = max(1, config.batch_size // int((trainer_options or {}).get("devices", 1)))

    def step(network: nn.Module, done: float, rng: np.random.Generator, device: torch.device):
        drawn = Pairs(*(value.to(device) for value in bank.draw(share, rng)))
        return loss(network, drawn, done, rng)

    first = train_steps(
        model.network,
        step,
        config.steps,
        run,
        learning_rate=config.learning_rate,
        settings={**settings, "sequences": [(a.name, len(a)) for a in bank.actions]},
        decay=config.decay,
        clip_norm=config.clip_norm,
        seed=seed,
        progress=progress,
        trainer_options=trainer_options,
    )
    if first:
        finish()
        model.save(run / "model")
    return model


def train_compose(
    actions: Sequence[Action],
    config: ComposeConfig,
    run: Path,
    *,
    filler: MaskedAutoencoder | None = None,
    filler_name: str = "",
    seed: int = 0,
    card: str = "",
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> Composer:
    """Train on coupled sequences and write the model to ``run/model``.

    filler : the frozen autoencoder of decoupling refinement; without one there is none. filler_name : what
    a run to resume must have had, too.
    Raises InputError for an action without sequences, UsageError where a run to resume does not fit.
    """
    bank = PairBank(actions, config)
    refine = None if filler is None else refinement(filler, config)

    def loss(network: nn.Module, pairs: Pairs, done: float, rng: np.random.Generator):
        assert isinstance(network, ComposeNetwork)
        placed = None if refine is None else refine.to(pairs.frames.device)
        return pairs_loss(network, pairs, config, placed, done, rng)

    model = Composer.random(config, seed)

    def finish() -> None:
        if config.prior == "fitted":
            model.fit_prior(bank, np.random.default_rng([seed, 2]))

    return train_on_pairs(
        model,
        loss,
        bank,
        run,
        settings={**config.to_dict(), "mae": filler_name},
        seed=seed,
        card=card,
        progress=progress,
        trainer_options=trainer_options,
        finish=finish,
    )


def picture_masks(joints: Tensor, config: MAEConfig, camera: Camera, rng: np.random.Generator) -> Tensor:
    """(B, P) bool patches to see of pictures of bodies with joints (B, 22, 3): near a few joints, or
    random."""
    side = config.size // config.patch
    energies = torch.from_numpy(rng.random((len(joints), 22)) ** 8).to(joints)  # a few of them count
    pixels, _ = camera.project(frontal(joints, joints))
    near = kept_patches(attention_map(pixels, energies, config.size), config.patch, config.share)
    order = torch.from_numpy(rng.random((len(joints), side * side))).to(joints)
    anywhere = torch.zeros_like(near).scatter_(1, order.argsort(1)[:, : int(near[0].sum())], True)
    attended = torch.from_numpy(rng.random(len(joints)) < config.attended).to(joints.device)
    return torch.where(attended[:, None], near, anywhere)


def mae_loss(poses: Sequence[Action], config: MAEConfig) -> Loss:
    """The mean square of what is hidden, of pictures of poses drawn from all sequences (He et al., 2022)."""
    body, camera = SkinnedBody(CapsuleBody().skin, config.points), Camera(size=config.size)
    rotations = np.concatenate([action.rotations for action in poses])
    roots = np.concatenate([action.root for action in poses])

    def loss(network: nn.Module, _: float, rng: np.random.Generator, device: torch.device):
        drawn = np.sort(rng.integers(len(roots), size=config.batch_size))
        with torch.no_grad():
            posed = body.to(device)(*(torch.from_numpy(a[drawn]).to(device) for a in (rotations, roots)))
            pictures = render(posed, camera)
            kept = picture_masks(posed.joints, config, camera, rng)
        made = network(pictures, kept)
        side = config.size // config.patch
        hidden = (
            (~kept).view(-1, side, side).repeat_interleave(config.patch, 1).repeat_interleave(config.patch, 2)
        )
        square = ((made - pictures).square() * hidden).sum() / hidden.sum()
        return square, {"hidden_square": square}

    return loss


def train_mae(
    poses: Sequence[Action],
    config: MAEConfig,
    run: Path,
    *,
    seed: int = 0,
    card: str = "",
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> MaskedAutoencoder:
    """Train the small autoencoder on pictures of a corpus and write it to ``run/model``."""
    mae = small_mae(config, seed)
    first = train_steps(
        mae,
        mae_loss(poses, config),
        config.steps,
        run,
        learning_rate=config.learning_rate,
        settings={**config.to_dict(), "frames": sum(map(len, poses))},
        decay=True,
        seed=seed,
        progress=progress,
        trainer_options=trainer_options,
    )
    if first:
        save_mae(mae, config, run / "model", card)
    return mae
