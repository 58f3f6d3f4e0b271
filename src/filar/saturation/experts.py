"""The default network: it does not measure a star, it judges those who did.

Each classic estimate of a star's light is an expert. From all of them and the circumstances a small
perceptron tells how far off each one is likely to be and in which direction; they are then averaged
by these errors. Ordinary PSF photometry is one of the experts and is taken at its word, so that
below saturation, where it is best, it decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from filar.errors import ParameterError
from filar.saturation.evidence import CONTEXT, EXPERTS
from filar.saturation.inputs import Inputs

PSF, APERTURE = EXPERTS.index("psf"), EXPERTS.index("aperture")
FLOORS = {"psf": 0.002, "trail": 0.01}
FLOOR = 0.02
"""Dex: errors beside the quoted ones, for the first guess."""
LARGEST_BIAS = 0.25
"""Dex: an expert that is farther off is not corrected, only distrusted."""
FIRST_SCATTER, LEAST_SCATTER, LARGEST_SCATTER = -4.0, -8.0, 1.0
"""Natural logarithm of dex."""
LARGEST_INFLATION = 2.5
"""Natural logarithm: how far the experts' errors may be off as a whole."""
TAILS = 5.0
"""Degrees of freedom of Student's t: blends are not normally distributed."""
DETAIL = 0.01
"""Dex: differences that matter."""


