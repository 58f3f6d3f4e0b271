"""``filar simulate clusters``: a training set of mock clusters, or images with clusters in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.simulate.clusters.camera import ClusterCamera

EXAMPLE = (
    "Example: filar simulate clusters -o set -n 20000 --scenes 40 --seed 1 writes the set that "
    "filar train clusters reads; filar simulate clusters --field -o field -n 100 writes "
    "field/F336W.fits, field/F438W.fits, field/F814W.fits and field/clusters.ecsv. The same "
    "command again goes on where a set was interrupted; a larger -n adds clusters."
)
Pair = tuple[float, float]


def clusters(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    number: Annotated[
        int | None,
        typer.Option("-n", "--clusters", help="Clusters. Default: 20,000, or 100 with --field."),
    ] = None,
    scenes: Annotated[int, typer.Option(help="Simulated pieces of galaxies behind them.")] = 40,
    scene_size: Annotated[int, typer.Option(help="Rows and columns of those.")] = 512,
    field: Annotated[
        bool, typer.Option("--field", help="Write whole FITS images instead of a training set.")
    ] = False,
    size: Annotated[int, typer.Option(help="With --field: rows and columns.")] = 1024,
    camera: Annotated[
        str, typer.Option(help="Camera, exposures and distance: m83 or m31-f475w.")
    ] = "m83",
    bands: Annotated[
        str | None, typer.Option(help="Filters, separated by commas. Default: the camera's.")
    ] = None,
    distance: Annotated[
        float | None, typer.Option(help="Mpc. Default: the camera's galaxy's.")
    ] = None,
    pixel_scale: Annotated[
        float | None, typer.Option(help="Arcsec per pixel. Default: the camera's.")
    ] = None,
    exposure_times: Annotated[
        str | None,
        typer.Option(help="Seconds for each filter, separated by commas. Default: the camera's."),
    ] = None,
    cutout: Annotated[int, typer.Option(help="Rows and columns of a cluster's image.")] = 64,
    log_age: Annotated[Pair, typer.Option(help="Range of log10 of years.")] = (6.6, 8.0),
    a_v: Annotated[Pair, typer.Option(help="Range of A_V, mag.")] = (0.0, 3.0),
    log_mass: Annotated[Pair, typer.Option(help="Range of log10 of suns.")] = (3.477, 5.477),
    log_r_h: Annotated[Pair, typer.Option(help="Range of log10 of half-light radii in arcsec.")] = (
        -1.398,
        -0.398,
    ),
    profile: Annotated[str, typer.Option(help="eff or king.")] = "eff",
    metallicity: Annotated[
        float | None, typer.Option(help="Mass fraction of metals. Default: the Sun's.")
    ] = None,
    r_v: Annotated[float, typer.Option(help="A_V / E(B-V) of the dust.")] = 3.1,
    surface_brightness: Annotated[
        Pair, typer.Option(help="Range of the galaxy's, mag of V per square arcsec.")
    ] = (20.5, 23.0),
    young_share: Annotated[
        Pair,
        typer.Option(help="Range of the part of that light that is of stars under 200 Myr."),
    ] = (0.1, 0.6),
    timescale: Annotated[
        Pair,
        typer.Option(help="Range of Gyr in which its older stars' formation declined by e."),
    ] = (3.0, 30.0),
    isochrones: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Isochrones of PARSEC's web form; may be given several times. Default: those "
            "that come with the extra filar[isochrones].",
        ),
    ] = None,
    background: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Real images behind the clusters: one FITS file for each filter, in the order of "
            "the filters; give the option as often. Clusters get the images' own pixel scale, "
            "zero points and, without --exposure-times, exposure times.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. Default: one per core.")
    ] = None,
) -> None:
    """Simulate star clusters: a set to train with, or FITS images to find them in.

    A set holds mock clusters, pieces of a galaxy without clusters, and what is true of both, all
    without noise: training composes them anew every time. With --field the output is one image
    for each filter, like drizzled images of HST, and a table of its clusters.
    """
    from filar.simulate.clusters.galaxy import DiscSettings
    from filar.simulate.clusters.scene import SceneSettings
    from filar.simulate.clusters.settings import MockSettings

    chosen = _camera(camera, bands, distance, pixel_scale, exposure_times)
    pieces = None
    if background and field:
        raise ParameterError("--background", len(background), "nothing with --field")
    if background:
        from filar.cli.clusterimages import real_backgrounds

        chosen, pieces = real_backgrounds(
            background, chosen, scene_size, timed=exposure_times is not None
        )
    mock = MockSettings(
        camera=chosen, log_age=log_age, a_v=a_v, log_mass=log_mass, log_r_h=log_r_h,
        profile=profile, size=cutout, r_v=r_v,
        metallicities=() if metallicity is None else (metallicity,),
    )  # fmt: skip
    disc = DiscSettings(
        surface_brightness=surface_brightness, young_share=young_share, timescale=timescale
    )
    scene = SceneSettings(disc=disc, z=metallicity)
    files = tuple(str(path.resolve()) for path in isochrones or [])
    if field:
        settings = {"mock": mock, "scene": scene, "isochrones": files, "seed": seed}
        _write_field(output, clusters=100 if number is None else number, size=size, **settings)
        return
    _write_set(
        output, pieces, workers, mock=mock, scene=scene, isochrones=files, seed=seed,
        clusters=20_000 if number is None else number, scenes=scenes, scene_size=scene_size,
        backgrounds=tuple(path.name for path in background or []),
    )  # fmt: skip


def _camera(
    name: str,
    bands: str | None,
    distance: float | None,
    pixel_scale: float | None,
    exposure_times: str | None,
) -> ClusterCamera:
    """The camera of that name with what was asked for changed."""
    from dataclasses import replace

    from filar.simulate.clusters.camera import preset_camera

    camera = preset_camera(name, _names(bands) if bands else None)
    if distance is not None:
        camera = replace(camera, distance_mpc=distance)
    if pixel_scale is not None:
        # the sky's light goes with the area of a pixel; the dark current is a small part of it
        area = (pixel_scale / camera.pixel_scale) ** 2
        changed = tuple(replace(band, sky=band.sky * area) for band in camera.bands)
        camera = replace(camera, pixel_scale=pixel_scale, bands=changed)
    if exposure_times is not None:
        camera = replace(camera, bands=_exposed(camera, exposure_times))
    return camera


def _exposed(camera: ClusterCamera, text: str) -> Any:
    from dataclasses import replace

    allowed = f"one number of seconds for each of {', '.join(camera.filters)}"
    try:
        times = [float(one) for one in _names(text)]
    except ValueError as error:
        raise ParameterError("--exposure-times", text, allowed) from error
    if len(times) != len(camera.bands):
        raise ParameterError("--exposure-times", text, allowed)
    return tuple(
        replace(band, exposure_time=time) for band, time in zip(camera.bands, times, strict=True)
    )


def _write_set(output: Path, pieces: Any, workers: int | None, **settings: Any) -> None:
    from filar.measure.files import available_cores
    from filar.simulate.clusters.store import SetSettings, write_set

    with console.progress() as progress:
        made = write_set(
            SetSettings(**settings),
            output,
            backgrounds=pieces,
            workers=workers or available_cores(),
            progress=progress,
        )
    kept = f", {made.kept} kept as they were" if made.kept else ""
    real = 0 if pieces is None else len(pieces)
    text = (
        f"{settings['clusters']} clusters, {settings['scenes']} scenes, {real} real backgrounds "
        f"({made.made} parts made{kept}; seed {settings['seed']}): {made.folder}"
    )
    console.messages().print(text, markup=False, soft_wrap=True)


def _write_field(output: Path, **settings: Any) -> None:
    from filar.simulate.clusters.field import FieldSettings, write_field

    paths = write_field(FieldSettings(**settings), output)
    messages = console.messages()
    messages.print(f"{settings['clusters']} clusters (seed {settings['seed']}):", markup=False)
    for path in paths:
        messages.print(f"  {path}", markup=False, soft_wrap=True)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
