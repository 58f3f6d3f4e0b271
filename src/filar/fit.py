"""The classic measurement: least-squares PSF fits of position and flux, with errors and flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from filar.annulus import annulus_sky
from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.psf.bound import cramer_rao
from filar.psf.boxes import Boxes, cut, cut_boxes
from filar.psf.leastsq import MAX_OFFSET, BoxFits, fit_boxes, sky_response
from filar.psf.model import FieldPSF
from filar.psf.render import render_image
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Drawing = Callable[[FieldPSF, FloatArray, FloatArray, FloatArray], FloatArray]
SATURATED_BOX = 13  # pixels, for the wings of saturated stars
SATURATED_MODEL_ERROR = 0.05  # wings are the least known part of a PSF
RECENTRE = 0.6  # pixels from the centre of the box beyond which the box is moved
ACCEPTED_LOSS = 0.02  # of precision for bright stars, by a box that is not larger
BOXES = (5, 7, 9, 11)
NEIGHBOURHOOD = 12.0  # pixels
NEIGHBOUR_NODES = 3  # field nodes per axis of the PSF that is subtracted
MIN_SNR = 3.0  # of a star whose light is taken off others


@dataclass(frozen=True, eq=False)
class StarFits:
    """Measurements of stars, all arrays of shape (n,).

    Parameters
    ----------
    x, y : float array
        Pixels.
    flux : float array
        Electrons, in all of the PSF.
    sky : float array
        Electrons per pixel.
    x_err, y_err, flux_err, sky_err : float array
        Standard deviations, from the covariance; NaN where no fit was possible.
    qfit : float array
        Sum of the absolute residuals in the box over the flux, as hst1pass defines q.
    chi2 : float array
        Reduced chi-square.
    n_pixels : int array
        Pixels that counted.
    flags : int32 array
        Bits of `filar.flags.Flag`.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    sky: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    flux_err: FloatArray
    sky_err: FloatArray
    qfit: FloatArray
    chi2: FloatArray
    n_pixels: NDArray[np.int64]
    flags: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.x)


Rows = TypeVar("Rows", StarFits, BoxFits, Boxes)


def best_box(psf: FieldPSF, shape: tuple[int, int]) -> int:
    """Smallest box that loses next to nothing of a bright star's information.

    A box of 5 pixels does for WFPC2's wide-field chips; in F814W on the PC it would lose 9%.

    Parameters
    ----------
    psf : FieldPSF
    shape : (int, int)
        Rows and columns of the chip.

    Returns
    -------
    int
        Odd number of pixels.
    """
    phases = (np.arange(4) + 0.5) / 4 - 0.5
    x, y = (
        p.ravel() + s // 2 for p, s in zip(np.meshgrid(phases, phases), shape[::-1], strict=True)
    )
    errors = [
        np.mean(cramer_rao(psf, x, y, np.full(x.size, 2e4), sky=20.0, read_noise=5.0, box=box).x)
        for box in BOXES
    ]
    return next(
        b for b, e in zip(BOXES, errors, strict=True) if e <= errors[-1] * (1 + ACCEPTED_LOSS)
    )


@one_blas_thread
def fit_stars(
    exposure: Exposure,
    psf: FieldPSF,
    x: FloatArray,
    y: FloatArray,
    *,
    box: int | None = None,
    sky: Literal["annulus", "fit"] = "annulus",
    previous: StarFits | None = None,
    model_error: float = 0.0,
    saturated: BoolArray | None = None,
    draw: Drawing | None = None,
) -> StarFits:
    """Fit the PSF to stars.

    Parameters
    ----------
    exposure : Exposure
        The image.
    psf : FieldPSF
        Its PSF.
    x, y : (n,) array
        Start positions, good to half a pixel; pixels.
    box : int or None
        Odd size of the box; by default the smallest that keeps the information, see `best_box`.
    sky : {"annulus", "fit"}
        Sky from an annulus around each star, or free in each star's fit.
    previous : StarFits or None
        First fits of the same stars: this fit starts from them, and takes the light of all other
        stars off every star's pixels.
    model_error : float
        Relative error of the PSF, which limits the weights of bright stars.
    saturated : (n,) bool array or None
        Stars to be fitted by their unsaturated wings in a larger box; by default those with
        saturated pixels in the box.
    draw : callable or None
        Gives the image of stars, from a PSF and their x, y, flux: (ny, nx) electrons; for light
        that is known to be there besides theirs. By default `render_image`.

    Returns
    -------
    StarFits

    Raises
    ------
    ParameterError
        If the box is not an odd number of at least 3, or `sky` is neither of the two.
    """
    if sky not in ("annulus", "fit"):
        raise ParameterError("sky", sky, "'annulus' or 'fit'")
    size = best_box(psf, exposure.shape) if box is None else box
    if size < 3 or size % 2 == 0:
        raise ParameterError("box", box, "an odd number of pixels, 3 or more")
    x, y = (np.asarray(a, np.float64).ravel() for a in (x, y))
    job = _Job(exposure, psf, size, sky == "fit", model_error, saturated)
    if previous is None or not len(x):
        return job.run(x, y)
    # A faint star beside a bright one comes out of the first pass far too bright. It must be put
    # right, with the bright one taken off, before its own light is taken off the bright one.
    overshone = np.flatnonzero(has_brighter_neighbour(previous))
    fits, thin = previous, psf.thinned(NEIGHBOUR_NODES)
    for chosen in (overshone, overshone, np.arange(len(x))):
        if len(chosen):
            known = _known(exposure, thin, fits, draw).subset(chosen)
            new = job.subset(chosen).run(fits.x[chosen], fits.y[chosen], known)
            fits = put_rows(fits, chosen, new)
    return fits


