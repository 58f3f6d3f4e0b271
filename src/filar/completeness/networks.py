"""Our network of the recovery probability: edges in each band, and what they do not explain.

Stars are lost where a band ceases to find them: at its faint limit, and where it saturates. Both
are steps in that band's own magnitude whose place and width change slowly with colour, noise and
crowding. The network is told that form:

    P = product over the bands of  sigmoid((faint - m) / width) * sigmoid((m - bright) / width')
        times  sigmoid(rest),

with `faint`, `bright` and the widths from one small perceptron, and `rest` (neighbours, cuts, what
the bands lose together) from another that also sees how far a star is from the edges. So the steps
need not be learnt point by point, and a few thousand stars do.

Weights have a Gaussian prior: half its `penalty` times the sum of their squares is added to the
*summed* log loss, so that it yields to the data as their number grows, without being tuned to it.
A star fainter than all that it was trained on is taken for the faintest of them but for its own
distance from the faint limit, so that P falls to 0; a brighter one for the brightest of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, silu

from filar.completeness.edges import guess_edges
from filar.completeness.inputs import Inputs
from filar.errors import ParameterError

Batch = dict[str, Tensor]
FAINT_WIDTH, BRIGHT_WIDTH = 0.3, 0.1
"""Magnitudes, to begin with."""
WIDTH_RANGE = 2.0
"""Most that a width's logarithm can differ from the first one's."""
LEAST = 1e-6
"""Least probability of loss: a star lost against all odds must not rule the training."""
PLATEAU = 3.0
"""Logit of recovery between the edges, to begin with."""
HIDDEN = 0.3
"""Probability that an input of a masked copy is hidden."""


class Perceptrons(nn.Module):
    """Several perceptrons of one shape side by side, as one batch of matrices.

    Parameters
    ----------
    members : int
        k of them.
    sizes : sequence of int
        Inputs, hidden layers, outputs.
    last : float
        Scale of the first weights of the last layer.
    """

    def __init__(self, members: int, sizes: Sequence[int], last: float = 0.1) -> None:
        super().__init__()
        self.weights, self.offsets = nn.ParameterList(), nn.ParameterList()
        layers = list(pairwise(sizes))
        for number, (before, after) in enumerate(layers):
            end = number == len(layers) - 1
            scale = (last if end else 1.0) / math.sqrt(before)
            self.weights.append(nn.Parameter(scale * torch.randn(members, before, after)))
            spread = 0.0 if end else 0.5
            self.offsets.append(nn.Parameter(spread * torch.randn(members, 1, after)))

    def forward(self, columns: Tensor) -> Tensor:
        """From (k, n, inputs) to (k, n, outputs)."""
        layers = list(zip(self.weights, self.offsets, strict=True))
        for weight, offset in layers[:-1]:
            columns = silu(torch.baddbmm(offset, columns, weight))
        weight, offset = layers[-1]
        return torch.baddbmm(offset, columns, weight)


class Standard(nn.Module):
    """Magnitudes, colours and covariates, standardised and kept within the training data.

    Parameters
    ----------
    bands, covariates : int
        b and c.
    """

    center: Tensor
    scale: Tensor
    low: Tensor
    high: Tensor
    brightest: Tensor
    faintest: Tensor

    def __init__(self, bands: int, covariates: int) -> None:
        super().__init__()
        columns = 2 * bands - 1 + covariates
        self.columns, self.outputs = columns, columns + bands + covariates
        for name, length in (
            ("center", columns), ("scale", columns), ("low", columns), ("high", columns),
            ("brightest", bands), ("faintest", bands),
        ):  # fmt: skip
            self.register_buffer(name, torch.zeros(length))

    def prepare(self, batch: Batch) -> None:
        """Learn centres, scales and ends from all training stars."""
        for number in range(batch["mag"].shape[1]):
            known = batch["mag"][batch["mag_known"][:, number] > 0, number]
            self.brightest[number], self.faintest[number] = known.min(), known.max()
        values, known = _columns(batch, batch["mag"])
        for number in range(self.columns):
            there = values[known[:, number] > 0, number].double()
            if not len(there):  # two bands that no star has together
                there = torch.zeros(1, dtype=torch.float64)
            spread = there.std(correction=0)
            self.center[number] = there.mean()
            self.scale[number] = spread if spread > 1e-6 else 1.0
            self.low[number], self.high[number] = there.min(), there.max()

    def forward(self, batch: Batch) -> Tensor:
        """Inputs of a perceptron: (n, outputs)."""
        mag = torch.minimum(torch.maximum(batch["mag"], self.brightest), self.faintest)
        values, known = _columns(batch, mag)
        values = torch.minimum(torch.maximum(values, self.low), self.high)
        values = (values - self.center) / self.scale * known
        # what is missing: 0 of what most stars have
        missing = torch.cat([batch["mag_known"], batch["cov_known"]], dim=1) - 1
        return torch.cat([values, missing], dim=1)


class EdgesNet(nn.Module):
    """Network of the recipe filar-completeness, see above.

    Parameters
    ----------
    bands, covariates : int
        b and c.
    members : int
        Networks trained at once, whose probabilities are averaged.
    width, layers : int
        Of the perceptrons.
    penalty : float
        Of the weights.
    masked : float
        Share of the stars that are trained on a second time with some of their inputs hidden, so
        that it knows what to say of stars that lack a magnitude or a covariate.
    """

    handles_missing = True
    faint: Tensor
    bright: Tensor
    stars: Tensor

    def __init__(
        self,
        bands: int,
        covariates: int,
        *,
        members: int = 1,
        width: int = 32,
        layers: int = 2,
        penalty: float = 3.0,
        masked: float = 0.2,
    ) -> None:
        super().__init__()
        self.members, self.penalty, self.masked = members, penalty, masked
        self.standard = Standard(bands, covariates)
        hidden = [width] * layers
        self.edges = Perceptrons(members, [self.standard.outputs, *hidden, 4 * bands])
        self.rest = Perceptrons(members, [self.standard.outputs + 4 * bands, *hidden, 1])
        self.edges_mean = nn.Parameter(torch.zeros(members, 1, 4 * bands))
        self.rest_mean = nn.Parameter(torch.full((members, 1, 1), PLATEAU))
        self.register_buffer("faint", torch.zeros(bands))
        self.register_buffer("bright", torch.zeros(bands))
        self.register_buffer("stars", torch.ones(()))

    def prepare(self, batch: Batch) -> None:
        """Learn scales and first edges.

        Parameters
        ----------
        batch : dict of str to tensor
            All training stars.
        """
        self.standard.prepare(batch)
        edges = guess_edges(batch)
        self.faint.copy_(torch.from_numpy(edges.faint))
        self.bright.copy_(torch.from_numpy(edges.bright))
        self.stars.fill_(len(batch["mag"]))

    def log_probability(self, batch: Batch) -> Tensor:
        """Logarithms of the members' probabilities.

        Parameters
        ----------
        batch : dict of str to tensor
            n stars, from `Inputs.batch`.

        Returns
        -------
        (k, n) tensor
        """
        known = batch["mag_known"]
        columns = self.standard(batch).expand(self.members, -1, -1)
        edges = self.edges(columns) + self.edges_mean
        faint, faint_width, bright, bright_width = edges.chunk(4, dim=2)
        mag = torch.maximum(batch["mag"], self.standard.brightest)
        below = (self.faint + faint - mag) / _width(faint_width, FAINT_WIDTH) * known
        above = (mag - self.bright - bright) / _width(bright_width, BRIGHT_WIDTH) * known
        near = [torch.tanh(below), torch.tanh(above), torch.tanh(below / 4), torch.tanh(above / 4)]
        rest = self.rest(torch.cat([columns, *near], dim=2)) + self.rest_mean
        both = (logsigmoid(below) + logsigmoid(above)) * known
        result: Tensor = both.sum(dim=2) + logsigmoid(rest[..., 0])
        return result

    def forward(self, batch: Batch) -> Tensor:
        """Logits of the mean probability of recovery.

        Parameters
        ----------
        batch : dict of str to tensor
            n stars, from `Inputs.batch`.

        Returns
        -------
        (n,) tensor
        """
        log = self.log_probability(batch).logsumexp(dim=0) - math.log(self.members)
        log = log.clamp(max=-LEAST)
        return log - torch.log(-torch.expm1(log))

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Log loss; while training the members' own, summed, with their penalty.

        Parameters
        ----------
        batch : dict of str to tensor
            With ``recovered``.

        Returns
        -------
        loss : tensor
            Mean over the stars.
        figures : dict
            "log": the members' mean log loss, without penalty.
        """
        if not self.training:
            loss = _log_loss(logsigmoid(self(batch)), batch["recovered"]).mean()
            return loss, {"log": loss.detach()}
        number = len(batch["recovered"])
        everything = with_hidden(batch, self.masked)
        losses = _log_loss(self.log_probability(everything), everything["recovered"])
        # over the stars, not the copies too, so that the prior's strength is the same
        loss = losses.sum() / number
        figures = {"log": losses[:, :number].detach().mean()}
        squares = [w.square().sum() for net in (self.edges, self.rest) for w in net.weights]
        prior = torch.stack([*squares, self.edges_mean.square().sum() / 2]).sum()
        return loss + self.penalty / 2 / self.stars * prior, figures


