"""The plain inputs of a general network and of the baselines: magnitude, colours, covariates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from filar.completeness.inputs import Inputs


def feature_count(inputs: Inputs) -> int:
    """How many there are.

    Parameters
    ----------
    inputs : Inputs
        Of the model.

    Returns
    -------
    int
    """
    columns = len(inputs.bands) + len(inputs.covariates)
    return 2 * columns if inputs.gaps else columns


def features(batch: dict[str, Tensor], gaps: bool) -> Tensor:
    """Put a batch's inputs side by side.

    Parameters
    ----------
    batch : dict of str to tensor
        From `Inputs.batch`, n stars.
    gaps : bool
        Whether it matters what is known: `Inputs.gaps`.

    Returns
    -------
    (n, f) tensor
        First magnitude, colours of neighbouring bands (0 where one is missing), covariates; with
        gaps followed by what is known of magnitudes and covariates.
    """
    import torch

    mag, known = batch["mag"], batch["mag_known"]
    colors = (mag[:, :-1] - mag[:, 1:]) * known[:, :-1] * known[:, 1:]
    columns = [mag[:, :1], colors, batch["cov"]]
    return torch.cat([*columns, known, batch["cov_known"]] if gaps else columns, dim=1)
