"""What is recalled, and how it is weighed."""

from __future__ import annotations

import numpy as np
import torch

from kineme.nn.recall import POSE, SPEED, Library, Recall, fitted, nearest


def library(count: int, seed: int = 0, takes: int = 5) -> Library:
    rng = np.random.default_rng(seed)
    parts = [
        rng.normal(size=(count, 3, 8)), rng.normal(size=(count, 2, 66)), np.zeros((count, 0)),
        rng.normal(size=(count, 4, 66)),
    ]  # fmt: skip
    tensors = [torch.from_numpy(part.astype(np.float32)) for part in parts]
    return Library(*tensors, torch.from_numpy(rng.integers(takes, size=count)))


def test_nearest_are_those_of_the_smallest_distance() -> None:
    held, queries = library(40), library(6, 1)
    found = nearest(queries, held, 5, sides=1).numpy()
    for row, indices in enumerate(found):
        far = []
        for k in range(40):
            keys = torch.dist(queries.keys[row, 0], held.keys[k, 0])
            ends = (queries.ends[row] - held.ends[k])[:, :63] * torch.tensor([[1.0], [SPEED]])
            far.append(float(keys + POSE * ends.norm()))
        assert set(indices) == set(np.argsort(far)[:5])


def test_a_moment_of_the_same_take_is_not_recalled() -> None:
    held = library(40)
    found = nearest(held, held, 8, sides=1, others=True)
    assert not (held.owner[found] == held.owner[:, None]).any()


def test_gaps_of_another_length_are_far() -> None:
    held = library(40)
    lengths = torch.full((40, 7), 0.5)
    lengths[20:, -1] = 0.25
    ends = torch.cat([held.ends, held.ends], dim=1)
    held = held._replace(about=lengths, keys=torch.cat([held.keys] * 2, dim=1), ends=ends)
    close = held._replace(ends=held.ends * 1e-3, keys=held.keys * 1e-3)
    assert int(nearest(close.of(torch.arange(5)), close, 10, sides=2).max()) < 20


def test_a_moment_that_is_followed_alone_gives_its_own_movement() -> None:
    held = library(10)
    recall = Recall(4, 66, keys=3, ends=2, about=0)
    recall.offset.data.zero_()
    recall.scale.data.fill_(1)
    query, found = held.of(torch.arange(2)), held.of(torch.tensor([[3, 4], [5, 6]]))
    shares = torch.zeros(2, 2, 4)
    shares[:, 1] = 1
    made = recall(query, found, torch.zeros(4, 2, 66), shares)
    torch.testing.assert_close(made, held.weights[[4, 6]])


def test_offset_moves_it_to_where_it_was() -> None:
    held = library(10)
    recall = Recall(4, 66, keys=3, ends=2, about=0)
    recall.offset.data.fill_(1)
    recall.scale.data.fill_(1)
    lift = torch.randn(4, 2, held.weights.shape[-1])
    query, found = held.of(torch.arange(1)), held.of(torch.tensor([[3]]))
    made = recall(query, found, lift, torch.ones(1, 1, 4))
    expected = held.weights[3] + torch.einsum("kec,ec->kc", lift, held.ends[3] - held.ends[0])
    torch.testing.assert_close(made[0], expected)


def test_nearer_moments_count_more_before_training() -> None:
    held = library(10)
    query = held.of(torch.arange(1))
    near = held.of(torch.tensor([[0, 5]]))
    scores = Recall(4, 66, keys=3, ends=2, about=0).scores(query, near)
    assert (scores[0, 0] > scores[0, 1]).all()


def test_fitted_weights_give_the_values_back() -> None:
    rng = np.random.default_rng(0)
    waves, weights = rng.normal(size=(30, 6)), rng.normal(size=(2, 6, 5))
    np.testing.assert_allclose(fitted(waves @ weights, waves), weights, atol=1e-5)