def build(
    inputs: Inputs,
    *,
    members: int = 1,
    width: int = 32,
    layers: int = 2,
    penalty: float = 3.0,
    masked: float = 0.2,
) -> EdgesNet:
    """Build the network.

    Parameters
    ----------
    inputs : Inputs
        What it is given.
    members, width, layers, penalty, masked : optional
        See `EdgesNet`.

    Returns
    -------
    EdgesNet
        With weights from torch's generator.

    Raises
    ------
    ParameterError
        If an option makes no sense.
    """
    for name, value in (("members", members), ("width", width), ("layers", layers)):
        if value < 1:
            raise ParameterError(f"network.{name}", value, "1 or more")
    if penalty < 0:
        raise ParameterError("network.penalty", penalty, "0 or more")
    if not 0 <= masked <= 1:
        raise ParameterError("network.masked", masked, "0 to 1")
    return EdgesNet(
        len(inputs.bands), len(inputs.covariates), members=members, width=width, layers=layers,
        penalty=penalty, masked=masked,
    )  # fmt: skip


def _columns(batch: Batch, mag: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitudes, colours of neighbouring bands and covariates, and which of them are known."""
    known = batch["mag_known"]
    colors, both = mag[:, :-1] - mag[:, 1:], known[:, :-1] * known[:, 1:]
    values = torch.cat([mag, colors, batch["cov"]], dim=1)
    return values, torch.cat([known, both, batch["cov_known"]], dim=1)


def _width(log: Tensor, first: float) -> Tensor:
    return first * torch.exp(WIDTH_RANGE * torch.tanh(log / WIDTH_RANGE))


def _log_loss(log: Tensor, recovered: Tensor) -> Tensor:
    log = log.clamp(max=-LEAST)
    return -torch.where(recovered > 0.5, log, torch.log(-torch.expm1(log)))


def with_hidden(batch: Batch, part: float) -> Batch:
    """Stars, and after them copies of the first of them with some inputs hidden.

    Parameters
    ----------
    batch : dict of str to tensor
        n stars in random order.
    part : float
        Of them that are copied.

    Returns
    -------
    dict of str to tensor
    """
    rows = round(part * len(batch["mag"]))
    if not rows:
        return batch
    some = hide_inputs({name: value[:rows] for name, value in batch.items()})
    return {name: torch.cat([value, some[name]]) for name, value in batch.items()}


def hide_inputs(batch: Batch) -> Batch:
    """Copy stars with some of their inputs hidden by chance.

    Parameters
    ----------
    batch : dict of str to tensor
        n stars, from `Inputs.batch`.

    Returns
    -------
    dict of str to tensor
        One magnitude at least stays known.
    """
    result = dict(batch)
    hide = torch.rand_like(batch["mag"]) < HIDDEN
    keep = ~hide | ((~hide * batch["mag_known"]).sum(dim=1, keepdim=True) == 0)
    result["mag_known"] = batch["mag_known"] * keep
    result["cov_known"] = batch["cov_known"] * (torch.rand_like(batch["cov"]) >= HIDDEN)
    for name in ("mag", "cov"):
        result[name] = batch[name] * result[f"{name}_known"]
    return result
