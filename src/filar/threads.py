"""Keeping BLAS and torch to one thread: the matrices here are many and small.

Handing each small product to threads costs more than it saves, and where other programs use the
same cores, threads that wait for each other make it hundreds of times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@lru_cache(maxsize=1)
def _controller() -> Any:
    import numpy as np  # noqa: F401 - its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that BLAS runs in one thread while it runs.

    Parameters
    ----------
    function : callable
        Work on many small matrices.

    Returns
    -------
    callable
        The same function.
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch and BLAS use so many threads for one operation on the CPU.

    Parameters
    ----------
    number : int
        Threads; small networks are fastest with one.

    Yields
    ------
    None
        Afterwards it is as it was.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with _controller().limit(limits=number, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
