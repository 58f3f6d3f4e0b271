"""Our network: a quick guess, the fit with the PSF that it is told, and a correction.

A network that has only seen rasters must learn every PSF that it shall serve. This one is told the
PSF instead (`RasterPSF`, of the exposure's own fit) and takes what physics knows from it: a small
perceptron guesses the place, Gauss-Newton steps of the weighted least-squares fit bring it to the
Cramer-Rao bound of a PSF that is right, and three perceptrons learn the rest.

* `bias`: what is wrong with the PSF, from the place in the pixel and on the chip and the PSF's
  state. It is not told how faint a star is: the mean of all places where a faint undersampled star
  may be, given its pixels, lies off the likeliest one by a part of its error, and a network that
  learns that mean trades scatter for pixel-phase bias, 13 mpix at a signal-to-noise ratio of 15.
* `clean`: light that does not belong to the star, from the residuals of the fit, where one of them
  is larger than noise makes them.
* `spread`: the errors, from everything.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from filar.centering.blocks import perceptron
from filar.centering.rasterpsf import REACH
from filar.centering.step import LEAST_FLUX, Fit, converge

Batch = dict[str, Tensor]
BIAS_UNIT = 0.02  # pixels, of the part of the correction that does not scale with the noise
STRANGE = 5.0  # standard deviations
SOFTNESS = 5.0  # standard deviations beyond which residuals are compressed
MOST_PULL = 4.0
GUESS_REACH = 0.7  # pixels
GUESS_SCALE, GUESS_WEIGHT = 0.02, 10.0  # pixels, and beside the likelihood
FAINTEST = 0.005  # pixels of formal error: `bias` takes fainter stars for stars of this error


class GuidedNet(nn.Module):
    """Network of the recipe filar-centering, see above.

    Parameters
    ----------
    size : int
        Side of the rasters, pixels.
    state : int
        Numbers that describe a PSF, see `filar.centering.inputs.psf_state`.
    width, blocks : int
        Of the perceptrons that correct and tell the errors.
    guess_width, guess_blocks : int
        Of the one that guesses.
    steps : int
        Gauss-Newton steps at most; stars that have settled take no further ones.
    model_error : float
        Relative error of the PSF, which limits the weights of bright pixels.
    """

    def __init__(
        self,
        size: int,
        *,
        state: int,
        width: int = 128,
        blocks: int = 2,
        guess_width: int = 128,
        guess_blocks: int = 2,
        steps: int = 5,
        model_error: float = 0.003,
    ) -> None:
        super().__init__()
        pixels = size * size
        self.middle = (size - 1) / 2
        self.steps, self.model_error = steps, model_error
        self.register_buffer("state_mean", torch.zeros(state))
        self.register_buffer("state_scale", torch.ones(state))
        self.guess = perceptron(2 * pixels + 1 + state, guess_width, guess_blocks, 2)
        self.bias = perceptron(5 + state, width, blocks, 2)
        self.clean = perceptron(2 * pixels, width, blocks, 2)
        self.spread = perceptron(2 * pixels + 8 + state, width, blocks, 2)

    def describe_states(self, states: Tensor) -> None:
        """Learn from (groups, state) PSF states of the training data how to scale them."""
        scale = states.std(0, unbiased=False)
        # in a set of one focus a state hardly varies: what it differs by elsewhere is no signal yet
        floor = 0.01 * states.abs().amax()
        self.state_mean.copy_(states.mean(0))  # type: ignore[operator]
        self.state_scale.copy_(scale.clamp(min=float(floor)))  # type: ignore[operator]

    def scaled_state(self, batch: Batch) -> Tensor:
        """PSF states in units of the training data's spread: (n, state)."""
        return (batch["state"] - self.state_mean) / self.state_scale  # type: ignore[operator]

    def forward(self, batch: Batch) -> Batch:
        """Guess, fit and correct.

        Parameters
        ----------
        batch : dict of tensors
            See `filar.centering.inputs.GuidedInputs`.

        Returns
        -------
        dict of tensors
            ``place`` and ``log_error`` (n, 2): offset from the middle of the raster, and the
            logarithm of its error, pixels; ``fit``, ``fit_error``: the same before the correction;
            ``start``: the guess; ``flux`` (n,): electrons; ``psf_distance`` (n,): see
            `filar.centering.model.Answer`.
        """
        good, light = batch["good"], batch["light"] * batch["good"]
        state = self.scaled_state(batch)
        distance = state.square().mean(1).sqrt()
        state = state.clamp(-10, 10)
        total = light.sum(1).clamp(min=LEAST_FLUX)
        shape = (4 * light / total[:, None]).clamp(-4, 4)
        depth = torch.log10(total)[:, None] - 4
        guess = GUESS_REACH * torch.tanh(self.guess(torch.cat([shape, 1 - good, depth, state], 1)))
        start = guess.clamp(-REACH, REACH)
        with torch.no_grad():
            fit = converge(batch, start, self.steps, self.model_error)
            pixels, numbers = self._pixels(batch, fit), self._numbers(batch, fit)
            depth = -torch.log10(fit.error.mean(1, keepdim=True).clamp(max=FAINTEST)) - 2
            where = torch.cat([2 * fit.place, batch["place"], depth, state], 1)
            strange = torch.sigmoid(2 * (fit.residual.abs().amax(1, keepdim=True) - STRANGE))
        clean = strange * fit.error * self.clean(pixels)
        place = fit.place + BIAS_UNIT * self.bias(where) + clean
        log_error = torch.log(fit.error) + self.spread(torch.cat([pixels, numbers, state], 1))
        return {
            "place": place, "log_error": log_error, "start": guess,
            "fit": fit.place, "fit_error": fit.error, "flux": fit.flux, "psf_distance": distance,
        }  # fmt: skip

    def _pixels(self, batch: Batch, fit: Fit) -> Tensor:
        """What the fit left in each pixel, and which pixels are bad."""
        return torch.cat([SOFTNESS * torch.asinh(fit.residual / SOFTNESS), 1 - batch["good"]], 1)

    def _numbers(self, batch: Batch, fit: Fit) -> Tensor:
        """What the errors may depend on besides."""
        noise = torch.log10(batch["sky"].clamp(min=0) + batch["read_noise"] ** 2 + 1) - 1.5
        brightness = torch.log10(fit.flux) - 4
        plain = torch.stack([brightness, noise], 1)
        return torch.cat([2 * fit.place, plain, torch.log10(fit.error) + 2, batch["place"]], 1)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative logarithm of the labels' likelihood, their own errors included.

        Errors beyond `MOST_PULL` standard deviations count linearly, as Huber has it: blends and
        cosmic rays must not rule. The guess learns beside, its gradients do not mix with the rest.

        Parameters
        ----------
        batch : dict of tensors
            With ``label`` and ``label_error`` (n, 2), raster coordinates.

        Returns
        -------
        loss : tensor
        figures : dict of str to tensor
            ``error`` and ``guess_error``: rms errors of an axis, pixels; ``pull``: rms of error
            over expected error.
        """
        out = self(batch)
        label = batch["label"] - self.middle
        variance = torch.exp(2 * out["log_error"]) + batch["label_error"] ** 2
        miss = label - out["place"]
        pull = miss.abs() * variance.rsqrt()
        cost = torch.where(pull < MOST_PULL, pull**2, 2 * MOST_PULL * pull - MOST_PULL**2)
        likelihood = (0.5 * (cost + torch.log(variance))).mean()
        guess = nn.functional.smooth_l1_loss(
            out["start"], label.clamp(-GUESS_REACH, GUESS_REACH), beta=GUESS_SCALE
        )
        figures = {
            "error": miss.detach().square().mean().sqrt(),
            "pull": pull.detach().clamp(max=10).square().mean().sqrt(),
            "guess_error": (label - out["start"]).detach().square().mean().sqrt(),
        }
        return likelihood + GUESS_WEIGHT * guess, figures
