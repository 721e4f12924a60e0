"""The small autoencoder learns where limbs are; masks are as many as refinement's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason='needs pip install "kineme[mae]"')

from kineme.corpus.actions import action_of
from kineme.render.camera import Camera
from kineme.render.mae_config import MAEConfig
from kineme.train.compose import picture_masks, train_mae
from kineme.train.steps import Loss
from small_compose import ACTIONS, take


@pytest.fixture(scope="module")
def poses():
    return [action_of(take(label, seed=k), label, 10.0) for label in ACTIONS for k in range(2)]


def test_hidden_limbs_are_filled_in(poses, tmp_path, monkeypatch) -> None:
    """Better than by one patch everywhere, which is all that an autoencoder without positions can do."""
    import kineme.train.compose as module

    real, seen = module.mae_loss, []

    def watched(*words) -> Loss:
        loss = real(*words)

        def keep(network, done, rng, device):
            value, told = loss(network, done, rng, device)
            seen.append(float(value.detach()))
            return value, told

        return keep

    monkeypatch.setattr(module, "mae_loss", watched)
    config = MAEConfig(
        size=64, patch=8, width=64, layers=2, heads=4, decoder_width=64, decoder_layers=1, points=800,
        steps=200, batch_size=8, learning_rate=2e-3,
    )  # fmt: skip
    train_mae(poses, config, tmp_path / "run", progress=False)
    assert np.mean(seen[-20:]) < 0.75 * np.mean(seen[30:70])  # the level of one patch everywhere
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()


def test_masks_are_near_joints_or_anywhere(poses) -> None:
    config = MAEConfig(size=64, patch=8)
    joints = torch.from_numpy(np.concatenate([a.positions for a in poses])[:30])
    rng, camera = np.random.default_rng(0), Camera(size=64)
    near = picture_masks(joints, replace(config, attended=1.0), camera, rng)
    anywhere = picture_masks(joints, replace(config, attended=0.0), camera, rng)
    assert near.sum(1).tolist() == anywhere.sum(1).tolist() == [21] * 30
    middle = (slice(None), slice(0, 8), slice(2, 6))  # of the picture, where the body is
    shares = [float(m.view(30, 8, 8)[middle].float().mean()) for m in (near, anywhere)]
    assert shares[0] > 0.45 > 0.4 > shares[1]
