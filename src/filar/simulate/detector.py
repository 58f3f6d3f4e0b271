"""One CCD in numbers: gain, read noise, bias, limits, border, bad pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

from filar.errors import ParameterError
from filar.exposure import BoolImage


@dataclass(frozen=True, eq=False)
class Detector:
    """One CCD and its electronics.

    Parameters
    ----------
    gain : float
        Electrons per DN.
    read_noise : float
        Electrons; digitisation noise included, as handbooks quote it.
    bias : float
        DN added before the converter and subtracted by the calibration.
    digital_limit : float
        Largest DN of the converter.
    full_well : float
        Electrons that a pixel holds before it bleeds along its column.
    edge : (ny, nx) bool array
        The vignetted border.
    bad : (ny, nx) bool array or None
        Further unusable pixels: they are blind, and are masked.

    Raises
    ------
    ParameterError
        For values without meaning.
    """

    gain: float
    read_noise: float
    edge: BoolImage
    bias: float = 320.0
    digital_limit: float = 4095.0
    full_well: float = 90_000.0
    bad: BoolImage | None = field(default=None)

    def __post_init__(self) -> None:
        for name in ("gain", "full_well"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")
        if not self.read_noise >= 0:
            raise ParameterError("read_noise", self.read_noise, "0 electrons or more")
        if not 0 <= self.bias < self.digital_limit:
            raise ParameterError("bias", self.bias, f"0 or more, below {self.digital_limit} DN")
        if self.bad is not None and self.bad.shape != self.edge.shape:
            raise ParameterError("bad", self.bad.shape, f"the shape of the edge, {self.edge.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.edge.shape[0], self.edge.shape[1]

    @property
    def saturation(self) -> float:
        """Level of the converter's limit above the bias, electrons."""
        return (self.digital_limit - self.bias) * self.gain

    @property
    def unusable(self) -> BoolImage:
        """The border and the bad pixels."""
        return self.edge.copy() if self.bad is None else self.edge | self.bad


def wfpc2_detector(chip: str, *, gain_setting: int = 7) -> Detector:
    """Detector of one WFPC2 chip.

    Parameters
    ----------
    chip : str
        ``"PC"``, ``"WF2"``, ``"WF3"`` or ``"WF4"``.
    gain_setting : int
        ATODGAIN: 7 or 15.

    Returns
    -------
    Detector
        With the handbook's gain and read noise and the pyramid's shadow as edge.

    Raises
    ------
    ParameterError
        For another chip or setting.
    """
    from filar.instruments import wfpc2_edge, wfpc2_facts

    if gain_setting not in wfpc2_facts.GAINS:
        raise ParameterError("gain_setting", gain_setting, "7 or 15")
    if chip not in wfpc2_facts.CHIPS:
        raise ParameterError("chip", chip, ", ".join(wfpc2_facts.CHIPS))
    return Detector(
        gain=wfpc2_facts.GAINS[gain_setting][chip],
        read_noise=wfpc2_facts.READ_NOISES[gain_setting][chip],
        edge=wfpc2_edge(chip),
        bias=wfpc2_facts.TYPICAL_BIAS,
        digital_limit=float(wfpc2_facts.DIGITAL_LIMIT),
    )
