"""Speed and accuracy of mock star clusters.

Run as ``python -m benchmarks.cluster_mocks [ISOCHRONES]``: files of the PARSEC web form, or none
for the packaged isochrones. It prints 64x64 mocks per second of one and of two processes, in
three bands (M 83) and one (M 31), mocks per second of processor time of one process (what other
programs on the same cores do not change much), and the error of drawing a star through the grid.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from filar.errors import FilarError
from filar.populations import IsochroneSet, packaged_isochrones, read_isochrones
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.canvas import Canvas, canvas_for
from filar.simulate.clusters.mock import draw_mocks
from filar.simulate.clusters.settings import MockSettings

COUNT = 400
WARM_UP = 20


def isochrones(settings: MockSettings, paths: list[str]) -> IsochroneSet:
    bands = settings.camera.filters
    return read_isochrones(paths, bands=bands) if paths else packaged_isochrones(bands)


def seconds(task: tuple[str, list[str], int]) -> tuple[float, float]:
    """Wall-clock and processor time of one process for `COUNT` mocks, without its set-up."""
    name, paths, seed = task
    settings = MockSettings(preset_camera(name))
    stars = isochrones(settings, paths)
    draw_mocks(settings, stars, WARM_UP, seed)
    start, busy = time.perf_counter(), time.process_time()
    draw_mocks(settings, stars, COUNT, seed + 1)
    return time.perf_counter() - start, time.process_time() - busy


def speed(name: str, paths: list[str], processes: int) -> tuple[float, float]:
    """Mocks per second of all processes, and per second of processor time."""
    tasks = [(name, paths, 10 * number) for number in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        times = list(pool.map(seconds, tasks))
    wall, busy = zip(*times, strict=True)
    return sum(COUNT / one for one in wall), processes * COUNT / sum(busy)


def direct_star(canvas: Canvas, x: float, y: float) -> np.ndarray:
    """One star by the sum over all frequencies: (bands, ny, nx)."""
    fy = np.fft.fftfreq(canvas.grid[0], 1 / canvas.fineness)
    fx = np.fft.rfftfreq(canvas.grid[1], 1 / canvas.fineness)
    rows = np.exp(2j * np.pi * np.outer(np.arange(canvas.shape[0]) - y, fy))
    columns = np.exp(2j * np.pi * np.outer(fx, np.arange(canvas.shape[1]) - x))
    columns *= np.where(fx > 0, 2.0, 1.0)[:, None]
    return (rows @ canvas.transforms @ columns).real / np.prod(canvas.period)


def worst_error(name: str) -> float:
    """Largest error of any pixel over the star's peak, 30 places."""
    camera = preset_camera(name)
    canvas = canvas_for(camera, (64, 64))
    worst = 0.0
    for x, y in np.random.default_rng(1).uniform(5, 58, (30, 2)):
        drawn = canvas.draw(np.array([x]), np.array([y]), np.ones((1, len(camera.bands))))
        truth = direct_star(canvas, x, y)
        worst = max(worst, float(np.max(np.abs(drawn - truth) / truth.max((1, 2), keepdims=True))))
    return worst


def main() -> None:
    paths = sys.argv[1:]
    print(f"64x64 mocks, {os.cpu_count()} cores; error of a star over its peak")
    print("camera       bands  mocks/s: 1 process  2 processes  per processor second    error")
    for name in ("m83", "m31-f475w"):
        bands = len(preset_camera(name).bands)
        try:
            (one, busy), (two, _) = (speed(name, paths, processes) for processes in (1, 2))
        except FilarError as missing:
            print(f"{name:12} {missing}")
            continue
        error = worst_error(name)
        print(f"{name:12} {bands:5d} {one:18.0f} {two:12.0f} {busy:21.0f} {error:8.1e}")


if __name__ == "__main__":
    main()
