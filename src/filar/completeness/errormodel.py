"""The magnitudes' errors beside a recovery probability: learnt from the same stars, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filar.completeness.inputs import Inputs
from filar.completeness.scatter import LEAST_RECOVERED, MagnitudeErrors
from filar.completeness.table import ArtificialStars
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "errors."
"""Before the names of their tensors in a model file."""
_FACTS = "errors_"


def fit_errors(
    inputs: Inputs, stars: ArtificialStars, folder: Path | None, seed: int, **options: Any
) -> MagnitudeErrors | None:
    """Learn the errors of magnitudes, as functions of the magnitudes that were put in.

    Parameters
    ----------
    inputs : Inputs
        Of the recovery probability, whose covariates are used.
    stars : ArtificialStars
        Those to train on.
    folder : Path or None
        The training's folder; theirs lies in it.
    seed : int
        Of the training.
    **options
        See `MagnitudeErrors.fit`.

    Returns
    -------
    MagnitudeErrors or None
        None if too few stars were recovered.
    """
    there = stars.found[stars.recovered].sum(axis=0)
    if there[inputs.columns(stars)].min() < LEAST_RECOVERED:
        return None
    if inputs.magnitudes != "input":
        inputs = Inputs.learn(stars, "input", inputs.covariates)
    place = None if folder is None else folder / "errors"
    return MagnitudeErrors.fit(stars, inputs, seed, folder=place, **options)


def error_facts(inputs: Inputs, errors: MagnitudeErrors | None) -> dict[str, Any]:
    """What a card has to say of them.

    Parameters
    ----------
    inputs : Inputs
        Of the recovery probability.
    errors : MagnitudeErrors or None
        Learnt beside it.

    Returns
    -------
    dict of str to float, list or str
        Their inputs, where these are others.
    """
    if errors is None or errors.inputs == inputs:
        return {}
    return {_FACTS + name: value for name, value in errors.inputs.facts().items()}


def load_errors(
    inputs: Inputs,
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    path: str | PathLike[str],
) -> MagnitudeErrors | None:
    """Make them again from a model file.

    Parameters
    ----------
    inputs : Inputs
        Of the recovery probability.
    facts : mapping
        The card's.
    tensors : mapping of str to tensor
        The file's.
    path : path-like
        The file, for messages.

    Returns
    -------
    MagnitudeErrors or None
        None if the file holds none.

    Raises
    ------
    InputFileError
        If they are damaged.
    """
    if not any(name.startswith(PREFIX) for name in tensors):
        return None
    own = {k.removeprefix(_FACTS): v for k, v in facts.items() if k.startswith(_FACTS)}
    try:
        return MagnitudeErrors.from_tensors(
            tensors, PREFIX, Inputs.from_facts(own) if own else inputs
        )
    except (ParameterError, LookupError, TypeError, ValueError) as error:
        found = f"damaged: magnitudes' errors: {error}"
        raise InputFileError(path, found, "a whole model file", "train it again") from error
