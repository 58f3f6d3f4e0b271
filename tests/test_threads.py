import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from filar.threads import one_blas_thread, torch_threads


def threads() -> set[int]:
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_blas_has_one_thread_inside_and_what_it_had_outside() -> None:
    np.eye(2) @ np.eye(2)

    @one_blas_thread
    def inside(number: int, *, other: int = 0) -> tuple[set[int], int]:
        """Say how many."""
        return threads(), number + other

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert inside(1, other=2) == ({1}, 3)
        assert threads() == before
    assert inside.__doc__ == "Say how many."


def test_torch_has_as_many_threads_as_asked_for_inside_also_when_it_fails() -> None:
    before = torch.get_num_threads()
    with torch_threads(3):
        assert torch.get_num_threads() == 3
    with threadpool_limits(2, user_api="blas"), torch_threads(1):
        assert threads() == {1}
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="inside"), torch_threads(before + 1):
        raise ValueError("inside")
    assert torch.get_num_threads() == before
