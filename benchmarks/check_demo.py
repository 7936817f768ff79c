"""Compare the demo data set with real bright supernovae of ZTF: table and sheet of light curves.

    python benchmarks/check_demo.py --data DIR --plot demo.png

``DIR`` (default ``$SKLC_DATA``) holds the folder ``ztf_bts``: light curves of the ZTF Bright
Transient Survey as ``objects.parquet`` and ``photometry.parquet``. Every number is the median over
objects brighter than 19 mag at maximum with at least 6 nights. Absolute magnitudes and colours are
corrected for the Milky Way, not for redshift; observations of one night and band are averaged.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.cosmology import FlatLambdaCDM

COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
# the demo counts IIb among SNIb/c
CLASSES = {"SNIa": "SNIa", "SNII": "SNII", "SNIIn": "SNII", "SNIIb": "SNIb/c", "SNIb/c": "SNIb/c"}
EXTINCTION = {"ztfg": 3.3, "ztfr": 2.3}  # A / E(B-V), Schlafly & Finkbeiner 2011


def load(objects: Path, photometry: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    facts, rows = pd.read_parquet(objects), pd.read_parquet(photometry)
    facts["class"] = facts["class"].map(CLASSES)
    facts = facts.dropna(subset=["class", "redshift"]).query("redshift > 0.003")
    rows = rows[rows.object_id.isin(facts.object_id)]
    return facts, rows.astype({"object_id": str, "band": str})


def _nightly(rows: pd.DataFrame) -> pd.DataFrame:
    weight = rows.flux_err**-2.0
    sums = (
        rows.assign(w=weight, flux=rows.flux * weight, time=rows.mjd * weight, night=rows.mjd // 1)
        .groupby(["object_id", "band", "night"])[["w", "flux", "time"]]
        .sum()
    )
    nights = sums[["flux", "time"]].div(sums.w, axis=0).reset_index()
    return nights.assign(mag=27.5 - 2.5 * np.log10(nights.flux))


def measure(facts: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per object: absolute magnitude, colours, declines, sampling."""
    nights = dict(list(_nightly(rows).groupby("object_id")))
    curves = dict(list(rows.groupby("object_id")))
    measured = []
    for fact in facts.to_dict("records"):
        if fact["object_id"] not in curves:
            continue
        own, curve = nights[fact["object_id"]], curves[fact["object_id"]]
        peak = 27.5 - 2.5 * np.log10(curve.flux.max())
        if peak > 19 or own.night.nunique() < 6:
            continue
        brightest = own.iloc[own.mag.argmin()]
        distmod = COSMOLOGY.distmod(fact["redshift"]).value
        m = {
            "class": fact["class"],
            "M at peak": brightest.mag - distmod - EXTINCTION[brightest.band] * fact["mwebv"],
            "redshift": fact["redshift"],
            "peak mag": peak,
            "observations": len(curve),
            "nights": own.night.nunique(),
            "duration, d": np.ptp(curve.mjd),
        }
        g, r = own[own.band == "ztfg"], own[own.band == "ztfr"]
        if len(g) > 2 and len(r) > 2:
            g = g.assign(colour=g.mag - np.interp(g.time, r.time, r.mag) - fact["mwebv"])
            distance = np.abs(g.time.to_numpy()[:, None] - r.time.to_numpy()).min(axis=1)
            g.loc[distance > 3, "colour"] = np.nan
            top = g.iloc[g.mag.argmin()]
            later = g[(g.time > top.time + 10) & (g.time < top.time + 20)]
            late_r = r[(r.time > top.time + 30) & (r.time < top.time + 50)]
            m["g-r at peak"] = top.colour
            m["g-r at +10-20 d"] = later.colour.mean()
            m["g decline to +10-20 d"] = later.mag.mean() - top.mag
            m["r decline to +30-50 d"] = late_r.mag.mean() - r.mag.min()
        measured.append(m)
    return pd.DataFrame(measured)


def table(real: pd.DataFrame, demo: pd.DataFrame) -> pd.DataFrame:
    medians = {
        f"{label} {name}": frame[frame["class"] == label].drop(columns="class").median()
        for label in ("SNIa", "SNII", "SNIb/c")
        for name, frame in (("real", real), ("demo", demo))
    }
    return pd.DataFrame(medians).round(3)


def sheet(facts: pd.DataFrame, rows: pd.DataFrame, path: Path) -> None:
    """Draw 16 light curves of each class."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(6, 8, figsize=(24, 16))
    chosen = facts.groupby("class").sample(16, random_state=1)
    for ax, fact in zip(axes.flat, chosen.itertuples(), strict=True):
        curve = rows[rows.object_id == fact.object_id]
        for band, colour in (("ztfg", "tab:green"), ("ztfr", "tab:red")):
            one = curve[curve.band == band]
            mag = 27.5 - 2.5 * np.log10(one.flux)
            error = 1.0857 * one.flux_err / one.flux
            ax.errorbar(one.mjd - curve.mjd.min(), mag, error, fmt=".", color=colour)
        ax.invert_yaxis()
        ax.set_title(f"{fact.object_id} z={fact.redshift:.3f}", fontsize=9)
    fig.tight_layout()
    fig.savefig(path, dpi=60)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the demo with real light curves.")
    default = Path(__file__).parents[1] / "sklc" / "datasets"
    parser.add_argument("--data", type=Path, default=os.environ.get("SKLC_DATA"))
    parser.add_argument("--demo", type=Path, default=default, help="folder of the demo")
    parser.add_argument("--plot", type=Path, help="PNG file to write")
    args = parser.parse_args()
    demo = load(args.demo / "demo_objects.parquet", args.demo / "demo_photometry.parquet")
    if args.plot:
        sheet(*demo, args.plot)
    if args.data is None:
        parser.error("no real light curves to compare with: pass --data DIR or set SKLC_DATA")
    folder = args.data / "ztf_bts"
    real = load(folder / "objects.parquet", folder / "photometry.parquet")
    print(table(measure(*real), measure(*demo)).to_string())
    for name, (_, rows) in (("real", real), ("demo", demo)):
        gaps = rows.sort_values("mjd").groupby(["object_id", "band"]).mjd.diff()
        quartiles = gaps.quantile([0.25, 0.5, 0.75]).round(2).tolist()
        print(f"{name}: same-band gap, quartiles {quartiles} d, mean {gaps.mean():.2f} d")


if __name__ == "__main__":
    main()
