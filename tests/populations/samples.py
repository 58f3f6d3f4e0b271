"""Small synthetic isochrones: a main sequence and giants, by rough laws of stars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.populations.isochrone import IsochroneSet, make_set

# colour indices against the logarithm of the temperature: hot stars are blue
STEEPNESS = {"F336W": 7.0, "F438W": 4.0, "F475W": 3.0, "F555W": 2.0, "F814W": 0.0}


def toy_isochrones(
    bands: Sequence[str] = ("F336W", "F438W", "F814W"),
    z: Sequence[float] = (0.015, 0.03),
    log_ages: Sequence[float] = tuple(np.round(np.arange(6.3, 10.11, 0.1), 2)),
    *,
    phases: bool = True,
) -> IsochroneSet:
    """Make isochrones of main-sequence stars and red giants that live 10 Gyr m**-2.5 and more.

    They are no physics, but have the ranges, the turn-off and the rare bright giants of real ones.
    """
    parts = [_one(one_z, age, bands) for one_z in z for age in log_ages]
    names = ("z", "log_age", "mass", "teff", "logg", "phase")
    joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
    joined["mags"] = np.concatenate([part["mags"] for part in parts])
    if not phases:
        del joined["phase"]
    return make_set(bands, "toy stars", joined.pop("z"), joined.pop("log_age"), joined)


def _one(z: float, log_age: float, bands: Sequence[str]) -> dict[str, np.ndarray]:
    turnoff = min(10 ** ((10 - log_age) / 2.5) * (z / 0.0152) ** 0.05, 80.0)
    main = np.geomspace(0.1, turnoff, 60)
    giant = turnoff * (1 + 0.06 * np.linspace(0.02, 1, 25))
    mass = np.concatenate([main, giant])
    climb = np.concatenate([np.zeros(60), np.linspace(0.04, 1, 25)])
    log_l = 3.3 * np.log10(np.minimum(mass, turnoff)) + climb * (0.8 if log_age < 8 else 2.0)
    hot = np.clip(3.76 + 0.55 * np.log10(np.minimum(mass, turnoff)), 3.45, 4.65)
    log_teff = (1 - climb) * hot + climb * 3.58
    mags = 4.74 - 2.5 * log_l + 1.5 * np.abs(log_teff - 3.85)
    colour = [STEEPNESS[band] * (3.97 - log_teff) for band in bands]
    return {
        "z": np.full(85, z), "log_age": np.full(85, log_age), "mass": mass,
        "teff": 10**log_teff, "logg": 4.4 + 4 * (log_teff - 3.76) - log_l,
        "phase": np.concatenate([np.log10(main / turnoff), climb[60:]]),
        "mags": mags[:, None] + np.stack(colour, axis=1),
    }  # fmt: skip
