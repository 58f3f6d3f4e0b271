"""Run as a program: trains several times and kills itself on the way."""

from __future__ import annotations

import os
import signal
import sys

from filar.learn.train import Progress
from filar.saturation.estimator import SaturationModel
from tests.saturation.toys import small_recipe, toy_samples

if __name__ == "__main__":
    folder, epochs, trainings = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    def kill(now: Progress) -> None:
        """End without a word after so many epochs."""
        if now.epoch == epochs:
            os.kill(os.getpid(), signal.SIGKILL)

    SaturationModel(small_recipe(network__trainings=trainings)).fit(
        toy_samples(), folder=folder, checkpoint_seconds=0, progress=kill
    )
