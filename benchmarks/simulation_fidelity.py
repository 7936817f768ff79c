"""Compare simulated ZTF supernovae with real ones: peak, colours, decline.

    python benchmarks/simulation_fidelity.py --data DIR

Real: ``ztf_bts``, the ZTF Bright Transient Survey. Simulated: ZTF, thinned to alert-like data by
`AlertCadence`. Both: objects with a peak brighter than 19 mag and at least 6 nights. Every figure
is the median over objects: absolute magnitude in the brightest night of either band, corrected for
the Milky Way but not for redshift or host; g-r within 3 days of that night and 10 to 20 days after
it; and how much fainter g is 10 to 20 days after it than at its own maximum.

It also compares band fluxes of the tables with those of ``sncosmo.Model``.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _common import (
    build_parser,
    markdown_table,
    parse,
    results_path,
    use_templates,
    write_results,
)
from _sncosmo_reference import band_flux_errors

from sklc import LightCurves
from sklc.cosmology import distance_modulus
from sklc.simulate import COMMON_CLASSES, AlertCadence, Trigger, simulate

EXTINCTION = {"ztfg": 3.3, "ztfr": 2.3}  # A / E(B-V), Schlafly & Finkbeiner 2011
FAINTEST, NIGHTS = 19.0, 6
FIGURES = ("M at peak", "g-r at peak", "g-r at +10-20 d", "g decline to +10-20 d")
# What the simulation is asked to reach, in magnitudes, for the classes with many real objects.
TOLERANCE = {"M at peak": 0.15, "g decline to +10-20 d": 0.15}
COLOUR_TOLERANCE = 0.10
COMMON = ("SNIa", "SNIb/c", "SNII")
# Real class to simulated class, and the templates that the real class does not include.
ROWS = {
    "SNIa": ("SNIa", ()),
    "SNIb/c": ("SNIb/c", ("v19-2006t-corr", "v19-2011ei-corr")),  # without IIb, a class of its own
    "SNII": ("SNIIP/L", ()),  # without IIn
    "SNIIn": ("SNIIn", ()),
    "SNIIb": ("SNIIb", ()),
    "SNIa-91bg": ("SNIa-91bg", ()),
    "SNIax": ("SNIax", ()),
    "SLSN-I": ("SLSN-I", ()),
    "TDE": ("TDE", ()),
}
BAND_LIMITS = {"lsstu": 0.08, "lsstg": 0.03}


def measure(curves: LightCurves) -> pd.DataFrame:
    """Return one row per object that is bright and well sampled: figures, redshift, sampling."""
    nightly = curves.detections(5).nightly()
    metadata = curves.metadata
    rows = []
    for k in np.flatnonzero(nightly.lengths):
        curve = nightly[int(k)]
        mag = 27.5 - 2.5 * np.log10(curve.flux)
        nights = len(np.unique(np.floor(curve.time)))
        if mag.min() > FAINTEST or nights < NIGHTS:
            continue
        facts = metadata.iloc[k]
        mwebv = 0.0 if pd.isna(facts["mwebv"]) else facts["mwebv"]
        top = int(np.argmin(mag))
        modulus = float(distance_modulus(np.array([facts["redshift"]]))[0])
        row = {
            "M at peak": mag[top] - modulus - EXTINCTION[curve.band_names[top]] * mwebv,
            "redshift": facts["redshift"],
            "nights": nights,
        }
        g, r = curve.band_names == "ztfg", curve.band_names == "ztfr"
        if g.sum() > 1 and r.sum() > 1:
            days = curve.time[g] - curve.time[top]
            colour = mag[g] - np.interp(curve.time[g], curve.time[r], mag[r]) - mwebv
            far = np.abs(curve.time[g][:, None] - curve.time[r]).min(axis=1) > 3
            colour[far] = np.nan
            later = (days > 10) & (days < 20)
            row["g-r at peak"] = _mean(colour[np.abs(days) <= 3])
            row["g-r at +10-20 d"] = _mean(colour[later])
            row["g decline to +10-20 d"] = _mean(mag[g][later]) - mag[g].min()
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


def compare(real: pd.DataFrame, made: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the medians of real and simulated objects, and the error of the real median."""
    out = {}
    for name in FIGURES:
        values = real[name].dropna()
        error = 1.2533 * values.std() / np.sqrt(max(len(values), 1))
        out[name] = {
            "real": round(float(values.median()), 3),
            "simulated": round(float(made[name].median()), 3),
            "difference": round(float(made[name].median() - values.median()), 3),
            "error of real": round(float(error), 3),
        }
    return out


