"""Gradients that are the same on every run, whatever else the machine does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import deterministic

#: its only member is a property, which type checkers do not see
_MEMORY: Any = deterministic


@contextmanager
def repeatable() -> Iterator[None]:
    """The same numbers give the same sums; also a decorator.

    Without it torch adds up the gradients of indexed tensors (its `index_put`) in whatever order its threads
    come by, so that weights depend on what else runs on the machine: the last bit at first, another model in
    the end. On an accelerator torch warns of what has no such order.
    """
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    filled = _MEMORY.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # of products on CUDA
    torch.use_deterministic_algorithms(True, warn_only=True)
    _MEMORY.fill_uninitialized_memory = False  # nothing here reads what was never written
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        _MEMORY.fill_uninitialized_memory = filled
