"""``filar info``: what was understood of a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, reading
from filar.errors import FilarError

if TYPE_CHECKING:
    from rich.console import Group

    from filar.exposure import Exposure

app = typer.Typer()


@app.command()
def info(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="FITS images.")],
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    exposure_time: reading.ExposureTime = None,
    filter_name: reading.Filter = None,
    pixel_scale: reading.PixelScale = None,
    chips: reading.Chips = None,
    hdu: reading.Extension = None,
    quality: reading.Quality = None,
) -> None:
    """Show what was understood of each file: chips, noise, masks, sky, position, zero points.

    Example: filar info u40x010hm_c0f.fits
    """
    from filar.instruments import read_exposures

    options = reading.read_options(
        chips,
        hdu,
        gain=gain,
        read_noise=read_noise,
        saturation=saturation,
        exposure_time=exposure_time,
        filter=filter_name,
        pixel_scale=pixel_scale,
        quality=quality,
    )
    failed = 0
    for path in files:
        try:
            exposures = read_exposures(path, options)
        except FilarError as error:
            failed += 1
            console.error(str(error))
            continue
        console.output().print(describe(path, exposures))
    if failed:
        raise typer.Exit(1)


def describe(path: Path, exposures: list[Exposure]) -> Group:
    """Describe a file: what holds for all of it, then a table with a column per chip.

    Parameters
    ----------
    path : Path
        The file.
    exposures : list of Exposure
        Its chips.

    Returns
    -------
    rich.console.Group
        Facts that no chip has a value for are left out.
    """
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    columns = [_facts(exposure) for exposure in exposures]
    common = [("file", str(path)), ("credit", credit_line(exposures[0]))]
    table = Table("", *(escape(exposure.chip or "image") for exposure in exposures))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in columns[0]:
        cells = [column[name] for column in columns]
        if len(set(cells)) == 1 and len(cells) > 1:
            common.append((name, cells[0]))
        elif any(cells):
            table.add_row(escape(name), *map(escape, cells))
    lines = [Text(f"{name}: {value}") for name, value in common if value]
    return Group(*lines, table)


def credit_line(exposure: Exposure) -> str:
    """Target, programme and rootname of an exposure, to credit the data."""
    meta = exposure.meta
    parts = [
        f"{name} {meta[name]}"
        for name in ("target", "programme", "investigator", "rootname", "telescope", "origin")
        if meta.get(name)
    ]
    return ", ".join(parts)


def _facts(exposure: Exposure) -> dict[str, str]:
    sky, noise = sky_level(exposure)
    ny, nx = exposure.shape
    usable = f"{100 * (1 - exposure.unusable.mean()):.1f} %"
    return {
        "instrument": exposure.instrument,
        "filter": exposure.filter,
        "columns x rows": f"{nx} x {ny}",
        "exposure time (s)": _number(exposure.exposure_time, "g"),
        "start (UTC)": "" if exposure.time is None else exposure.time.utc.iso[:19],
        "gain (e-/DN)": _number(exposure.gain, ".3g"),
        "read noise (e-)": _number(exposure.read_noise, ".2f"),
        "saturation (e-)": _number(exposure.saturation, ".0f"),
        "pixel scale (arcsec)": _number(exposure.pixel_scale, ".4f"),
        "sky (e-)": _number(sky, ".2f"),
        "sky noise (e-)": _number(noise, ".2f"),
        "usable": usable,
        "vignetted edge": f"{100 * exposure.edge.mean():.1f} %",
        "otherwise masked": f"{100 * (exposure.mask & ~exposure.edge).mean():.2f} %",
        "saturated pixels": str(int(exposure.saturated.sum())),
        "quality file": str(exposure.meta.get("quality") or "none"),
        "centre (deg)": _centre(exposure),
        "VEGA mag of 1 DN/s": _number(exposure.vega_zeropoint, ".3f"),
        "ST mag of 1 DN/s": _number(_st_zeropoint(exposure), ".3f"),
        "pivot (A)": _number(exposure.photplam, ".1f"),
    }


def sky_level(exposure: Exposure) -> tuple[float, float]:
    """Typical sky and noise of the usable pixels.

    Parameters
    ----------
    exposure : Exposure
        One chip.

    Returns
    -------
    float, float
        Medians of the maps of `filar.sky.background`, electrons.
    """
    import numpy as np

    from filar.sky import background

    sky, noise = background(exposure)
    usable = ~exposure.unusable
    return float(np.median(sky[usable])), float(np.median(noise[usable]))


def _st_zeropoint(exposure: Exposure) -> float:
    photflam = exposure.photflam
    return -2.5 * math.log10(photflam) - 21.1 if photflam > 0 else math.nan


def _centre(exposure: Exposure) -> str:
    if exposure.wcs is None:
        return ""
    ny, nx = exposure.shape
    ra, dec = exposure.wcs.pixel_to_world_values((nx - 1) / 2, (ny - 1) / 2)
    return f"{float(ra):.5f}\n{float(dec):+.5f}"


def _number(value: Any, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else ""
