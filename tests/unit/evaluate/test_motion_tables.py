"""Rows, measures and corruptions of the tables of HG-VAE, and their small versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kineme.errors import UsageError
from kineme.evaluate import (
    corpora,
    hgvae_conditional,
    hgvae_depth,
    hgvae_downstream,
    hgvae_gaps,
    hgvae_imputation,
    hgvae_ood,
)
from kineme.evaluate.corruptions import CORRUPTIONS, largest_acceleration, worst_body
from kineme.evaluate.fillers import ConditionalPCA, Learned, Simple, in_time
from kineme.evaluate.motion_folds import MotionFold
from kineme.evaluate.motion_metrics import mpjpe
from kineme.evaluate.request import Request
from kineme.motion.channels import Channels
from small_hgvae import CONFIG, small_bank

WINDOWS = small_bank().only(small_bank().lengths == 20).all().windows
CHANNELS = Channels()


@pytest.fixture(scope="module")
def fold() -> MotionFold:
    bank = small_bank()
    return MotionFold("takes", "takes", bank, bank, bank, (), "")


def test_mpjpe_averages_over_what_it_is_told() -> None:
    true = np.zeros((2, 4, 3, 3))
    predicted = true.copy()
    predicted[:, 3] = [3.0, 4.0, 0.0]
    assert mpjpe(predicted, true) == pytest.approx(5 / 4)
    assert mpjpe(predicted, true, slice(2, None)) == pytest.approx(2.5)


def test_time_alone_fills_lines_exactly() -> None:
    line = np.arange(20.0) * np.ones((1, 67, 1))
    missing = np.zeros(line.shape, dtype=bool)
    missing[0, 0, 5:9] = missing[0, 1, :3] = missing[0, 2] = True
    for smooth in (False, True):
        filled = in_time(np.where(missing, np.nan, line), missing, np.full(67, 7.0), smooth)
        np.testing.assert_allclose(filled[0, 0], line[0, 0])
        assert filled[0, 1, :3].tolist() == [3, 3, 3] and (filled[0, 2] == 7).all()


@pytest.mark.parametrize("filler", [Simple("mean"), Simple("linear"), Simple("PCHIP"), ConditionalPCA(8)])
def test_fillers_leave_known_entries_alone(filler, fold, tmp_path) -> None:
    missing = np.random.default_rng(0).random(WINDOWS.shape) < 0.2
    missing[:, -4:] = False
    fill = filler.fit(fold, 0, tmp_path)
    filled = fill(WINDOWS, missing)
    assert np.array_equal(filled[~missing], WINDOWS[~missing])
    hidden = np.where(missing, 1e4, WINDOWS).astype(np.float32)
    np.testing.assert_allclose(fill(hidden, missing), filled, rtol=1e-5)


def test_a_trained_row_is_trained_once(fold, tmp_path) -> None:
    row = Learned("HG-VAE", "best", CONFIG)
    first = row.model(fold, 0, tmp_path)
    (weights,) = tmp_path.rglob("model.safetensors")
    stamp = weights.stat().st_mtime_ns
    again = row.model(fold, 0, tmp_path)
    assert weights.stat().st_mtime_ns == stamp and again.config == first.config
    assert Learned("HG-VAE", "plain", CONFIG).model(fold, 0, tmp_path).noise is None
    with pytest.raises(UsageError, match="has other settings"):  # nor are its weights taken for another's
        Learned("HG-VAE", "best", replace(CONFIG, blocks=2)).model(fold, 0, tmp_path)
    assert {Learned("HG-VAE", how).name for how in ("best", "plain", "latent", "random")} == {
        "HG-VAE", "HG-VAE, without noise", "HG-VAE, paper's ascent", "HG-VAE, random weights",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["VAE", "HM-VAE"])
def test_baselines_fill(kind, fold, tmp_path) -> None:
    fill = Learned(kind, "best", CONFIG).fit(fold, 0, tmp_path)
    missing = np.zeros(WINDOWS.shape, dtype=bool)
    missing[:, 3:6, 4:10] = True
    filled = fill(WINDOWS[:4], missing[:4])
    assert np.array_equal(filled[~missing[:4]], WINDOWS[:4][~missing[:4]]) and np.isfinite(filled).all()


def test_corruptions_damage_what_they_say() -> None:
    rng, mean = np.random.default_rng(0), small_bank().statistics()[0]
    made = {name: corrupt(WINDOWS, CHANNELS, mean, rng) for name, corrupt in CORRUPTIONS.items()}
    for damaged in made.values():
        assert np.array_equal(damaged[:, -4:], WINDOWS[:, -4:])
    assert ((made["occluded"] != WINDOWS).sum((1, 2)) <= round(0.005 * 63 * 20)).all()
    still = (np.diff(made["frozen"], axis=2) == 0).reshape(len(WINDOWS), 67, -1).sum(2)
    assert (still.max(1) >= 9).all() and ((made["frozen"] != WINDOWS).any(2).sum(1) <= 3).all()
    assert np.allclose(np.sort(made["swapped"], axis=1), np.sort(WINDOWS, axis=1))
    assert ((made["swapped"] != WINDOWS).any((1, 2))).all()


def test_checks_without_a_model_see_what_they_can() -> None:
    rng, mean = np.random.default_rng(0), small_bank().statistics()[0]
    swapped = CORRUPTIONS["swapped"](WINDOWS, CHANNELS, mean, rng)
    occluded = CORRUPTIONS["occluded"](WINDOWS, CHANNELS, mean, rng)
    assert hgvae_ood.auroc(worst_body(WINDOWS, CHANNELS), worst_body(swapped, CHANNELS)) > 0.95
    scores = (largest_acceleration(w, CHANNELS) for w in (WINDOWS, occluded))
    assert hgvae_ood.auroc(*scores) > 0.95
    assert worst_body(WINDOWS, CHANNELS).max() < 0.01


def test_the_interval_score_charges_width_and_misses() -> None:
    truth, low, high = np.array([0.0, 3.0]), np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    assert hgvae_gaps.interval_score(truth, low, high) == pytest.approx((2 + 2 + 20 * 2) / 2)


class Judge:
    """Says 1 of windows whose first number is positive, 0 of others; standardises nothing."""

    classes_ = np.array([0, 1, 2])

    def predict(self, seen: np.ndarray) -> np.ndarray:
        return (seen[:, 0] > 0).astype(int)

    def __getitem__(self, _: int) -> Judge:
        return self

    def transform(self, seen: np.ndarray) -> np.ndarray:
        return seen


def test_samples_are_judged_class_by_class_and_means_are_not_diverse() -> None:
    bank = small_bank()
    bank = bank.only(bank.lengths == bank.frames)
    bank.labels = np.arange(len(bank)) % 3 - 1
    fold = MotionFold("takes", "takes", bank, bank, bank, ("a", "b"), "")
    seen = bank.of_each_class(7, np.random.default_rng(0))
    assert np.bincount(seen.labels).tolist() == [7, 7]
    drawn = bank.of_each_class(hgvae_conditional.HELD, np.random.default_rng([0, 22]))
    own = {label: drawn.windows[drawn.labels == label] for label in (0, 1)}
    assert hgvae_conditional.judged(Judge(), own, fold, 0)["diversity"] == pytest.approx(1)
    plain = np.ones((3, *WINDOWS.shape[1:]), dtype=np.float32)
    signs = np.array([1.0, -1.0, -1.0], dtype=np.float32)[:, None, None]
    found = hgvae_conditional.judged(Judge(), {0: -plain[:1], 1: plain * signs}, fold, 0)
    assert found["accuracy"] == pytest.approx((1 + 1 / 3) / 2) and found["chance"] == pytest.approx(1 / 3)
    assert hgvae_conditional.judged(Judge(), {0: plain, 1: plain}, fold, 0)["diversity"] == 0


def test_a_map_escapes_its_names() -> None:
    picture = hgvae_conditional.scatter(np.eye(2), np.array([0, 1]), ("<b>", "run"), "z0")
    assert "<b>" not in picture and picture.count("<circle") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "module, methods",
    [
        (hgvae_imputation, ("HG-VAE", "linear", "mean")),
        (hgvae_gaps, ("HG-VAE", "conditional PCA")),
        (hgvae_ood, ("HG-VAE: worst joint", "acceleration", "PCA: worst joint")),
        (hgvae_depth, ()),
        (hgvae_downstream, ("repeat last pose, mean", "HisRepItself, HG-VAE", "siMLPe, mean")),
        (hgvae_conditional, ("real motion, held out", "HG-VAE", "HG-VAE, 1 level drawn")),
    ],
    ids=lambda value: getattr(value, "__name__", "").rsplit(".", 1)[-1],
)
def test_small_versions_run_and_go_on(module, methods, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KINEME_CACHE", str(tmp_path / "cache"))
    size = replace(corpora.QUICK, takes={"train": 4, "val": 2, "test": 2})
    monkeypatch.setattr(corpora, "QUICK", size)
    request = Request((0,), True, (), methods, tmp_path / "run")
    found = module.run(request)
    metrics = {row.metric for row in found.rows}
    assert found.rows and all(np.isfinite(row.mean) for row in found.rows if row.metric != "silhouette")
    for columns in module.TABLES.values():
        assert {c.metric for c in columns} & metrics
    said: list[str] = []
    assert module.run(request, said.append).rows == found.rows and said == []
    assert Path(tmp_path / "run" / "results").is_dir()
