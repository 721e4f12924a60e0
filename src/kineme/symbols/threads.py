"""Small matrix products on one thread: waking others costs more than they help, and changes the last bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """A context in which numpy's BLAS works on the calling thread alone."""
    return _controller().limit(limits=1, user_api="blas")
