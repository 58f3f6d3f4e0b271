"""What the models say of held-out surveys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filar.report.saturation_facts import SaturationFacts
from filar.report.saturation_gather import Material, gather_from_models
from filar.report.saturation_page import report_numbers, write_saturation_report
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel


@dataclass(frozen=True, eq=False)
class Result:
    """One held-out survey, judged.

    Parameters
    ----------
    name, about : str
        Of the survey, see `experiments.w24.plan.Part`.
    regime : str
        Whose models judged it.
    facts : SaturationFacts
        What was found.
    found : dict of str to float
        Parts of the saturated and unsaturated targets that there are stamps of.
    """

    name: str
    about: str
    regime: str
    facts: SaturationFacts
    found: Mapping[str, float] = field(default_factory=dict)

    def numbers(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "about": self.about,
            "regime": self.regime,
            "found": self.found,
            **report_numbers(self.facts),
        }


def judge(
    name: str, about: str, regime: str, samples: Samples, models: Mapping[str, SaturationModel],
    folder: Path, seed: int, found: Mapping[str, float],
) -> Result:  # fmt: skip
    """Judge models by a survey that they were not trained on, and write its page.

    Parameters
    ----------
    name, about, regime, found
        See `Result`.
    samples : Samples
        Of the survey.
    models : mapping of str to SaturationModel
        By name.
    folder : Path
        Where the page goes.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Result
    """
    material = Material(f"{name}: {about}", samples, models, seed=seed)
    facts = gather_from_models(material)
    write_saturation_report(folder / f"{name}.html", facts)
    return Result(name, about, regime, facts, found)
