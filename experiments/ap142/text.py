"""What was found, in words."""

from __future__ import annotations

from typing import Any

WITHIN = 1.5
"""Factor between the model's radius and the published photometry's that is agreement."""
TELLING = 2.0
"""Ratio of the ends of the model's 68% interval up to which it tells a size at all: the prior's
is 7."""
LEAST_P = 0.5
"""Probability from which a cluster is found."""


def report(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    sky, published, image = found["sky"], found["published"], found["image"]
    lines = [
        "## AP 142, a cluster of M 31 in F475W (PHAT)",
        f"Sky {sky['level']:.3f} e-/s per pixel; its noise is that of {sky['exposure_time']:.0f} s "
        f"if drizzling mixed all phases evenly; the survey exposed {found['exposure_time']:.0f} s.",
        "| half-light radius | arcsec | 68% |",
        "|---|---:|---:|",
        _row("stars of the published photometry, within 2 arcsec", published["growth"]),
        _row(f"the same, EFF profile (slope {published['gamma']:.2f})", published["profile"]),
        *(
            f"| rings of the image, EFF profile, slope {slope} | {value:.2f} | |"
            for slope, value in image.items()
        ),
    ]
    for k, model in enumerate(found["models"]):
        lines.append(_row(f"model {k}, image", model["r_h"]))
    for k, model in enumerate(found["models"]):
        injected = model["injected"]
        lines.append(
            f"\nModel {k}: p = {model['p_there']:.3f} at the cluster (cutout {model['p']:.3f}), "
            f"{model['elsewhere']:.3f} at most elsewhere; in domain: {model['in_domain']}. "
            f"{injected['number']} mocks like it in the same image: {injected['found']:.0%} with "
            f"p > {LEAST_P}, {injected['false']:.0%} of the places without; radius over the true "
            f"one {injected['ratio']:.2f}, scatter {injected['scatter']:.2f} dex, "
            f"{injected['within']:.0%} within the 68% interval. {verdict(model, published)}"
        )
    return "\n".join(lines)


def _row(name: str, value: list[float]) -> str:
    middle, low, high = value
    return f"| {name} | {middle:.2f} | {low:.2f}-{high:.2f} |"


def verdict(model: dict[str, Any], published: dict[str, Any]) -> str:
    """Whether the cluster is found, and its size the published stars'."""
    found = model["p_there"] > LEAST_P and model["p_there"] > model["elsewhere"]
    low = min(published["growth"][0], published["profile"][0]) / WITHIN
    high = max(published["growth"][0], published["profile"][0]) * WITHIN
    radius, least, most = model["r_h"]
    agrees = low <= radius <= high and most < TELLING * least
    return (
        f"Found: {'yes' if found else 'no'}; radius told, and within {WITHIN:g} times of the "
        f"published photometry's: {'yes' if agrees else 'no'}."
    )
