"""Isochrones from their authors' web form, PARSEC/CMD 3.x."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import numpy as np

from filar.archive import ArchiveError
from filar.errors import OutputFileError, ParameterError
from filar.populations.isochrone import IsochroneSet
from filar.populations.tables import read_isochrones
from filar.wholefile import whole_file

URL = "https://stev.oapd.inaf.it/cgi-bin/cmd_3.8"
SYSTEMS = {
    "wfc3": "YBC_tab_mag_odfnew/tab_mag_wfc3_202101_wide.dat",
    "acs": "YBC_tab_mag_odfnew/tab_mag_acs_wfc_202101.dat",
    "wfpc2": "YBC_tab_mag_odfnew/tab_mag_wfpc2.dat",
    "ubvri": "YBC_tab_mag_odfnew/tab_mag_ubvrijhk.dat",
}
"""Photometric systems: filar's name, and the form's."""
FORM = {
    "cmd_version": "3.8", "track_parsec": "parsec_CAF09_v1.2S",
    "track_colibri": "parsec_CAF09_v1.2S_S_LMC_08_web", "track_omegai": "0.00",
    "track_postagb": "no", "n_inTPC": "10", "eta_reimers": "0.2", "kind_interp": "1",
    "kind_postagb": "-1", "photsys_version": "YBCnewVega", "dust_sourceM": "nodustM",
    "dust_sourceC": "nodustC", "kind_mag": "2", "kind_dust": "0", "extinction_av": "0.0",
    "extinction_coeff": "constant", "extinction_curve": "cardelli", "kind_LPV": "3",
    "imf_file": "tab_imf/imf_kroupa_orig.dat", "isoc_isagelog": "1", "isoc_ismetlog": "0",
    "isoc_dz": "0.0", "output_kind": "0", "output_evstage": "1", "output_gzip": "0",
    "submit_form": "Submit",
}  # fmt: skip
"""Answers to the form's questions: PARSEC v1.2S with COLIBRI S_37's asymptotic giants, no dust."""
TIMEOUT = 600.0
MOST_ISOCHRONES = 400
"""The form refuses more in one answer."""
ADVICE = (
    "see that this machine has a network, or make the table at http://stev.oapd.inaf.it/cmd by hand"
)

Tell = Callable[[float, str], None]


def fetch_isochrones(
    path: str | PathLike[str],
    *,
    system: str = "wfc3",
    z: Sequence[float] = (0.0152,),
    log_ages: tuple[float, float, float] = (6.6, 10.1, 0.05),
    url: str | None = None,
    progress: Tell | None = None,
) -> IsochroneSet:
    """Fetch isochrones and write them as a table.

    Parameters
    ----------
    path : path-like
        The table, ``.gz`` for a compressed one. Written whole or not at all, after it was read.
    system : str
        A key of `SYSTEMS`; its bands are fetched, in Vega magnitudes.
    z : sequence of float
        Mass fractions of metals, 0.0001 to 0.06.
    log_ages : tuple of float
        First and last log10 of the age in years, and the step.
    url : str, optional
        The form, `URL` by default.
    progress : callable, optional
        Called with the part done and a text.

    Returns
    -------
    IsochroneSet
        What was written.

    Raises
    ------
    ArchiveError
        If the form does not answer, or its answer is no table of all that was asked for.
    ParameterError
        If system, metallicities or ages make no sense.
    OutputFileError
        If the table cannot be written.
    """
    tell, url = progress or (lambda done, text: None), url or URL
    ages = _check(system, z, log_ages)
    if not Path(path).parent.is_dir():
        raise OutputFileError(path, f"there is no folder {Path(path).parent}", "make it first")
    parts = []
    for number, one in enumerate(z):
        tell((number + 0.1) / len(z), f"asking for Z = {one:g}")
        parts.append(_table(url, _answers(system, one, log_ages)))
    tell(1.0, "done")
    with whole_file(path) as temporary:
        temporary.write_bytes(_packed(b"\n".join(parts), Path(path)))
        found = read_isochrones(temporary)
        lacking = ages - len(found.log_ages)
        if len(found.metallicities) != len(set(z)) or lacking > 0:
            raise ArchiveError(
                f"{url} gave isochrones of {len(found.metallicities)} metallicities and "
                f"{len(found.log_ages)} ages, not {len(set(z))} and {ages}; nothing was kept"
            )
    return found


def _check(system: str, z: Sequence[float], log_ages: tuple[float, float, float]) -> int:
    """See whether the form can give that; the number of ages."""
    if system not in SYSTEMS:
        raise ParameterError("system", system, f"one of {', '.join(SYSTEMS)}")
    if not z or any(not 0.0001 <= one <= 0.06 for one in z):
        raise ParameterError("z", tuple(z), "0.0001 to 0.06")
    first, last, step = log_ages
    if not (4 <= first <= last <= 10.3 and step > 0):
        raise ParameterError("log_ages", log_ages, "first, last and step, from 4 to 10.3")
    number = int(np.floor((last - first) / step + 1e-6)) + 1
    if number > MOST_ISOCHRONES:
        allowed = f"at most {MOST_ISOCHRONES} ages, here {number}"
        raise ParameterError("log_ages", log_ages, allowed)
    return number


def _answers(system: str, z: float, log_ages: tuple[float, float, float]) -> dict[str, str]:
    first, last, step = (f"{value:g}" for value in log_ages)
    return FORM | {
        "photsys_file": SYSTEMS[system],
        "isoc_zlow": f"{z:g}",
        "isoc_zupp": f"{z:g}",
        "isoc_lagelow": first,
        "isoc_lageupp": last,
        "isoc_dlage": step,
    }


def _table(url: str, answers: dict[str, str]) -> bytes:
    """Send the form, and get the file that the answer points to."""
    page = _read(url, urlencode(answers).encode()).decode("utf-8", errors="replace")
    link = re.search(r"[\w./:~-]*output\d+\.dat(?:\.gz)?", page)
    if link is None:
        warned = re.search(r"errorwarning[^>]*>(.*?)</", page, flags=re.DOTALL)
        said = re.sub(r"<[^>]*>|\s+", " ", warned[1]).strip()[:200] if warned else "no table"
        raise ArchiveError(f"{url} answered: {said}; {ADVICE}")
    address = urljoin(url, link[0])
    # the answer comes from elsewhere: no other machine is asked
    if urlsplit(address).netloc != urlsplit(url).netloc:
        raise ArchiveError(f"{url} points to {address}, another machine; nothing was fetched")
    return _plain(_read(address))


def _read(url: str, data: bytes | None = None) -> bytes:
    from urllib.request import Request, urlopen

    if urlsplit(url).scheme not in {"http", "https"}:
        raise ParameterError("url", url, "http:// or https://")
    try:
        with urlopen(Request(url, data=data), timeout=TIMEOUT) as answer:
            return bytes(answer.read())
    except (OSError, ValueError) as error:
        reason = str(error).strip() or type(error).__name__
        raise ArchiveError(f"{url} did not answer: {reason}; {ADVICE}") from error


def _plain(data: bytes) -> bytes:
    import gzip
    import zlib

    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(f"the table that was sent is damaged ({error}); try again") from error


def _packed(data: bytes, path: Path) -> bytes:
    import gzip

    return gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
