"""A piece of a galaxy without clusters: what mock clusters lie on and what is taken for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations.extinction import Extinction
from filar.populations.isochrone import IsochroneSet
from filar.simulate.clusters.associations import (
    GroupSettings,
    chance_groups,
    draw_associations,
    member_positions,
    positions_from,
)
from filar.simulate.clusters.camera import ClusterCamera
from filar.simulate.clusters.canvas import canvas_for
from filar.simulate.clusters.dust import behind_sheet, mixed_in
from filar.simulate.clusters.fieldstars import (
    MOST_STARS,
    OLD_EDGES,
    YOUNG,
    FieldStars,
    Mixture,
    draw_field_stars,
    formed,
    mean_flux,
)
from filar.simulate.clusters.galaxy import Disc, DiscSettings, draw_disc
from filar.simulate.clusters.interlopers import (
    InterloperSettings,
    background_galaxies,
    foreground_stars,
)
from filar.simulate.cosmic_rays import COSMIC_RAY_RATE, cosmic_rays

FloatArray = NDArray[np.float64]
MARGIN = 40  # pixels around a scene whose stars shine into it: as far as light is followed
FAINTEST = 0.7  # S/N, alone on the mean background, from which a star is drawn by itself
PSF_PIXELS = 14.0  # noise-equivalent area of a star's image
BRIGHTEST = 0.02  # part of the stars that chance groups are made of
FULL_WELL = 72_000.0  # electrons, WFC3/UVIS (WFC3 Instrument Handbook, section 5.4)
KINDS = ("association", "chance group", "foreground star", "background galaxy")


@dataclass(frozen=True)
class SceneSettings:
    """What scenes are like.

    Parameters
    ----------
    disc : DiscSettings
        Light and dust.
    groups : GroupSettings
        Associations and chance groups.
    interlopers : InterloperSettings
        Foreground and background.
    z : float or None
        Metallicity of the stars; None for the Sun's.
    exposures : int
        Exposures that were added up: how soon bright stars saturate.
    cosmic_rays : float
        Part of the cosmic rays that was not rejected when they were added up.

    Raises
    ------
    ParameterError
        If `exposures` is not positive or `cosmic_rays` no part.
    """

    disc: DiscSettings = field(default_factory=DiscSettings)
    groups: GroupSettings = field(default_factory=GroupSettings)
    interlopers: InterloperSettings = field(default_factory=InterloperSettings)
    z: float | None = None
    exposures: int = 3
    cosmic_rays: float = 0.005

    def __post_init__(self) -> None:
        if not 1 <= self.exposures <= 1000:
            raise ParameterError("exposures", self.exposures, "1 to 1000")
        if not 0.0 <= self.cosmic_rays <= 1.0:
            raise ParameterError("cosmic_rays", self.cosmic_rays, "0 to 1")

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class SceneObjects:
    """What in a scene could be taken for a cluster.

    Parameters
    ----------
    kind : (n,) str array
        One of `KINDS`.
    x, y : (n,) array
        Pixels.
    radius : (n,) array
        Radius of half of an association's stars, pixels; NaN for others.
    log_age, log_mass : (n,) array
        Of associations; NaN for others.
    """

    kind: NDArray[np.str_]
    x: FloatArray
    y: FloatArray
    radius: FloatArray
    log_age: FloatArray
    log_mass: FloatArray

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Scene:
    """A piece of a galaxy.

    Parameters
    ----------
    rate : (bands, ny, nx) float32 array
        Electrons per second, sky included, free of noise unless `noisy`.
    objects : SceneObjects
        What is no cluster.
    a_v : (ny, nx) float32 array or None
        A_V through the whole disc.
    facts : dict
        What was drawn, plain numbers.
    noisy : bool
        Whether it is a real image, which has its own noise.
    """

    rate: NDArray[np.float32]
    objects: SceneObjects
    a_v: NDArray[np.float32] | None = None
    facts: dict[str, float] = field(default_factory=dict)
    noisy: bool = False


def draw_scene(
    settings: SceneSettings,
    camera: ClusterCamera,
    isochrones: IsochroneSet,
    shape: tuple[int, int],
    seed: int | np.random.Generator,
) -> Scene:
    """Draw a piece of a galaxy without clusters.

    Parameters
    ----------
    settings : SceneSettings
        What it is like.
    camera : ClusterCamera
        Bands, exposure times, pixel scale, distance.
    isochrones : IsochroneSet
        With the camera's bands.
    shape : (int, int)
        Rows and columns.
    seed : int or Generator
        The same seed gives the same scene.

    Returns
    -------
    Scene
        Old stars lie on both sides of a thin sheet of dust, young ones are mixed with it.

    Raises
    ------
    ParameterError
        If a band is missing from the isochrones, or the shape makes no sense.
    """
    if min(shape) < 1:
        raise ParameterError("shape", shape, "positive numbers of rows and columns")
    rng = np.random.default_rng(seed)
    painter = _Painter(settings, camera, isochrones.with_bands(camera.filters), shape, rng)
    painter.add_population(painter.old, painter.disc.old, behind_sheet, sheet=True)
    painter.add_population(YOUNG, painter.disc.young, mixed_in, sheet=False)
    painter.add_associations()
    painter.move_to_groups()
    painter.add_interlopers()
    return painter.scene()


def full_wells(settings: SceneSettings, camera: ClusterCamera) -> FloatArray:
    """Electrons per second at which pixels saturate, in each band.

    Parameters
    ----------
    settings : SceneSettings
        Says how many exposures were added up.
    camera : ClusterCamera
        Exposure times.

    Returns
    -------
    (bands,) array
    """
    return FULL_WELL * settings.exposures / camera.exposure_times


class _Painter:
    """Collects the stars and the smooth light of one scene on a canvas with a margin."""

    def __init__(
        self,
        settings: SceneSettings,
        camera: ClusterCamera,
        isochrones: IsochroneSet,
        shape: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        self.settings, self.camera, self.isochrones = settings, camera, isochrones
        self.rng = rng
        self.shape = (shape[0] + 2 * MARGIN, shape[1] + 2 * MARGIN)
        self.dust = Extinction(camera.filters)
        self.disc: Disc = draw_disc(
            settings.disc, self.shape, camera.pixel_scale, camera.distance_mpc, rng
        )
        self.old = formed(OLD_EDGES, self.disc.facts["timescale"])
        self.apparent = 10 ** (0.4 * camera.zero_points)  # electrons/s of magnitude 0
        self.absolute = camera.rate_of_unit
        self.smooth = np.zeros((len(camera.bands), *self.shape))
        self.stars: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self.objects: list[dict[str, Any]] = []
        self.limit = self._limit()

    def _limit(self) -> FloatArray:
        """Faintest flux, 10^(-0.4 M), that is drawn as a star in each band."""
        light = np.zeros(len(self.camera.bands))
        for mixture, luminosity in ((self.old, self.disc.old), (YOUNG, self.disc.young)):
            flux = mean_flux(self.isochrones, mixture, z=self.settings.z)
            light += flux * mixture.mass_to_light * luminosity.mean()
        limits = []
        for band, rate in zip(self.camera.bands, light * self.absolute, strict=True):
            electrons = (rate + band.sky) * band.exposure_time + band.read_noise**2
            limits.append(FAINTEST * np.sqrt(PSF_PIXELS * electrons) / band.exposure_time)
        return np.array(limits) / self.absolute

    def add_population(
        self,
        mixture: Mixture,
        luminosity: FloatArray,
        leaving: Callable[[FloatArray], FloatArray],
        *,
        sheet: bool,
    ) -> None:
        """Add the stars and the smooth light of the disc's old or young part."""
        mass = mixture.mass_to_light * float(luminosity.sum())
        if not mass > 0:
            return
        drawn = self._draw(mixture, mass)
        x, y = positions_from(luminosity, len(drawn), self.rng)
        depth = self.rng.uniform(size=len(drawn))
        part = np.where(depth < 0.5, 0.0, 1.0) if sheet else depth
        self._add_stars(drawn, x, y, part)
        share = luminosity / luminosity.sum()
        for b, rate in enumerate(drawn.unresolved * self.absolute):
            teff = np.full(1, drawn.unresolved_teff)
            amounts = np.linspace(0.0, float(self.disc.a_v.max()), 32)
            ratio = [float(self.dust.coefficients(teff, a)[0, b]) for a in amounts]
            left = leaving(amounts * np.array(ratio))
            self.smooth[b] += rate * share * np.interp(self.disc.a_v, amounts, left)

    def add_associations(self) -> None:
        """Add loose groups of young stars."""
        groups = draw_associations(
            self.settings.groups, self.disc.young, self.disc.pixel_parsec, self.rng
        )
        ages = self.isochrones.log_ages
        for i in range(len(groups)):
            age = float(np.clip(groups.log_age[i], ages[0], ages[-1]))
            drawn = self._draw(Mixture((age,), (1.0,), 1.0), float(groups.mass[i]))
            # the light of the faint members goes to points among the others
            points = max(len(drawn), 200)
            dx, dy = member_positions(len(drawn) + points, float(groups.radius[i]), self.rng)
            flux = np.concatenate([drawn.flux, np.tile(drawn.unresolved / points, (points, 1))])
            teff = np.concatenate([drawn.teff, np.full(points, drawn.unresolved_teff)])
            whole = FieldStars(flux, teff, np.zeros(flux.shape[1]), 5000.0)
            depth = np.full(len(whole), self.rng.uniform())
            self._add_stars(whole, groups.x[i] + dx, groups.y[i] + dy, depth)
            self._note(
                "association", groups.x[i], groups.y[i], groups.radius[i],
                groups.log_age[i], np.log10(groups.mass[i]),
            )  # fmt: skip

    def move_to_groups(self) -> None:
        """Move bright stars of the field together."""
        if not self.stars:
            return
        x, y, rate = (np.concatenate(parts) for parts in zip(*self.stars, strict=True))
        brightness = (rate / (self.limit * self.absolute)).max(axis=1)
        count = int(np.ceil(BRIGHTEST * len(x)))
        bright = np.argsort(-brightness)[:count]
        star, new_x, new_y, middles = chance_groups(
            self.settings.groups,
            self.shape,
            self.camera.pixel_scale, bright, self.rng,
        )  # fmt: skip
        x[star], y[star] = new_x, new_y
        self.stars = [(x, y, rate)]
        for middle in middles:
            self._note("chance group", middle[0], middle[1])

    def add_interlopers(self) -> None:
        """Add foreground stars and background galaxies, these behind all dust."""
        wanted, scale = self.settings.interlopers, self.camera.pixel_scale
        near = foreground_stars(wanted, self.isochrones, self.shape, scale, self.rng)
        self.stars.append((near.x, near.y, near.flux * self.apparent))
        far = background_galaxies(wanted, self.isochrones, self.shape, scale, self.rng)
        a_v = self._a_v_at(far.x, far.y)
        dimmed = far.flux * self._passing(np.full(len(a_v), 5000.0), a_v)
        self.stars.append((far.x, far.y, dimmed * self.apparent))
        for kind, middles in (
            ("foreground star", near.middles), ("background galaxy", far.middles)
        ):  # fmt: skip
            for middle in middles:
                self._note(kind, middle[0], middle[1])

    def scene(self) -> Scene:
        """Draw everything through the camera's optics and cut the margin off."""
        x, y, rate = (np.concatenate(parts) for parts in zip(*self.stars, strict=True))
        inner = (slice(None), slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
        image = self.smooth[inner]
        canvas = canvas_for(self.camera, (image.shape[1], image.shape[2]))
        image = image + canvas.draw(x - MARGIN, y - MARGIN, rate)
        image += self.camera.skies[:, None, None] + self._cosmic_rays(image.shape[1:])
        full = full_wells(self.settings, self.camera)[:, None, None]
        image = np.clip(image, 0.0, full)
        return Scene(
            image.astype(np.float32),
            self._objects(),
            self.disc.a_v[inner[1:]].astype(np.float32),
            {**self.disc.facts, "stars": float(len(x))},
        )

    def _cosmic_rays(self, shape: tuple[int, int]) -> FloatArray:
        """Electrons per second of the hits that were not rejected, in each band."""
        # per pixel as in WFPC2, whose pixels are as large as WFC3's and ACS'
        rate = COSMIC_RAY_RATE * self.settings.cosmic_rays
        return np.stack([
            cosmic_rays(shape, time, rate=rate, seed=self.rng)[0] / time
            for time in self.camera.exposure_times
        ])  # fmt: skip

    def _draw(self, mixture: Mixture, mass: float) -> FieldStars:
        most = MOST_STARS * self.shape[0] * self.shape[1]
        return draw_field_stars(
            self.isochrones, mixture, mass, self.limit, self.rng, most=most, z=self.settings.z
        )

    def _add_stars(self, drawn: FieldStars, x: FloatArray, y: FloatArray, part: FloatArray) -> None:
        a_v = part * self._a_v_at(x, y)
        rate = drawn.flux * self._passing(drawn.teff, a_v) * self.absolute
        self.stars.append((x, y, rate))

    def _passing(self, teff: FloatArray, a_v: FloatArray) -> FloatArray:
        """Part of the light that passes dust (n, bands)."""
        a_band = self.dust.coefficients(teff, a_v) * a_v[:, None]
        return np.asarray(10 ** (-0.4 * a_band))

    def _a_v_at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """A_V of the pixel nearest to each place, or of the edge."""
        rows = np.clip(np.rint(y), 0, self.shape[0] - 1).astype(np.intp)
        columns = np.clip(np.rint(x), 0, self.shape[1] - 1).astype(np.intp)
        return np.asarray(self.disc.a_v[rows, columns])

    def _note(
        self, kind: str, x: float, y: float, radius: float = np.nan,
        log_age: float = np.nan, log_mass: float = np.nan,
    ) -> None:  # fmt: skip
        row = {"kind": kind, "x": x - MARGIN, "y": y - MARGIN, "radius": radius,
               "log_age": log_age, "log_mass": log_mass}  # fmt: skip
        self.objects.append(row)

    def _objects(self) -> SceneObjects:
        """Those within the scene."""
        rows, columns = self.shape[0] - 2 * MARGIN, self.shape[1] - 2 * MARGIN
        inside = [
            one for one in self.objects
            if -0.5 <= one["x"] < columns - 0.5 and -0.5 <= one["y"] < rows - 0.5
        ]  # fmt: skip
        numbers = [
            np.array([one[name] for one in inside], float)
            for name in ("x", "y", "radius", "log_age", "log_mass")
        ]
        longest = max(map(len, KINDS))
        kinds = np.array([one["kind"] for one in inside], dtype=f"U{longest}")
        return SceneObjects(kinds, *numbers)
