"""HG-VAE's network and objective against a transcription of the paper's equations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import naive
from kineme.errors import UsageError
from kineme.models.hgvae.config import BODY_JOINTS, PAPER_JOINTS, PRESETS, HGVAEConfig
from kineme.models.hgvae.network import HGVAENetwork
from kineme.models.hgvae.objective import (
    elbo,
    free_bits,
    kl_weight,
    latent_log_density,
    posterior_log_density,
    prior_log_density,
    standardised,
)
from kineme.motion.canonical import JOINTS

TINY = HGVAEConfig(
    joints=("left_knee", "right_knee"),
    root=True,
    frames=12,
    levels=((10, 6), (4, 5), (1, 7)),
    path_features=8,
)


def awake(config: HGVAEConfig) -> HGVAENetwork:
    """A network in which every weight matters: ReZero's, too, which start at 0."""
    network = HGVAENetwork(config)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 0 or name == "start" or name.endswith(("bias", "classes")):
                value.copy_(torch.randn_like(value) * 0.3 + 0.1)
    return network


@pytest.mark.parametrize("residual", ["rezero", "printed"])
@pytest.mark.parametrize("frequencies", [0, 5])
def test_a_pass_equals_the_transcription(residual, frequencies) -> None:
    config = replace(TINY, residual=residual, frequencies=frequencies, blocks=2)
    network = awake(config)
    windows = torch.randn(3, config.nodes, config.frames)
    made = network(windows, sample=False)
    bound, latent = elbo(windows, made), latent_log_density(made)
    for k, window in enumerate(windows):
        mean, log_variance, levels = naive.hgvae(window, network.state_dict(), config, network.basis)
        torch.testing.assert_close(made.likelihood.mean[k], mean, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(made.likelihood.log_variance[k], log_variance, atol=1e-5, rtol=1e-5)
        expected = naive.log_normal(window, mean, log_variance)
        torch.testing.assert_close(bound.log_likelihood[k], expected, atol=1e-3, rtol=1e-5)
        for number, (posterior, prior) in enumerate(levels):
            torch.testing.assert_close(
                bound.divergences[number, k], naive.kl(posterior, prior), atol=1e-4, rtol=1e-4
            )
        torch.testing.assert_close(latent[k], naive.latent_log_density(levels), atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("condition", ["top", "every"])
def test_a_pass_with_classes_equals_the_transcription(condition) -> None:
    config = replace(TINY, labels=("walk", "run", "jump"), condition=condition)
    network, labels = awake(config), (2, None, 0)
    windows = torch.randn(3, config.nodes, config.frames)
    made = network(windows, torch.tensor([-1 if n is None else n for n in labels]), sample=False)
    bound = elbo(windows, made)
    for k, (window, label) in enumerate(zip(windows, labels, strict=True)):
        weights = network.state_dict()
        mean, _, levels = naive.hgvae(window, weights, config, network.basis, label)
        torch.testing.assert_close(made.likelihood.mean[k], mean, atol=1e-5, rtol=1e-5)
        for number, (posterior, prior) in enumerate(levels):
            assert (prior is None) == (number == 0 and condition == "top")
            expected = naive.kl(posterior, prior)
            torch.testing.assert_close(bound.divergences[number, k], expected, atol=1e-4, rtol=1e-4)


def test_with_the_class_at_every_level_priors_and_posteriors_know_it() -> None:
    network = awake(replace(TINY, labels=("walk", "run"), condition="every"))
    windows = torch.randn(1, TINY.nodes, TINY.frames)
    walk, run, none = (network(windows, torch.tensor([n]), sample=False).levels for n in (0, 1, -1))
    for levels in zip(walk, run, none, strict=True):
        for part in ("prior", "posterior"):
            a, b, c = (getattr(level, part).mean for level in levels)
            assert not torch.allclose(a, b) and not torch.allclose(a, c) and not torch.allclose(b, c)
    bare = awake(replace(TINY, condition="every"))  # without classes the setting changes nothing
    assert {k: v.shape for k, v in bare.state_dict().items()} == {
        k: v.shape for k, v in awake(TINY).state_dict().items()
    }


def test_free_bits_cost_nothing_and_do_not_push() -> None:
    divergences = torch.tensor([[1.0, 2.0], [10.0, 20.0]], requires_grad=True)
    cost = free_bits(divergences, 5.0)
    assert float(cost.detach()) == 5.0 + 15.0
    cost.backward()
    assert divergences.grad is not None and divergences.grad.tolist() == [[0, 0], [0.5, 0.5]]
    assert float(free_bits(divergences.detach(), 0.0)) == 1.5 + 15.0


def test_the_bound_is_likelihood_minus_what_counts_of_the_divergence() -> None:
    windows = torch.randn(4, TINY.nodes, TINY.frames)
    made = awake(TINY)(windows)
    whole, weighted, partly = elbo(windows, made), elbo(windows, made, 0.25), elbo(windows, made, off=2)
    torch.testing.assert_close(whole.elbo, whole.log_likelihood - whole.divergence)
    torch.testing.assert_close(weighted.elbo, whole.log_likelihood - 0.25 * whole.divergence)
    torch.testing.assert_close(partly.elbo, whole.log_likelihood - whole.divergences[2])
    assert elbo(windows, made, off=3).divergence.tolist() == [0] * 4


def test_frames_that_do_not_exist_do_not_count() -> None:
    windows, network = torch.randn(2, TINY.nodes, TINY.frames), awake(TINY)
    valid = torch.ones(2, TINY.frames, dtype=torch.bool)
    valid[1, 5:] = False
    made = network(windows, sample=False)
    found = elbo(windows, made, valid=valid).log_likelihood
    density = made.likelihood.log_density(windows)
    torch.testing.assert_close(found, torch.stack([density[0].sum(), density[1, :, :5].sum()]))


def test_the_bound_is_the_expectation_over_the_posterior() -> None:
    """E_q[log p(x | z) + log p(z) - log q(z | x)] by sampling, eq. 2 and 3, is eq. 1 in closed form."""
    windows, network = torch.randn(1, TINY.nodes, TINY.frames), awake(TINY)
    with torch.no_grad():
        made = network(windows.expand(4000, -1, -1))
        closed = elbo(windows.expand(4000, -1, -1), made)
        latents = [level.latent for level in made.levels]
        sampled = prior_log_density(made.levels, latents) - posterior_log_density(made.levels, latents)
    spread = (sampled + closed.divergence).std() / 4000**0.5
    assert abs(float((sampled + closed.divergence).mean())) < 5 * float(spread)


def test_levels_that_are_off_take_the_mean() -> None:
    network, windows = awake(TINY), torch.randn(2, TINY.nodes, TINY.frames)
    made = network(windows, off=2)
    for number, level in enumerate(made.levels):
        assert torch.equal(level.latent, level.posterior.mean) == (number < 2)
    pairs = list(zip(made.levels, network(windows, off=2).levels, strict=True))
    assert [torch.equal(a.latent, b.latent) for a, b in pairs] == [
        True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("condition", ["top", "every"])
def test_a_class_reaches_the_samples_and_no_class_is_allowed(condition) -> None:
    config = replace(TINY, labels=("walk", "run"), condition=condition)
    network = awake(config)
    noise = [torch.Generator().manual_seed(1) for _ in range(3)]
    walk, run, none = (
        network.generate(2, labels, generator=g).likelihood.mean
        for labels, g in zip((torch.zeros(2).long(), torch.ones(2).long(), None), noise, strict=True)
    )
    assert not torch.allclose(walk, run) and not torch.allclose(walk, none)
    mixed = network.generate(
        2, torch.tensor([0, -1]), generator=torch.Generator().manual_seed(1)
    ).likelihood.mean
    torch.testing.assert_close(mixed, torch.stack([walk[0], none[1]]))


@pytest.mark.parametrize("condition", ["top", "every"])
def test_latents_in_deviations_of_their_priors_give_the_pass_again(condition) -> None:
    network = awake(replace(TINY, labels=("walk", "run"), condition=condition))
    labels = torch.tensor([0, 1, -1])
    made = network(torch.randn(3, TINY.nodes, TINY.frames), labels)
    latents = standardised(made)
    assert latents.shape == (3, 10 * 6 + 4 * 5 + 7)
    again = network.generate(3, labels, latents=latents)
    torch.testing.assert_close(again.likelihood.mean, made.likelihood.mean, atol=1e-5, rtol=1e-4)
    for a, b in zip(again.levels, made.levels, strict=True):
        torch.testing.assert_close(a.latent, b.latent, atol=1e-5, rtol=1e-4)
    upper = network.generate(3, labels, latents=latents, sampled=1)
    torch.testing.assert_close(upper.levels[0].latent, made.levels[0].latent, atol=1e-5, rtol=1e-4)
    assert torch.equal(upper.levels[1].latent, upper.levels[1].prior.mean)


def test_sampling_l_levels_leaves_the_rest_at_their_mean() -> None:
    network = awake(TINY)
    made = network.generate(2, sampled=1)
    assert not torch.equal(made.levels[0].latent, torch.zeros_like(made.levels[0].latent))
    for level in made.levels[1:]:
        assert torch.equal(level.latent, level.prior.mean)


@pytest.mark.parametrize("condition", ["top", "every"])
def test_every_weight_learns(condition) -> None:
    network = awake(replace(TINY, labels=("walk",), condition=condition))
    windows = torch.randn(4, TINY.nodes, TINY.frames)
    elbo(windows, network(windows, torch.tensor([0, 0, -1, 0]))).elbo.sum().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


def test_nothing_is_kept_on_the_module() -> None:
    network = awake(TINY)
    before = set(vars(network))
    network(torch.randn(1, TINY.nodes, TINY.frames))
    assert set(vars(network)) == before


def test_presets_have_the_sizes_that_the_documentation_says() -> None:
    count = {name: sum(p.numel() for p in HGVAENetwork(c).parameters()) for name, c in PRESETS.items()}
    assert count == {"small": 382_884, "full-body": 2_390_324, "paper": 2_290_497, "deep": 15_001_313}
    assert len(PRESETS["deep"].levels) == 16 and PRESETS["paper"].nodes == 54
    assert PRESETS["paper"].levels == ((54, 128), (24, 128), (8, 128), (1, 256))


def test_joints_are_those_of_the_canonical_body() -> None:
    assert BODY_JOINTS == JOINTS[1:] and PAPER_JOINTS == JOINTS[4:]


def test_warm_up_is_linear() -> None:
    assert [kl_weight(e, 0.001, 200) for e in (0, 100, 200, 900)] == pytest.approx([0.001, 0.5005, 1, 1])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="no joint"):
        HGVAEConfig(joints=("tail",))
    with pytest.raises(UsageError, match="unknown HG-VAE setting colour"):
        HGVAEConfig.from_dict({"colour": 1})
    refused: tuple[dict[str, Any], ...] = (
        {"levels": ()}, {"frequencies": 51}, {"epochs": 0}, {"occlusion": 1.5}, {"free_bits": -1.0},
        {"free_bits": float("nan")}, {"label_dropout": 2.0}, {"class_balance": -0.1}, {"latent_factors": -1},
        {"condition": "bottom"},
    )  # fmt: skip
    for bad in refused:
        with pytest.raises(UsageError):
            HGVAEConfig(**bad)
    assert HGVAEConfig.from_dict(PRESETS["deep"].to_dict()) == PRESETS["deep"]
