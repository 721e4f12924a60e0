from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kineme.nn.repeatable import repeatable
from kineme.train.steps import train_steps


@pytest.fixture(autouse=True)
def many_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    yield
    torch.set_num_threads(before)


def _gradient(rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    table = torch.zeros(4, 64, requires_grad=True)
    (table[rows] * weights).sum().backward()
    assert table.grad is not None
    return table.grad


def test_gradients_of_rows_used_again_are_added_in_one_order() -> None:
    rng = torch.Generator().manual_seed(0)
    rows, weights = torch.randint(4, (20_000,), generator=rng), torch.randn(20_000, 64, generator=rng)
    torch.set_num_threads(1)
    alone = _gradient(rows, weights)
    torch.set_num_threads(8)
    with repeatable():
        assert all(torch.equal(_gradient(rows, weights), alone) for _ in range(10))


def test_a_training_is_the_same_with_as_many_threads_again(tmp_path: Path) -> None:
    """Its gradients go through an index, as those of masked tokens do."""
    rows = torch.randint(4, (20_000,), generator=torch.Generator().manual_seed(0))

    def trained(run: Path) -> torch.Tensor:
        network = nn.Embedding(4, 64)
        nn.init.zeros_(network.weight)

        def loss(learner: nn.Module, _: float, rng: np.random.Generator, device: torch.device):
            wanted = torch.from_numpy(rng.normal(size=(20_000, 64)).astype(np.float32))
            value = (learner.get_parameter("weight")[rows] - wanted).square().mean()
            return value, {"loss": value}

        train_steps(network, loss, 5, run, learning_rate=0.1, settings={}, progress=False)
        return network.weight.detach()

    first = trained(tmp_path / "0")
    assert all(torch.equal(trained(tmp_path / str(k)), first) for k in range(1, 4))


def test_what_was_set_before_is_set_after() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    with pytest.raises(ValueError, match="stop"), repeatable():
        assert torch.are_deterministic_algorithms_enabled()
        raise ValueError("stop")
    assert not torch.are_deterministic_algorithms_enabled()
