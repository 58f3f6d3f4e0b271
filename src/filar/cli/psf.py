"""``filar psf``: PSFs made, drawn and translated between file forms."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console, reading
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from filar.exposure import Exposure
    from filar.instruments.options import ReadOptions
    from filar.psf.files import ChipPSF
    from filar.psf.model import FieldPSF

app = typer.Typer(no_args_is_help=True, help="Make, draw and translate PSFs.")

PICTURES = (".png", ".pdf", ".svg")


class Form(StrEnum):
    """Forms of PSF files."""

    stdpsf = "stdpsf"
    filar = "filar"


class Layout(StrEnum):
    """Where WFPC2's four chips lie in a STDPSF file."""

    anderson = "anderson"
    photutils = "photutils"


Source = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="A PSF file or an exposure; else name the camera."),
]
Instrument = Annotated[str | None, typer.Option(help="Camera of a model PSF, e.g. WFPC2.")]
Chips = Annotated[
    str | None,
    typer.Option("--chip", "--chips", metavar="PC,WF3", help="Only these chips, with commas."),
]
Focus = Annotated[float, typer.Option(help="Secondary despace of a model PSF, microns.")]
Jitter = Annotated[
    float | None, typer.Option(min=0, help="Jitter of a model PSF, pixels rms; 7 mas if not given.")
]
Fit = Annotated[
    bool, typer.Option("--fit", help="Fit the PSF to the exposure's own stars, not its default.")
]
ToLayout = Annotated[
    Layout,
    typer.Option(help="Where the four chips of WFPC2 lie in a STDPSF file (reading finds out)."),
]


@app.callback()
def psf() -> None:
    """Make, draw and translate PSFs.

    Example: filar psf show --instrument WFPC2 --chip PC --filter F555W --focus 2 -o grid.png
    """


@app.command(
    epilog="Examples: filar psf show STDPSF_WFPC2_F555W.fits --chip PC -o grid.png; "
    "filar psf show --instrument WFPC2 --chip PC --filter F555W --focus 2 -o grid.png; "
    "filar psf show u40x010hm_c0f.fits --fit -o grid.png"
)
def show(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="PICTURE", help="A .png, .pdf or .svg file.")
    ],
    file: Source = None,
    fit: Fit = False,
    instrument: Instrument = None,
    chips: Chips = None,
    filter_name: reading.Filter = None,
    focus: Focus = 0.0,
    jitter: Jitter = None,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    pixel_scale: reading.PixelScale = None,
    hdu: reading.Extension = None,
    quality: reading.Quality = None,
) -> None:
    """Draw a PSF over the chip: oversampled, in pixels, and how it varies."""
    from filar.catalogfile import check_output

    check_output(output, PICTURES)
    given = reading.read_options(
        chips, hdu, gain=gain, read_noise=read_noise, saturation=saturation, filter=filter_name,
        pixel_scale=pixel_scale, quality=quality,
    )  # fmt: skip
    found = _psfs(file, fit, instrument, given, focus, jitter)
    from filar.report.psfgrid import psf_grid
    from filar.wholefile import whole_file

    with whole_file(output) as temporary:
        psf_grid(found).savefig(temporary, format=output.suffix[1:].lower(), dpi=110)
    _tell(output, found)


@app.command(
    epilog="Examples: filar psf build u40x010hm_c0f.fits --fit -o omega_psf.fits; "
    "filar psf build --instrument WFPC2 --filter F814W --focus -1 -o model.fits; "
    "then filar measure FILE --psf omega_psf.fits -o stars.ecsv"
)
def build(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PSF", help="A .fits file.")],
    file: Source = None,
    fit: Fit = False,
    instrument: Instrument = None,
    chips: Chips = None,
    filter_name: reading.Filter = None,
    focus: Focus = 0.0,
    jitter: Jitter = None,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    pixel_scale: reading.PixelScale = None,
    hdu: reading.Extension = None,
    quality: reading.Quality = None,
    to: Annotated[Form, typer.Option(help="Form of the file.")] = Form.filar,
    layout: ToLayout = Layout.anderson,
) -> None:
    """Write the PSF of an exposure or of a camera to a file, for filar measure --psf."""
    from filar.catalogfile import check_output

    check_output(output, (".fits",))
    given = reading.read_options(
        chips, hdu, gain=gain, read_noise=read_noise, saturation=saturation, filter=filter_name,
        pixel_scale=pixel_scale, quality=quality,
    )  # fmt: skip
    _write(_psfs(file, fit, instrument, given, focus, jitter), output, to, layout)


