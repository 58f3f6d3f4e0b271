import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from filar.frames.matching import mutual_nearest, shift_and_rotation, small_offset, unknown_shift
from filar.frames.polynomial import Polynomial

coordinates = hnp.arrays(
    np.float64,
    st.integers(0, 30),
    elements=st.integers(0, 4000).map(lambda k: k / 100) | st.just(np.nan),
)


@settings(deadline=None)
@given(coordinates, coordinates, st.floats(0.1, 20))
def test_pairs_are_mutual_close_and_unique(x: np.ndarray, u: np.ndarray, radius: float) -> None:
    y, v = np.roll(x, 1), np.roll(u, 1)
    i, j = mutual_nearest(x, y, u, v, radius)
    assert len(set(i)) == len(set(j)) == len(i)
    distance = np.hypot(x[:, None] - u, y[:, None] - v)
    near = np.nan_to_num(distance, nan=np.inf)
    for a, b in zip(i, j, strict=True):
        assert near[a, b] <= radius
        assert near[a, b] == near[a].min() == near[:, b].min()
    # Whatever is left has no partner that is left too and is nearest both ways.
    for a in set(range(len(x))) - set(i):
        if not near.size or not near[a].min() < radius:
            continue
        b = int(np.argmin(near[a]))
        ties = (near[a] == near[a].min()).sum() > 1 or (near[:, b] == near[:, b].min()).sum() > 1
        assert ties or near[:, b].min() < near[a, b]


def lists(seed: int, transform: Polynomial, *, n: int = 200, spurious: float = 0.5, part=1.0):
    """Two lists in random order: noise of 0.05 pixel, half of each no stars, part of the area."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 800, (2, n))
    u, v = transform(x, y)
    u, v = u + rng.normal(0, 0.05, n), v + rng.normal(0, 0.05, n)
    other = x < part * 800
    wrong = int(n * spurious)
    one = np.concatenate([[x, y], rng.uniform(0, 800, (2, wrong))], axis=1)
    box = np.array([[u.min(), u.max()], [v.min(), v.max()]])
    two = np.concatenate([[u[other], v[other]], rng.uniform(*box.T, (wrong, 2)).T], axis=1)
    return rng.permutation(one, axis=1), rng.permutation(two, axis=1)


def off(found: Polynomial, truth: Polynomial) -> float:
    """Largest difference over the chip, pixels."""
    x, y = (g.ravel() for g in np.meshgrid([0.0, 400.0, 800.0], [0.0, 400.0, 800.0]))
    return float(np.abs(np.array(found(x, y)) - np.array(truth(x, y))).max())


def shifted(dx: float, dy: float) -> Polynomial:
    return Polynomial.linear(np.eye(2), np.array([dx, dy]))


def turned(angle: float, dx: float, dy: float, scale: float = 1.0) -> Polynomial:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[c, -s], [s, c]])
    middle = np.full(2, 400.0)
    return Polynomial.linear(matrix, middle - matrix @ middle + [dx, dy])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5), st.floats(-5, 5))
def test_small_offsets_are_found_among_spurious_entries(seed: int, dx: float, dy: float) -> None:
    one, two = lists(seed, shifted(dx, dy), spurious=1.0)
    guess = small_offset(*one, *two)
    assert guess is not None
    assert guess.significant
    assert off(guess.transform, shifted(dx, dy)) < 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.5, 1))
def test_any_shift_is_found_with_partial_overlap(
    seed: int, dx: float, dy: float, part: float
) -> None:
    one, two = lists(seed, shifted(dx, dy), spurious=1.0, part=part)
    guess = unknown_shift(*one, *two)
    assert guess is not None
    assert guess.significant
    assert off(guess.transform, shifted(dx, dy)) < 0.5


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 10**6),
    st.floats(-np.pi, np.pi),
    st.floats(-300, 300),
    st.floats(-300, 300),
    st.floats(0.999, 1.001),
)
def test_any_rotation_is_found(seed: int, angle: float, dx: float, dy: float, scale: float) -> None:
    truth = turned(angle, dx, dy, scale)
    one, two = lists(seed, truth, n=40, spurious=0.7, part=0.8)
    guess = shift_and_rotation(*one, *two)
    assert guess is not None
    assert guess.significant
    assert off(guess.transform, truth) < 3


@pytest.mark.parametrize("find", [small_offset, unknown_shift, shift_and_rotation])
def test_unrelated_lists_give_nothing_significant(find) -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        guess = find(*rng.uniform(0, 800, (2, 70)), *rng.uniform(0, 800, (2, 70)))
        assert guess is None or not guess.significant


@pytest.mark.parametrize("find", [small_offset, unknown_shift, shift_and_rotation])
def test_empty_lists_give_nothing(find) -> None:
    none = np.zeros(0)
    assert find(none, none, none, none) is None
