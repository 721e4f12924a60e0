"""Recognisers trained on labels: the graph of ST-GCN, its two modes, sequences that do not see each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kineme.models.recognisers.gru import GRURecogniser
from kineme.models.recognisers.stgcn import MIDDLE, STGCN, FrameSTGCN, hops, partitions
from kineme.motion.canonical import INDEX, PARENTS


def test_hops_count_bones_from_the_middle() -> None:
    away = hops(PARENTS, MIDDLE)
    assert away[MIDDLE] == 0 and away[INDEX["pelvis"]] == 1 and away[INDEX["left_hip"]] == 2
    assert away[INDEX["head"]] == 4 and away.min() == 0


def test_every_bone_is_read_once_each_way_and_by_side() -> None:
    sets = partitions()
    assert sets.shape == (3, 22, 22)
    read = sets > 0
    np.testing.assert_array_equal(read[0], np.eye(22, dtype=bool))
    assert read[1:].sum() == 2 * 21 and not (read[1] & read[2]).any()
    np.testing.assert_array_equal(read[1], read[2].T)
    # a hand is read by the elbow as farther from the middle, the elbow by the hand as nearer
    elbow, wrist = INDEX["left_elbow"], INDEX["left_wrist"]
    assert read[2, elbow, wrist] and read[1, wrist, elbow]


def test_normalisation_by_hand() -> None:
    """A row of joints 0 - 1 - 2 with the middle 1: both ends read it as nearer."""
    sets = partitions((-1, 0, 1), 1)
    np.testing.assert_allclose(sets[1][0, 1], 1 / np.sqrt(1.001 * 2.001), rtol=1e-6)
    assert sets[1][1, 0] == 0 and sets[2][1, 0] > 0


def test_clip_mode_has_features_and_ignores_what_fills_up() -> None:
    torch.manual_seed(0)
    network = STGCN(3, 5, units=((8, 1), (8, 2))).eval()
    x = torch.randn(2, 3, 40, 22)
    assert network(x).shape == (2, 5) and network.features(x).shape == (2, 8)
    torch.testing.assert_close(network.features(x), network.features(x, torch.tensor([40, 40])))
    torch.testing.assert_close(network(x), network.out(network.features(x)))
    longer = torch.cat([x, 100 * torch.randn(2, 3, 40, 22)], dim=2)
    far = network.features(longer, torch.tensor([10, 10]))
    torch.testing.assert_close(far, network.features(x, torch.tensor([10, 10])))


@pytest.mark.parametrize("make", [lambda: GRURecogniser(131, 4, 8), lambda: FrameSTGCN(4, ((8, 1),))])
def test_sequences_do_not_see_each_other(make) -> None:
    torch.manual_seed(0)
    network = make().eval()
    long, short = torch.randn(30, 131), torch.randn(12, 131)
    both = network(torch.cat([long, short]), torch.ones(42), [30, 12])
    assert both.shape == (42, 4)
    torch.testing.assert_close(both[:30], network(long, torch.ones(30), [30]), atol=1e-5, rtol=1e-5)
    if isinstance(network, GRURecogniser):  # convolutions read the zeros that follow a short sequence
        torch.testing.assert_close(both[30:], network(short, torch.ones(12), [12]), atol=1e-5, rtol=1e-5)
    swapped = network(torch.cat([long.flip(0), short]), torch.ones(42), [30, 12])
    assert not torch.allclose(swapped[:30], both[:30].flip(0))  # the order counts
