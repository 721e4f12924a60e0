"""Predictors: shapes, what they start from, what they look at, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kineme.evaluate.hgvae_downstream import HISTORY, PREDICTORS, longer
from kineme.models.predictors.hisrepitself import HisRepItself
from kineme.models.predictors.simlpe import SiMLPe
from kineme.motion.dct import dct
from kineme.train.predictors import joint_distance
from small_hgvae import small_bank


@pytest.mark.parametrize("name", PREDICTORS)
def test_the_future_has_its_shape_and_windows_do_not_mix(name) -> None:
    network = PREDICTORS[name](12).eval()
    history = torch.randn(3, HISTORY, 12)
    made = network(history)
    assert made.shape == (3, 25, 12)
    torch.testing.assert_close(network(history[1:2])[0], made[1], atol=1e-5, rtol=1e-5)


def test_simlpe_begins_as_the_last_pose() -> None:
    history = torch.randn(2, HISTORY, 12)
    made = SiMLPe(12, blocks=3)(history)
    torch.testing.assert_close(made, history[:, -1:].expand(-1, 25, -1), atol=1e-5, rtol=1e-5)


def test_the_attended_value_is_a_weighted_sum_over_the_history() -> None:
    network, history = HisRepItself(6, width=8, blocks=1), torch.randn(1, 50, 6)
    weight, value = network.attended(history)
    assert weight.shape == (1, 16) and float(weight.sum().detach()) == pytest.approx(1)
    expected = np.zeros((35, 6))
    for start, share in enumerate(weight[0].tolist()):
        stretch = history[0, start : start + 35].double().numpy()
        expected += share * dct(stretch.T).T
    np.testing.assert_allclose(value[0].detach().numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in PREDICTORS if name != "repeat last pose"])
def test_a_predictor_learns_one_motion(name) -> None:
    network = PREDICTORS[name](6).train()
    time = torch.arange(75.0)[None, :, None] / 8
    motion = torch.sin(time + torch.arange(6.0)) * torch.linspace(0.8, 1.2, 8)[:, None, None]
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    losses = []
    for _ in range(80):
        optimiser.zero_grad()
        loss = joint_distance(network(motion[:, :50]), motion[:, 50:], 6)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_longer_windows_cross_no_clip() -> None:
    bank = small_bank()
    found = longer(bank, 40, 10)
    assert np.array_equal(found.values, bank.values) and found.frames == 40
    ends = [int(bank.starts[bank.clips == k].max() + bank.frames) for k in range(3)]
    for start, length, clip in zip(found.starts, found.lengths, found.clips, strict=True):
        assert start + length <= ends[clip] and (clip == 0 or start >= ends[clip - 1])
