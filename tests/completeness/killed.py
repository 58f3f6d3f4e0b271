"""Run as a program: trains in steps on a small table and kills itself on the way."""

from __future__ import annotations

import os
import signal
import sys

from filar.completeness.estimator import CompletenessModel
from filar.learn.train import Progress
from tests.completeness.toys import stepped_recipe, toy_stars

if __name__ == "__main__":
    folder, epochs = sys.argv[1], int(sys.argv[2])

    def kill(now: Progress) -> None:
        """End without a word after so many epochs."""
        if now.epoch == epochs:
            os.kill(os.getpid(), signal.SIGKILL)

    CompletenessModel(stepped_recipe()).fit(
        toy_stars(600), folder=folder, checkpoint_seconds=0, progress=kill
    )
