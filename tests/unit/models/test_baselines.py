"""The VAE and HM-VAE that HG-VAE is compared with."""

from __future__ import annotations

import pytest
import torch

from kineme.models.hmvae import HMVAEConfig, HMVAENetwork
from kineme.models.hmvae.network import pooling
from kineme.models.vae import VAEConfig, VAENetwork


def test_parameters_of_the_vae_are_those_that_its_readme_explains() -> None:
    network = VAENetwork(VAEConfig())
    last = sum(p.numel() for p in network.out.parameters())
    whole = sum(p.numel() for p in network.parameters())
    assert (whole - last, last, whole) == (10_536_700, 10_805_400, 21_342_100)
    assert whole / 20.81e6 == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sample", [False, True])
def test_passes_have_the_form_of_hgvae(sample) -> None:
    windows = torch.randn(3, 67, 10)
    vae = VAENetwork(VAEConfig(67, 10, (20, 8), 4)).eval()
    hmvae = HMVAENetwork(HMVAEConfig(frames=10, features=6))
    for network, levels in ((vae, 1), (hmvae, 2)):
        made = network(windows, sample=sample, generator=torch.Generator().manual_seed(1))
        assert made.likelihood.mean.shape == windows.shape and len(made.levels) == levels
        for level in made.levels:
            assert torch.equal(level.latent, level.posterior.mean) != sample


def test_six_parts_are_pooled_by_their_means() -> None:
    pool = pooling(HMVAEConfig(root=False))
    assert pool.shape == (18, 63)
    torch.testing.assert_close(pool.sum(1), torch.ones(18))
    assert ((pool > 0).sum(0) == 1).all()  # every node belongs to one part
    torch.testing.assert_close(pool[1], pooling(HMVAEConfig())[1, :63])


def test_the_pooled_level_reaches_every_node() -> None:
    network = HMVAENetwork(HMVAEConfig(frames=10, features=6))
    made = network(torch.randn(2, 67, 10), sample=False)
    top = made.levels[0].posterior.mean
    assert top.shape == (19, 2, 6) and made.levels[1].prior.mean.shape == (67, 2, 6)