def markdown(figures: dict[str, dict]) -> str:
    """Return the medians as a table of docs/results.md, in magnitudes."""
    rows = [
        [
            label,
            f"{row['n real']:,} / {row['n simulated']:,}",
            *(f"{row[name]['real']:.2f} / {row[name]['simulated']:.2f}" for name in FIGURES),
        ]
        for label, row in figures.items()
    ]
    return markdown_table(["real / simulated", "objects", *FIGURES], rows)


def draw(measured: dict[str, tuple[pd.DataFrame, pd.DataFrame]], path) -> None:
    """Draw the distributions of the common classes, real and simulated."""
    figure, axes = plt.subplots(len(COMMON), len(FIGURES), figsize=(12, 7), layout="constrained")
    for line, label in zip(axes, COMMON, strict=True):
        real, made = measured[label]
        for ax, name in zip(line, FIGURES, strict=True):
            low, high = np.nanpercentile(np.concatenate([real[name], made[name]]), [1, 99])
            bins = np.linspace(low, high, 30)
            ax.hist(made[name], bins, density=True, color="tab:blue", alpha=0.5, label="simulated")
            ax.hist(real[name], bins, density=True, histtype="step", color="black", label="real")
            ax.axvline(made[name].median(), color="tab:blue", lw=1)
            ax.axvline(real[name].median(), color="black", lw=1)
            ax.set_yticks([])
            if label == COMMON[-1]:
                ax.set_xlabel(name + " (mag)")
            if name == FIGURES[0]:
                ax.set_ylabel(f"{label}\n{len(real)} real")
    axes[0, 0].legend(frameon=False)
    figure.suptitle("Bright ZTF supernovae, real and simulated; lines are medians")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict:
    options = parse(build_parser(__doc__, seeds=1), arguments, "ztf_bts")
    use_templates(options)
    real = LightCurves.from_parquet(options.data / "ztf_bts")
    labels = real.metadata["class"].to_numpy()
    n = 150 if options.quick else 3000
    trigger = Trigger(n_det=NIGHTS, bright_limit=FAINTEST)
    figures, measured = {}, {}
    for label, (name, left_out) in ROWS.items():
        made = simulate(n, "ztf", name, trigger=trigger, random_state=0, n_jobs=options.n_jobs)
        made = made[~made.metadata["template"].isin(left_out).to_numpy()]
        made = AlertCadence(random_state=0).transform(made)
        measured[label] = measure(real[labels == label]), measure(made)
        figures[label] = {"n real": len(measured[label][0]), "n simulated": len(measured[label][1])}
        figures[label] |= compare(*measured[label])
        print(f"{label:10s} {len(measured[label][0]):5d} real", end="")
        for name_ in FIGURES:
            pair = figures[label][name_]
            print(f"   {name_}: {pair['real']:.2f} -> {pair['simulated']:.2f}", end="")
        print()
    missed = [
        f"{label}: {name} differs by {figures[label][name]['difference']:.2f}"
        for label in COMMON
        for name in FIGURES
        if abs(figures[label][name]["difference"]) > TOLERANCE.get(name, COLOUR_TOLERANCE)
    ]
    errors = {}
    for survey in ("ztf", "lsst"):
        for name in COMMON_CLASSES[:-1]:
            got = band_flux_errors(survey, name, 10 if options.quick else 100, seed=0)
            errors[f"{survey} {name}"] = got
            for band, error in got.items():
                if error["rms"] > BAND_LIMITS.get(band, 0.01):
                    missed.append(f"{survey} {name}: {band} rms {error['rms']:.3f} mag")
            text = ", ".join(f"{band} {error['rms']:.4f}" for band, error in got.items())
            print(f"rms against sncosmo.Model, {survey} {name}: {text}")
    draw(measured, results_path(options, "simulation_fidelity", ".png"))
    worst = max(abs(figures[label][name]["difference"]) for label in COMMON for name in FIGURES)
    summary = (
        f"simulation_fidelity: largest difference of a median of {', '.join(COMMON)} "
        f"{worst:.2f} mag; missed: {'; '.join(missed) or 'nothing'}"
    )
    write_results(
        options,
        "simulation_fidelity",
        {
            "summary": summary,
            "markdown": markdown(figures),
            "figures": figures,
            "band_flux_errors": errors,
            "missed": missed,
        },
    )
    print(summary)
    return figures


if __name__ == "__main__":
    main()
