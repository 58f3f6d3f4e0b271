"""The density of magnitude errors as a network gives it: correlated Gaussians, mixed.

Each component has a place and a width in every band and one common factor, so that its bands are
correlated, and so that the density in some of the bands is had by leaving out the others. Several
components make it skewed and give it tails. Places and widths are told in units of a first guess
from the star's own magnitude, so that the network has only to learn what that misses.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from filar.completeness.networks import Perceptrons, Standard, with_hidden

Batch = dict[str, Tensor]
COMPONENTS = 5
KNOTS = 17
LEAST_WEIGHT = 1e-3
"""Of a component, to begin with."""
MOST_LOOKED_AT = 10_000
"""Stars from which the components' first places are worked out."""
MOST_AWAY = 15.0
"""Units beyond which a star is taken for less far, so that a few do not make a component theirs."""
LOG_RANGE = 3.0
"""Most that a width's logarithm can be changed."""
MOST_COMMON = 0.98
"""Largest share of the common factor."""
MASKED = 0.1
"""Share of the stars that are trained on again with inputs hidden."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Densities of n stars, of k components in b bands.

    Parameters
    ----------
    log_weight : (n, k) tensor
        Normalised.
    place, width : (n, k, b) tensors
        Mean and standard deviation, mag.
    common : (n, k, b) tensor
        -1 to 1: a component's bands i and j have the correlation common_i common_j.
    """

    log_weight: Tensor
    place: Tensor
    width: Tensor
    common: Tensor

    def log_density(self, delta: Tensor, there: Tensor) -> Tensor:
        """Logarithm of the density at errors.

        Parameters
        ----------
        delta : (n, b) tensor
            Errors, mag.
        there : (n, b) tensor
            1 where they are known: the others are integrated over.

        Returns
        -------
        (n,) tensor
        """
        there = there[:, None]
        z = (delta[:, None] - self.place) / self.width * there
        own = 1 - self.common.square()
        inner = 1 + (there * self.common.square() / own).sum(dim=2)
        pull = (self.common * z / own).sum(dim=2)
        square = (z.square() / own).sum(dim=2) - pull.square() / inner
        volume = ((2 * self.width.log() + own.log() + math.log(2 * math.pi)) * there).sum(dim=2)
        log = self.log_weight - (square + volume + inner.log()) / 2
        return log.logsumexp(dim=1)

    def quantile(self, level: float) -> Tensor:
        """Where each band's own distribution reaches a level.

        Parameters
        ----------
        level : float
            0 to 1.

        Returns
        -------
        (n, b) tensor
            Mag, by bisection.
        """
        weight = self.log_weight.exp()[:, :, None]
        reach = self.width * 10
        low = (self.place - reach).amin(dim=1)
        high = (self.place + reach).amax(dim=1)
        for _ in range(40):
            middle = (low + high) / 2
            z = (middle[:, None] - self.place) / self.width
            below = (weight * torch.special.ndtr(z)).sum(dim=1) < level
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2


