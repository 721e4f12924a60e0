"""Model folders, and runs that are stopped and go on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kineme.errors import InputError, UsageError
from kineme.models.hgvae import HGVAE
from kineme.models.hgvae.config import CONDITIONAL
from small_hgvae import CONFIG, small_bank, small_hgvae


def test_a_folder_gives_the_same_model(tmp_path) -> None:
    model = small_hgvae()
    model.save(tmp_path / "model")
    again = HGVAE.load(tmp_path / "model")
    windows = model.normalise(small_bank().all().windows[:2])
    assert torch.equal(
        model.network(windows, sample=False).likelihood.mean,
        again.network(windows, sample=False).likelihood.mean,
    )
    assert again.config == model.config and again.calibration == model.calibration
    for name in ("noise", "gaussian"):
        held, wanted = getattr(again, name), getattr(model, name)
        torch.testing.assert_close(held.factors, wanted.factors, atol=1e-3, rtol=1e-3)
        assert torch.equal(held.variance, wanted.variance)
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "README.md",
        "checksums.json",
        "config.json",
        "model.safetensors",
    ]
    small_hgvae(calibrated=False).save(tmp_path / "model")  # replaces it


def test_a_folder_of_before_the_class_could_enter_everywhere_is_read_as_it_was(tmp_path) -> None:
    model = small_hgvae(labels=("walk", "run"))
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    held = json.loads(path.read_text())
    for name in ("condition", "free_bits", "label_dropout", "class_balance"):
        del held["settings"][name]
    path.write_text(json.dumps(held))
    (tmp_path / "model" / "checksums.json").unlink()
    again = HGVAE.load(tmp_path / "model")
    assert again.config == model.config and again.config.condition == "top"
    assert np.array_equal(again.sample(2, "run"), model.sample(2, "run"))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"model": "a4mer"}, "another kind"),
        ({"format": 99}, "newer kineme"),
        ({"settings": {"colour": 1}}, "unknown HG-VAE setting"),
        ({"calibration": {"window": 1}}, "damaged calibration"),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, change, message) -> None:
    small_hgvae().save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        HGVAE.load(tmp_path / "model")


def test_a_calibration_of_other_joints_is_refused(tmp_path) -> None:
    small_hgvae().save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    values = json.loads(path.read_text())
    for name in ("joints", "usual", "usual_spread"):
        values["calibration"][name] = values["calibration"][name][:-1]
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="another number of joints"):
        HGVAE.load(tmp_path / "model")


def test_models_of_the_first_format_are_read_and_fill_from_the_mean(tmp_path) -> None:
    from safetensors.numpy import load_file, save_file

    model = small_hgvae()
    model.save(tmp_path / "model")
    folder = tmp_path / "model"
    arrays = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in arrays.items() if "gaussian" not in k}, folder / "model.safetensors")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "format": 1}))
    (folder / "checksums.json").unlink()
    again = HGVAE.load(folder)
    windows = model.normalise(small_bank().all().windows[:2])
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, 3] = True
    assert again.gaussian is None and (again.guess(windows, missing)[:, 3] == 0).all()


def test_damaged_weights_are_refused(tmp_path) -> None:
    from safetensors.numpy import load_file, save_file

    small_hgvae().save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    arrays = load_file(path)
    size = sum(nodes * features for nodes, features in CONFIG.levels)
    for name, value in (
        ("latents.factors", np.zeros((1, 2, size))),
        ("latents.factors", np.zeros(())),
        ("out.bias", np.zeros(3)),
        ("statistics.deviation", 0 * arrays["statistics.deviation"]),
        ("gaussian.factors", np.zeros(())),
        ("gaussian.factors", np.zeros((2, 5))),
        ("noise.variance", 0 * arrays["noise.variance"]),
        ("noise.rest", np.zeros(1)),
    ):
        save_file({**arrays, name: value}, path)
        with pytest.raises(InputError, match="does not fit|no training leaves"):
            HGVAE.load(tmp_path / "model")
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="missing or damaged"):
        HGVAE.load(tmp_path / "model")
    with pytest.raises(InputError, match="no model folder"):
        HGVAE.load(tmp_path)


def _weights(model: HGVAE) -> torch.Tensor:
    return torch.cat([p.flatten() for p in model.network.parameters()])


def test_rare_classes_are_drawn_more_often() -> None:
    from kineme.train.hgvae import balanced

    bank = small_bank().only(np.arange(2000) % len(small_bank()))
    bank.labels = np.where(np.arange(2000) < 200, 0, np.where(np.arange(2000) < 220, -1, 1))
    for share, wanted in ((0.0, 0.1), (0.5, 200**0.5 / (200**0.5 + 20**0.5 + 1780**0.5)), (1.0, 1 / 3)):
        drawn = balanced(bank, share, seed=0)
        assert len(drawn) == len(bank)
        assert (drawn.labels == 0).mean() == pytest.approx(wanted, abs=0.04)
    again = balanced(bank, 0.5, seed=0)
    assert np.array_equal(again.starts, balanced(bank, 0.5, seed=0).starts)
    assert not np.array_equal(again.starts, balanced(bank, 0.5, seed=1).starts)


def test_a_class_of_few_windows_keeps_the_prior() -> None:
    model = HGVAE.random(replace(CONFIG, labels=("many", "few", "none"), condition="every"))
    windows = model.normalise(small_bank().all().windows[:35])
    model.measure_latents(windows, torch.tensor([0] * 30 + [1] * 5), 8)
    many, few, none = model.latents
    assert len(many.factors) == 8 and (many.variance > 0).all() and not (many.variance == 1).all()
    for one in (few, none):
        assert (
            len(one.factors) == 0 and (one.variance == 1).all() and one.variance.shape == many.variance.shape
        )
    assert np.isfinite(model.sample(2, "none")).all()


def test_training_with_classes_makes_samples_of_them(tmp_path) -> None:
    """The wrist of one class is held 40 cm higher than that of the other; samples are to show it."""
    from kineme.train.hgvae import train_hgvae

    bank = small_bank().only(np.arange(2 * len(small_bank())) % len(small_bank()))
    wrist, frames = 3 * bank.channels.joints.index("left_wrist") + 1, len(bank.values)
    raised = bank.values.copy()
    raised[:, wrist] += 400
    bank.values, half = np.concatenate([bank.values, raised]), len(small_bank())
    bank.labels = (np.arange(2 * half) >= half).astype(np.int64)
    bank.starts = bank.starts + frames * bank.labels
    config = replace(
        CONFIG, labels=("low", "high"), mirror=False, noise_factors=0, occlusion=0.0, epochs=6, epoch_windows=128,
        learning_rate=0.03, **{**CONDITIONAL, "free_bits": 1.0},
    )  # fmt: skip
    model = train_hgvae(bank, config, tmp_path, progress=False)
    assert HGVAE.load(tmp_path / "model").config == config
    again = HGVAE.load(tmp_path / "model")
    assert [len(one.factors) for one in again.latents] == [CONDITIONAL["latent_factors"]] * 2
    np.testing.assert_allclose(again.sample(2, "high"), model.sample(2, "high"), atol=1.0)  # mm, from halves
    by_themselves = model.sample(32, "high").std(0).mean()
    model.latents = None
    assert by_themselves > 1.1 * model.sample(32, "high").std(0).mean()
    low, high = (model.sample(32, label)[..., wrist].mean() for label in config.labels)
    assert 200 < high - low < 600


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path) -> None:
    from kineme.train import callbacks
    from kineme.train.hgvae import train_hgvae

    class Stop(callbacks.L.Callback):
        """A kill after the second step."""

        def on_train_batch_end(self, trainer, *_) -> None:
            if trainer.global_step == 2:
                callbacks.AtomicCheckpoint(tmp_path / "b" / "checkpoints" / "last.ckpt").save(trainer)
                raise RuntimeError("killed")

    bank = small_bank()
    whole = train_hgvae(bank, CONFIG, tmp_path / "a", progress=False)
    assert not torch.equal(_weights(whole), _weights(HGVAE.random(CONFIG)))
    logger = {"logger": False, "callbacks": [Stop()]}
    with pytest.raises(RuntimeError, match="killed"):
        train_hgvae(bank, CONFIG, tmp_path / "b", progress=False, trainer_options=logger)
    resumed = train_hgvae(bank, CONFIG, tmp_path / "b", progress=False)
    assert torch.equal(_weights(whole), _weights(resumed))
    assert torch.equal(_weights(HGVAE.load(tmp_path / "b" / "model")), _weights(resumed))
    with pytest.raises(UsageError, match="other settings"):
        train_hgvae(bank, CONFIG, tmp_path / "b", seed=1, progress=False)