class Experts(nn.Module):
    """A judge of classic estimates.

    Parameters
    ----------
    layers : sequence of int
        Neurons of each hidden layer.
    silenced : float
        Probability that an expert is not heard in a training step.
    own : float
        Weight of each expert's own likelihood in the loss.
    """

    floors: Tensor

    def __init__(self, layers: Sequence[int], silenced: float, own: float) -> None:
        super().__init__()
        self.silenced, self.own = silenced, own
        count = len(EXPERTS)
        floors = torch.tensor([FLOORS.get(name, FLOOR) for name in EXPERTS])
        self.register_buffer("floors", floors, persistent=False)
        sizes = [4 * count + len(CONTEXT), *layers]
        parts: list[nn.Module] = []
        for before, after in pairwise(sizes):
            parts += [nn.Linear(before, after), nn.SiLU(inplace=True)]
        self.body = nn.Sequential(*parts)
        self.head = nn.Linear(sizes[-1], 2 * count + 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def judge(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """What each expert's estimate is corrected to, its error, and the error of all together.

        Parameters
        ----------
        batch : dict of str to tensor
            n stars, from `Inputs.batch`.

        Returns
        -------
        corrected, scatter : (n, experts) tensors
            log10 of electrons, and dex.
        inflation : (n,) tensor
            Factor of the error of the mean.
        """
        value, error, valid = batch["value"], batch["error"], batch["valid"]
        base = self.guess(value, error, valid)
        apart = torch.asinh((value - base[:, None]) / DETAIL) * valid
        precision = torch.log10(error.clamp(min=1e-4)) * valid
        features = [apart, precision, valid, batch["others"] * valid, batch["context"]]
        out = self.head(self.body(torch.cat(features, dim=1)))
        count = len(EXPERTS)
        bias = LARGEST_BIAS * torch.tanh(out[:, :count])
        bias = bias * (torch.arange(count, device=out.device) != PSF)
        wanted = (FIRST_SCATTER + out[:, count : 2 * count]).clamp(LEAST_SCATTER, LARGEST_SCATTER)
        inflation = LARGEST_INFLATION * torch.tanh(out[:, -1] / LARGEST_INFLATION)
        scatter = torch.sqrt(error**2 + torch.exp(2 * wanted))
        return value + bias, scatter, torch.exp(inflation)

    def guess(self, value: Tensor, error: Tensor, valid: Tensor) -> Tensor:
        """First guess: the experts' weighted median, (n,); saturated pixels spoil the aperture."""
        weight = valid / (error**2 + self.floors**2)
        weight = weight * (torch.arange(len(EXPERTS), device=value.device) != APERTURE)
        alone = weight.sum(dim=1, keepdim=True) == 0
        weight = torch.where(alone, valid, weight)
        order = torch.argsort(value, dim=1)
        share = torch.cumsum(torch.gather(weight, 1, order), dim=1)
        middle = (share < 0.5 * share[:, -1:]).sum(dim=1, keepdim=True)
        middle = middle.clamp(max=len(EXPERTS) - 1)
        return torch.gather(value, 1, torch.gather(order, 1, middle))[:, 0]

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Mean of the experts and its error: (n,) each, log10 of electrons and dex."""
        corrected, scatter, inflation = self.judge(batch)
        return _mean(corrected, scatter, batch["valid"], inflation)

    def predict(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """As `forward`; NaN where no expert has an estimate."""
        mean, sigma = self(batch)
        told = batch["valid"].any(dim=1)
        nothing = torch.full_like(mean, float("nan"))
        return torch.where(told, mean, nothing), torch.where(told, sigma, nothing)

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative log-likelihood of the true light, with Student's t.

        Parameters
        ----------
        batch : dict of str to tensor
            With ``log_n`` and ``log_n_err`` too.

        Returns
        -------
        loss : tensor
            Mean over the stars.
        figures : dict of str to tensor
            ``mad``: mean absolute deviation, dex.
        """
        if self.training and self.silenced:
            batch = self._silence(batch)
        corrected, scatter, inflation = self.judge(batch)
        valid = batch["valid"]
        mean, sigma = _mean(corrected, scatter, valid, inflation)
        truth, error = batch["log_n"], batch["log_n_err"]
        told = valid.any(dim=1)
        whole = _surprise(mean - truth, sigma, error)
        each = _surprise(corrected - truth[:, None], scatter, error[:, None])
        of_experts = (each * valid).sum(dim=1) / valid.sum(dim=1).clamp(min=1)
        count = told.sum().clamp(min=1)
        loss = ((whole + self.own * of_experts) * told).sum() / count
        return loss, {"mad": ((mean - truth).abs() * told).sum() / count}

    def _silence(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Some experts are not heard, as long as one is left."""
        valid = batch["valid"]
        heard = valid * (torch.rand_like(valid) >= self.silenced)
        enough = heard.any(dim=1, keepdim=True)
        return batch | {"valid": torch.where(enough, heard, valid)}


def _mean(
    corrected: Tensor, scatter: Tensor, valid: Tensor, inflation: Tensor
) -> tuple[Tensor, Tensor]:
    weight = valid / scatter**2
    total = weight.sum(dim=1).clamp(min=1e-6)
    return (weight * corrected).sum(dim=1) / total, inflation / torch.sqrt(total)


def _surprise(rest: Tensor, sigma: Tensor, error: Tensor) -> Tensor:
    """Negative logarithm of Student's t, without its constant."""
    variance = sigma**2 + error**2
    tails = 0.5 * (TAILS + 1) * torch.log1p(rest**2 / (TAILS * variance))
    return 0.5 * torch.log(variance) + tails


def build(
    inputs: Inputs,
    *,
    layers: Sequence[int] = (128, 128, 128),
    silenced: float = 0.1,
    own: float = 0.1,
) -> Experts:
    """Build the network.

    Parameters
    ----------
    inputs : Inputs
        What it is given.
    layers : sequence of int
        Neurons of each hidden layer.
    silenced : float
        Probability that an expert is not heard in a training step.
    own : float
        Weight of each expert's own likelihood in the loss.

    Returns
    -------
    Experts
        With weights from torch's generator.

    Raises
    ------
    ParameterError
        If an option makes no sense.
    """
    if not layers or min(layers) < 1:
        raise ParameterError("network.layers", list(layers), "one or more layers of 1 or more")
    if not 0 <= silenced < 1:
        raise ParameterError("network.silenced", silenced, "0 or more, below 1")
    if not own >= 0:
        raise ParameterError("network.own", own, "0 or more")
    return Experts(tuple(layers), silenced, own)