@app.command(
    epilog="Examples: filar psf convert STDPSF_WFPC2_F555W.fits f555w.fits; "
    "filar psf convert f555w.fits STDPSF_PC_F555W.fits --chip PC. "
    "Without --to, a STDPSF file becomes one of filar and the other way round."
)
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A PSF file.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .fits file to write.")],
    to: Annotated[
        Form | None, typer.Option(help="Form of OUT; the other one than IN's if not given.")
    ] = None,
    chips: Chips = None,
    layout: ToLayout = Layout.anderson,
) -> None:
    """Translate a PSF file between the forms stdpsf and filar."""
    from filar.catalogfile import check_output
    from filar.psf.files import file_kind, read_any

    check_output(output, (".fits",))
    if to is None:
        to = Form.filar if file_kind(source) == "stdpsf" else Form.stdpsf
    _write(read_any(source, reading.read_options(chips).chips), output, to, layout)


def _psfs(
    file: Path | None, fit: bool, instrument: str | None, given: ReadOptions,
    focus: float, jitter: float | None,
) -> list[ChipPSF]:  # fmt: skip
    """PSFs of a file, an exposure or a camera."""
    from filar.psf.files import read_any

    if file is None:
        if fit:
            raise ParameterError("--fit", True, "only with an exposure, whose stars are fitted")
        return _models(instrument, given, focus, jitter)
    if instrument is not None or focus or jitter is not None:
        raise ParameterError(
            "FILE", str(file), "either a file, or a model by --instrument, --focus and --jitter"
        )
    if not fit and _is_psf_file(file):
        return read_any(file, given.chips)
    return _of_exposures(file, fit, given)


def _is_psf_file(file: Path) -> bool:
    from filar.instruments.fits import open_fits
    from filar.psf.files import file_kind

    with open_fits(file):  # what cannot be read at all is said here
        pass
    try:
        file_kind(file)
    except InputFileError:
        return False
    return True


def _models(
    instrument: str | None, given: ReadOptions, focus: float, jitter: float | None
) -> list[ChipPSF]:
    from filar.psf.files import ChipPSF
    from filar.psf.library import WFPC2_SCALES, default_psf_for

    camera, filter_name = (instrument or "").upper(), (given.filter or "").upper()
    if not camera or not filter_name:
        raise ParameterError(
            "--instrument, --filter", (instrument, given.filter), "both, where no FILE is given"
        )
    if camera not in ("WFPC2", "ACS", "WFC3"):
        raise ParameterError("--instrument", instrument, "WFPC2, ACS or WFC3")
    if camera != "WFPC2" and not given.chips:
        raise ParameterError("--chip", None, "the name of one, e.g. WFC1, UVIS1 or IR")
    shape = (800, 800) if camera == "WFPC2" else (2048, 4096)
    found = []
    for chip in given.chips or tuple(WFPC2_SCALES):
        name = chip.upper()
        side = {"IR": 1014, "HRC": 1024, "SBC": 1024}.get(name)
        size = (side, side) if side else shape
        model = default_psf_for(camera, name, filter_name, shape=size, focus=focus, jitter=jitter)
        found.append(ChipPSF(model, camera, name, filter_name, size))
    return found


def _of_exposures(file: Path, fit: bool, given: ReadOptions) -> list[ChipPSF]:
    """Default or fitted PSFs of the chips of an exposure, with a progress bar on a terminal."""
    from rich.progress import Progress

    from filar.instruments import read_exposures
    from filar.psf.files import ChipPSF

    exposures = read_exposures(file, given)
    messages = console.messages()
    found = []
    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as progress:
        for exposure in progress.track(exposures, description="PSF"):
            found.append(ChipPSF.of(exposure, _psf_of(exposure, fit)))
    return found


def _psf_of(exposure: Exposure, fit: bool) -> FieldPSF:
    """Default or fitted PSF of one chip."""
    from filar.detect import detect_stars
    from filar.psf.fitted import fit_psf
    from filar.psf.library import default_psf

    if not fit:
        return default_psf(exposure)
    result = fit_psf(exposure, detect_stars(exposure))
    error = "" if result.fallback else f", model error {100 * result.model_error:.1f} %"
    console.messages().print(f"{exposure.label}: {result.message}{error}", markup=False)
    return result.psf


def _write(found: Sequence[ChipPSF], output: Path, to: Form, layout: Layout) -> None:
    from filar.psf.empirical import write_stdpsf
    from filar.psf.files import write_psfs

    if to is Form.filar:
        write_psfs(found, output)
    else:
        if len({(one.instrument, one.filter, one.shape) for one in found}) > 1:
            raise ParameterError("--to", to.value, "chips of one camera, filter and size")
        psfs = {one.chip: one.psf for one in found}
        write_stdpsf(
            psfs,
            output,
            shape=found[0].shape,
            instrument=found[0].instrument,
            filter_name=found[0].filter,
            layout=layout.value,
        )
    _tell(output, found)


def _tell(output: Path, found: Sequence[ChipPSF]) -> None:
    names = ", ".join(one.chip or one.psf.name for one in found)
    console.messages().print(f"{output}: {names}", markup=False, soft_wrap=True)