class MixtureNet(nn.Module):
    """Network that gives a star's density of magnitude errors.

    Parameters
    ----------
    bands, covariates : int
        b and c.
    width, layers : int
        Of the perceptron.
    penalty : float
        Half of it times the sum of the weights' squares is added to the summed loss.
    """

    first: Tensor
    knots: Tensor
    middle: Tensor
    log_spread: Tensor
    floor: Tensor
    step: Tensor
    stars: Tensor

    def __init__(
        self, bands: int, covariates: int, *, width: int, layers: int, penalty: float
    ) -> None:
        super().__init__()
        self.bands, self.penalty = bands, penalty
        self.components = COMPONENTS
        self.standard = Standard(bands, covariates)
        outputs = self.components * (1 + 3 * bands)
        self.net = Perceptrons(1, [self.standard.outputs, *[width] * layers, outputs])
        self.register_buffer("first", torch.zeros(self.components, 1 + 3 * bands))
        for name in ("knots", "middle", "log_spread"):
            self.register_buffer(name, torch.zeros(bands, KNOTS))
        self.register_buffer("floor", torch.zeros(bands))
        self.register_buffer("step", torch.zeros(bands))
        self.register_buffer("stars", torch.ones(()))

    def prepare(self, batch: Batch, step: Tensor) -> None:
        """Learn scales and a first guess of centre and spread as they go with magnitude.

        Parameters
        ----------
        batch : dict of str to tensor
            All recovered stars.
        step : (b,) tensor
            What the tables' errors are rounded to, mag; 0 if they are not.
        """
        self.standard.prepare(batch)
        self.step.copy_(step)
        # narrower than this the rounding does not tell
        self.floor.copy_((step / 4).clamp(min=1e-5))
        self.stars.fill_(len(batch["mag"]))
        levels = torch.linspace(0, 1, KNOTS, dtype=torch.float64)
        for b in range(self.bands):
            use = (batch["found"][:, b] > 0) & (batch["mag_known"][:, b] > 0)
            mag, order = batch["mag"][use, b].double().sort()
            delta = batch["delta"][use, b].double()[order]
            self.knots[b] = _quantiles(mag, levels)
            half = max(len(mag) // KNOTS // 2, min(20, len(mag) // 2))
            for k in range(KNOTS):
                at = round(float(levels[k]) * (len(mag) - 1))
                near = delta[max(0, at - half) : at + half + 1]
                low, middle, high = torch.quantile(near, torch.tensor([0.16, 0.5, 0.84]).double())
                self.middle[b, k] = middle
                spread = max(float(high - low) / 2, float(step[b]) / 3, 1e-4)
                self.log_spread[b, k] = math.log(spread)

        self._place_components(batch)

    def _place_components(self, batch: Batch) -> None:
        """Begin with the components that all stars together have, in units of the first guess.

        Otherwise the network would take long to move them to where blended stars are.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        whole = ((batch["found"] * batch["mag_known"]) > 0).all(dim=1)
        rows = torch.nonzero(whole)[:MOST_LOOKED_AT, 0]
        if len(rows) < 10 * self.components:  # hardly a star has all bands
            rows = torch.arange(min(len(whole), MOST_LOOKED_AT))
        mag, delta = batch["mag"][rows], batch["delta"][rows]
        rng = np.random.default_rng(0)
        noise = torch.from_numpy(rng.random(delta.shape) - 0.5) * self.step
        z = (delta + noise - self._at(self.middle, mag)) / self._at(self.log_spread, mag).exp()
        mixture = GaussianMixture(
            self.components, covariance_type="diag", reg_covar=1e-2, random_state=0
        )
        with warnings.catch_warnings():  # it is only a beginning
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = mixture.fit(z.clamp(-MOST_AWAY, MOST_AWAY).double().numpy())
        b = self.bands
        weight = np.maximum(fitted.weights_, LEAST_WEIGHT)
        self.first[:, 0] = torch.from_numpy(np.log(weight))
        self.first[:, 1 : 1 + b] = torch.from_numpy(fitted.means_)
        self.first[:, 1 + b : 1 + 2 * b] = torch.from_numpy(np.log(fitted.covariances_) / 2)

    def forward(self, batch: Batch) -> Mixture:
        """Densities of stars.

        Parameters
        ----------
        batch : dict of str to tensor
            n stars, from `Inputs.batch`.

        Returns
        -------
        Mixture
        """
        k, b = self.components, self.bands
        outputs = self.net(self.standard(batch)[None])[0].reshape(-1, k, 1 + 3 * b)
        spread = self._at(self.log_spread, batch["mag"]).exp()[:, None]
        middle = self._at(self.middle, batch["mag"])[:, None]
        logit, place, log, common = (outputs + self.first).split([1, b, b, b], dim=2)
        start = self.first[:, 1 + b : 1 + 2 * b]
        log = start + LOG_RANGE * torch.tanh((log - start) / LOG_RANGE)
        return Mixture(
            logit[..., 0].log_softmax(dim=1),
            middle + spread * place,
            self.floor + spread * log.exp(),
            MOST_COMMON * torch.tanh(common),
        )

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean negative log density; while training with the prior, and the rounding undone.

        Parameters
        ----------
        batch : dict of str to tensor
            Recovered stars.

        Returns
        -------
        loss : tensor
            Mean over the stars.
        figures : dict
            "density": without prior.
        """
        if not self.training:
            loss = -self(batch).log_density(batch["delta"], batch["found"]).mean()
            return loss, {"density": loss.detach()}
        # anywhere within the step that was rounded: else bright stars' widths run to 0
        noise = (torch.rand_like(batch["delta"]) - 0.5) * self.step
        batch = {**batch, "delta": batch["delta"] + noise}
        number = len(noise)
        batch = with_hidden(batch, MASKED)
        log = self(batch).log_density(batch["delta"], batch["found"])
        loss, figures = -log.sum() / number, {"density": -log[:number].detach().mean()}
        prior = torch.stack([weight.square().sum() for weight in self.net.weights]).sum()
        return loss + self.penalty / 2 / self.stars * prior, figures

    def _at(self, values: Tensor, mag: Tensor) -> Tensor:
        """Between the knots: (b, knots) values at (n, b) magnitudes; constant beyond the ends."""
        gaps = (self.knots[:, 1:] - self.knots[:, :-1]).clamp(min=1e-6)
        part = ((mag[:, :, None] - self.knots[:, :-1]) / gaps).clamp(0, 1)
        return values[:, 0] + (part * (values[:, 1:] - values[:, :-1])).sum(dim=2)


def _quantiles(ordered: Tensor, levels: Tensor) -> Tensor:
    """Quantiles of any number of ordered numbers; torch.quantile takes 16 million at most."""
    return ordered[(levels * (len(ordered) - 1)).round().long()]
