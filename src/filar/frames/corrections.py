"""Corrections of measured positions before exposures are tied: narrow rows and distortion.

A distortion file is TOML, one table per chip::

    title = "WFPC2, F555W, after Anderson & King (2003)"   # optional, any text

    [chips.PC]
    centre = [424.0, 424.0]        # pixels from 0
    scale = 375.0                  # pixels
    terms = [                      # i, j, ax, ay
        [2, 0, -0.43, 0.02],
        [1, 1, 0.51, -0.37],
    ]

With X = (x - centre_x) / scale and Y = (y - centre_y) / scale, the corrected position is
x + sum(ax X^i Y^j), y + sum(ay X^i Y^j); ax and ay are pixels, i + j at most 5. A chip named
``all`` holds for every chip that has no table of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from filar.errors import InputFileError, ParameterError
from filar.frames.polynomial import MAX_ORDER, Polynomial, exponents
from filar.frames.starlist import FloatArray, StarList
from filar.instruments.wfpc2_rows import FIRST, to_ideal, to_pixels

_EVERY = "all"
_TERM = f"[i, j, ax, ay], whole powers i + j up to {MAX_ORDER} and finite numbers of pixels"


@dataclass(frozen=True, eq=False)
class Distortion:
    """Geometric distortion of each chip as a polynomial.

    Parameters
    ----------
    chips : mapping of str to Polynomial
        From measured to corrected positions, pixels; ``all`` for chips that are not named.
    source : str
        The file.
    content : mapping
        What the file says, plain values: kept beside mean catalogues.
    """

    chips: Mapping[str, Polynomial]
    source: str = ""
    content: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a distortion file; the module says how it looks.

        Raises
        ------
        InputFileError
            If it cannot be read or says something else.
        """
        import tomllib

        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputFileError(path, f"cannot be read: {error}", "TOML") from error
        return cls.from_content(content, str(path))

    @classmethod
    def from_content(cls, content: Mapping[str, Any], source: str = "") -> Self:
        """Make the polynomials of what a distortion file says; errors name ``source``."""
        unknown = sorted(set(content) - {"title", "chips"})
        chips = content.get("chips")
        if unknown or not isinstance(chips, Mapping) or not chips:
            found = f"unknown: {', '.join(unknown)}" if unknown else "no table [chips.NAME]"
            raise InputFileError(source, found, "a title and a table [chips.NAME] for each chip")
        polynomials = {name: _polynomial(table, name, source) for name, table in chips.items()}
        return cls(polynomials, source, content)

    def of(self, chip: str) -> Polynomial:
        """The polynomial of a chip.

        Raises
        ------
        InputFileError
            If the file has neither that chip nor ``all``.
        """
        found = self.chips.get(chip, self.chips.get(_EVERY))
        if found is None:
            advice = "add it, or a table [chips.all]"
            names = ", ".join(self.chips)
            raise InputFileError(self.source, f"no chip '{chip}' among {names}", advice=advice)
        return found


@dataclass(frozen=True, eq=False)
class Corrections:
    """Steps that measured positions take, in this order.

    Parameters
    ----------
    row34 : bool
        WFPC2's narrow rows: `filar.instruments.wfpc2_rows`.
    distortion : Distortion or None
        Geometric distortion.
    first_row : float
        Where the first narrow row lies, see `filar.instruments.wfpc2_rows`: the default is a
        convention, so look where it lies in your data.

    Raises
    ------
    ParameterError
        If the first row is no number.
    """

    row34: bool = False
    distortion: Distortion | None = None
    first_row: float = FIRST

    def __post_init__(self) -> None:
        if not np.isfinite(self.first_row):
            raise ParameterError("first_row", self.first_row, "a finite number of rows")

    def apply(self, stars: StarList) -> StarList:
        """Correct a list.

        Parameters
        ----------
        stars : StarList
            As measured.

        Returns
        -------
        StarList
            The same stars, corrected.

        Raises
        ------
        InputFileError
            If the distortion of the chip is unknown.
        """
        x, y = stars.x, stars.y
        if self.row34:
            y = to_ideal(y, first=self.first_row)
        if self.distortion is not None:
            x, y = self.distortion.of(stars.chip)(x, y)
        return replace(stars, x=x, y=y)

    def undo(self, x: FloatArray, y: FloatArray, chip: str) -> tuple[FloatArray, FloatArray]:
        """Find where corrected positions lie in the image: the inverse of `apply`.

        Parameters
        ----------
        x, y : (n,) arrays
            Corrected positions, pixels.
        chip : str
            The chip.

        Returns
        -------
        x, y : (n,) arrays
            Pixels of the image, from 0.

        Raises
        ------
        InputFileError
            If the distortion of the chip is unknown.
        """
        if self.distortion is not None:
            x, y = self.distortion.of(chip).inverse(x, y)
        if self.row34:
            y = to_pixels(y, first=self.first_row)
        return x, y

    def facts(self) -> dict[str, Any]:
        """What a mean catalogue remembers, plain values."""
        distortion = self.distortion
        return {
            "row34": self.row34,
            "first_row": float(self.first_row),
            "distortion": "" if distortion is None else distortion.source,
            "distortion_content": None if distortion is None else distortion.content,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The inverse of `facts`."""
        content = facts.get("distortion_content")
        source = str(facts.get("distortion", ""))
        distortion = None if content is None else Distortion.from_content(content, source)
        first = float(facts.get("first_row", FIRST))
        return cls(bool(facts.get("row34", False)), distortion, first)


def _polynomial(table: Any, chip: str, source: str) -> Polynomial:
    """Make a chip's polynomial, the identity included."""
    where = f"[chips.{chip}]"
    if not isinstance(table, Mapping) or set(table) != {"centre", "scale", "terms"}:
        raise InputFileError(source, f"{where} is incomplete", "centre, scale and terms")
    centre, scale, terms = table["centre"], table["scale"], table["terms"]
    if not (isinstance(centre, list) and len(centre) == 2 and all(map(_is_number, centre))):
        raise InputFileError(source, f"{where} centre = {centre!r}", "two numbers of pixels")
    if not (_is_number(scale) and scale > 0):
        raise InputFileError(source, f"{where} scale = {scale!r}", "a positive number of pixels")
    if not (isinstance(terms, list) and terms):
        raise InputFileError(source, f"{where} terms = {terms!r}", f"a list of {_TERM}")
    for term in terms:
        if not _is_term(term):
            raise InputFileError(source, f"{where} has the term {term!r}", _TERM)
    powers = [(int(i), int(j)) for i, j, _, _ in terms]
    if twice := [p for p in dict.fromkeys(powers) if powers.count(p) > 1]:
        raise InputFileError(source, f"{where} has the powers {twice[0]} twice", "each once")
    order = max(1, *(i + j for i, j in powers))
    index = {power: k for k, power in enumerate(exponents(order))}
    coefficients = np.zeros((2, len(index)))
    coefficients[:, 0] = centre
    coefficients[0, index[1, 0]] = coefficients[1, index[0, 1]] = scale
    for power, (_, _, ax, ay) in zip(powers, terms, strict=True):
        coefficients[:, index[power]] += ax, ay
    return Polynomial(order, coefficients, (float(centre[0]), float(centre[1])), float(scale))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _is_term(term: Any) -> bool:
    if not (isinstance(term, list) and len(term) == 4 and all(map(_is_number, term))):
        return False
    i, j = term[:2]
    return isinstance(i, int) and isinstance(j, int) and min(i, j) >= 0 and i + j <= MAX_ORDER