def has_brighter_neighbour(fits: StarFits) -> BoolArray:
    """Stars with a brighter one within `NEIGHBOURHOOD` pixels: (n,)."""
    flux = np.nan_to_num(fits.flux)
    pairs = cKDTree(np.c_[fits.x, fits.y]).query_pairs(NEIGHBOURHOOD, output_type="ndarray")
    fainter = np.where(flux[pairs[:, 0]] < flux[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    result = np.zeros(len(flux), bool)
    result[fainter] = True
    return result


def put_rows(whole: Rows, chosen: NDArray[np.intp], part: Rows) -> Rows:
    """Replace some rows of a dataclass of arrays; what is no array stays."""
    columns = {}
    for one in fields(whole):
        column = getattr(whole, one.name)
        if isinstance(column, np.ndarray):
            column = column.copy()
            column[chosen] = getattr(part, one.name)
        columns[one.name] = column
    return type(whole)(**columns)


def is_trusted(fits: StarFits) -> BoolArray:
    """Fits that converged to a significant flux: (n,)."""
    ill = (fits.flags & (Flag.NOT_CONVERGED | Flag.NO_FIT)) != 0
    return np.asarray(~ill & (fits.flux > MIN_SNR * fits.flux_err))


@dataclass(frozen=True, eq=False)
class _Known:
    """What earlier fits say: an image of all trusted stars, and each star's own part in it."""

    psf: FieldPSF
    model: FloatArray
    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def subset(self, chosen: NDArray[np.intp]) -> _Known:
        return _Known(self.psf, self.model, self.x[chosen], self.y[chosen], self.flux[chosen])

    def own_light(self, cx: NDArray[np.int64], cy: NDArray[np.int64], box: int) -> FloatArray:
        """Each star's part of the model in the box around (cx, cy): (n, box * box)."""
        # the star may since have moved to the next pixel
        stamps = self.psf.stamps(self.x, self.y, box + 4) * self.flux[:, None, None]
        span = np.arange(box)
        rows = np.clip(cy - np.rint(self.y).astype(int) + 2, 0, 4)[:, None] + span
        columns = np.clip(cx - np.rint(self.x).astype(int) + 2, 0, 4)[:, None] + span
        star = np.arange(len(cx))[:, None, None]
        return np.asarray(
            stamps[star, rows[:, :, None], columns[:, None, :]].reshape(-1, box * box)
        )


def _known(exposure: Exposure, psf: FieldPSF, fits: StarFits, draw: Drawing | None) -> _Known:
    """Draw the stars that were fitted properly: what did not converge may be no star at all."""
    flux = np.where(is_trusted(fits), fits.flux, 0.0)
    use = flux > 0
    stars = fits.x[use], fits.y[use], flux[use]
    image = render_image(psf, exposure.shape, *stars) if draw is None else draw(psf, *stars)
    return _Known(psf, image, fits.x, fits.y, flux)


@dataclass(frozen=True, eq=False)
class _Job:
    """What stays the same between the groups and passes of one call of `fit_stars`."""

    exposure: Exposure
    psf: FieldPSF
    box: int
    fit_sky: bool
    model_error: float
    saturated: BoolArray | None

    def subset(self, chosen: NDArray[np.intp]) -> _Job:
        """The same for some of the stars."""
        saturated = None if self.saturated is None else self.saturated[chosen]
        return replace(self, saturated=saturated)

    def run(
        self,
        x: FloatArray,
        y: FloatArray,
        known: _Known | None = None,
    ) -> StarFits:
        """Fit ordinary stars in the box and saturated ones in a larger one."""
        wings = self.saturated
        if wings is None:
            wings = self._touches(self.exposure.saturated, x, y)
        empty: dict[str, Any] = {f.name: np.empty(len(x)) for f in fields(StarFits)}
        empty |= {"n_pixels": np.empty(len(x), np.int64), "flags": np.empty(len(x), np.int32)}
        result = StarFits(**empty)
        for chosen, box, error in (
            (np.flatnonzero(~wings), self.box, self.model_error),
            (np.flatnonzero(wings), max(self.box, SATURATED_BOX), SATURATED_MODEL_ERROR),
        ):
            part = None if known is None else known.subset(chosen)
            error = max(error, self.model_error)
            new = self._group(x[chosen], y[chosen], box, error, part)
            result = put_rows(result, chosen, new)
        result.flags[wings] |= Flag.SATURATED
        return result

    def _touches(self, mask: BoolArray, x: FloatArray, y: FloatArray) -> BoolArray:
        """Stars with a pixel of the mask in their box."""
        centre = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
        return np.asarray(cut(mask, *centre, self.box, False).any(axis=1))

    def _boxes(self, x: FloatArray, y: FloatArray, box: int, known: _Known | None) -> Boxes:
        """Pixels around the stars, with the light of their neighbours if it is known."""
        if known is None:
            return cut_boxes(self.exposure, x, y, box)
        centre = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
        others = cut(known.model, *centre, box, 0.0) - known.own_light(*centre, box)
        return cut_boxes(self.exposure, x, y, box, others)

    def _group(
        self, x: FloatArray, y: FloatArray, box: int, model_error: float, known: _Known | None
    ) -> StarFits:
        """Fit stars that share a box size."""
        data = self.exposure.data if known is None else self.exposure.data - known.model
        ring = annulus_sky(data, self.exposure.unusable, x, y, max(self.exposure.read_noise, 1e-6))
        boxes = self._boxes(x, y, box, known)
        level, halo = ring.level, np.zeros(len(x))
        if known is None:
            halo = self.psf.annulus_mean(x, y)
            light = np.where(boxes.good, boxes.pixels - level[:, None], 0).sum(axis=1)
            flux = np.maximum(light, 10.0) * 1.15
        else:  # the image that the ring was measured on has no stars
            flux = np.maximum(known.flux, 10.0)
        table = self.psf.table(box)
        how: dict[str, Any] = {"fit_sky": self.fit_sky, "model_error": model_error}
        fits = fit_boxes(table, boxes, x, y, np.maximum(flux, 1.0), level, **how)
        away = np.maximum(np.abs(fits.x - boxes.x), np.abs(fits.y - boxes.y)) > RECENTRE
        again = np.flatnonzero(away | (halo > 0))
        if len(again):
            # once more without the star's own halo in its sky, and in the right box
            light = np.maximum(fits.flux[again], 0)
            level = ring.level[again] - light * halo[again]
            x, y, flux = fits.x[again], fits.y[again], np.maximum(fits.flux[again], 1.0)
            part = self._boxes(x, y, box, None if known is None else known.subset(again))
            new = fit_boxes(table, part, x, y, flux, level, **how)
            fits, boxes = put_rows(fits, again, new), put_rows(boxes, again, part)
        return self._result(fits, boxes, box, ring.error, model_error)

    def _result(
        self, fits: BoxFits, boxes: Boxes, box: int, ring_error: FloatArray, model_error: float
    ) -> StarFits:
        """Errors, quality and flags."""
        covariance = fits.covariance.copy()
        if not self.fit_sky:
            response = sky_response(self.psf.table(box), boxes, fits, model_error)
            covariance += (
                response[:, :, None] * response[:, None, :] * ring_error[:, None, None] ** 2
            )
        variance = np.einsum("nii->ni", covariance)
        sigma = np.sqrt(np.where(variance > 0, variance, np.nan))
        n_pixels = boxes.good.sum(axis=1)
        residual = np.where(boxes.good, fits.residual, 0)
        noise = np.maximum(fits.expected, 0) + boxes.read_noise**2
        noise = noise + (model_error * (fits.expected - fits.sky[:, None])) ** 2
        freedom = np.maximum(n_pixels - (4 if self.fit_sky else 3), 1)
        failed = ~np.isfinite(sigma[:, 0])
        flux = np.where(failed, np.nan, fits.flux)
        positive = np.where(flux > 0, flux, np.nan)
        return StarFits(
            x=fits.x, y=fits.y, flux=flux, sky=fits.sky,
            x_err=sigma[:, 0], y_err=sigma[:, 1], flux_err=sigma[:, 2],
            sky_err=sigma[:, 3] if self.fit_sky else ring_error,
            qfit=np.abs(residual).sum(axis=1) / positive,
            chi2=np.where(failed, np.nan, (residual**2 / noise).sum(axis=1) / freedom),
            n_pixels=n_pixels, flags=self._flags(fits, boxes, box, failed),
        )  # fmt: skip

    def _flags(self, fits: BoxFits, boxes: Boxes, box: int, failed: BoolArray) -> NDArray[np.int32]:
        flags = np.zeros(len(fits.x), np.int32)
        x, y = boxes.x, boxes.y
        at_edge = cut(self.exposure.edge, x, y, box, True).any(axis=1)
        bad = cut(self.exposure.mask & ~self.exposure.edge, x, y, box, False).any(axis=1)
        stuck = np.maximum(np.abs(fits.x - x), np.abs(fits.y - y)) >= MAX_OFFSET
        flags[at_edge] |= Flag.EDGE
        flags[bad] |= Flag.MASKED
        flags[(~fits.converged | stuck) & ~failed] |= Flag.NOT_CONVERGED
        flags[failed] |= Flag.NO_FIT
        flags[fits.flux <= 0] |= Flag.NON_POSITIVE
        return flags
