"""Simulate the demo light curves that ship with sklc (``sklc.datasets.load_demo``).

Run with the folder of sncosmo's public SEDs and passbands, about half a minute on one core::

    SNCOSMO_DATA_DIR=/path/to/sncosmo_data python benchmarks/make_demo.py

It writes ``demo_objects.parquet`` and ``demo_photometry.parquet`` to ``sklc/datasets``; all random
numbers come from ``SEED``. ``benchmarks/check_demo.py`` compares them with real light curves, and
``docs/demo_data.md`` says what they are good for.

The demo resembles the alert photometry of the ZTF Bright Transient Survey (Perley et al. 2020,
ApJ 904, 35): g and r, detections only, brighter than 19 mag at maximum. Ingredients:

* SNIa: SALT3-F22 (Kenworthy et al. 2021, ApJ 923, 265; Taylor et al. 2023, MNRAS 520, 5209) with
  the stretch distribution of Scolnic & Kessler (2016, ApJ 822, L35) and a colour distribution
  with the wider red tail of nearby samples;
* SNII (with IIn) and SNIb/c (with Ic-BL and IIb): spectral time series of Vincenzi et al. (2019,
  MNRAS 489, 5802), corrected for host extinction, and of SNANA (Kessler et al. 2010, PASP 122,
  1415). Each object is a blend of two templates of one subtype with its own stretch and smooth
  scatter, so that a classifier cannot memorise the few templates;
* volumetric rates, host dust (Cardelli, Clayton & Mathis 1989, ApJ 345, 245), Milky Way dust
  (Fitzpatrick 1999, PASP 111, 63), flat LambdaCDM with H0 = 70 and Omega_m = 0.3;
* a ZTF-like cadence: seasons, weather shared by all objects, moonlight, depth by visit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sncosmo
from astropy.cosmology import FlatLambdaCDM
from scipy.interpolate import CubicSpline
from scipy.ndimage import median_filter
from scipy.stats import truncnorm

SEED = 20260
COUNTS = {"SNIa": 300, "SNII": 180, "SNIb/c": 120}  # more balanced than the sky
BANDS = ("ztfg", "ztfr")
ZERO_POINT = 27.5
COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
MAX_REDSHIFT = 0.2  # beyond what the magnitude limit admits
MAX_PEAK_MAG = 19.0
MIN_DETECTIONS = 6
SNR_DETECTION = 5.0
FIRST_NIGHT, N_NIGHTS = 58300, 1400
SEASON_DAYS = 266.0
PHASE = np.arange(-60.0, 401.0)  # rest-frame days; the grid on which templates are blended
FAINTEST = 9.0  # magnitudes below maximum at which a template counts as dark

# 5-sigma depth of a visit: median and the two half widths (1 sd) of a split normal. It is about
# 0.65 mag shallower than a visit's formal depth, as the faintest detections in alerts are.
DEPTH = {"ztfg": (20.35, 0.95, 0.45), "ztfr": (20.05, 0.90, 0.40)}
NOISE_GAMMA, NOISE_SYSTEMATIC = 0.039, 0.02


@dataclass(frozen=True)
class Subtype:
    """Templates and luminosity of one kind of core-collapse supernova.

    ``absolute_mag`` is the mean and scatter of the rest-frame r magnitude at maximum (AB), before
    dust; ``align`` says where templates are matched when two of them are blended.
    """

    fraction: float
    absolute_mag: tuple[float, float]
    templates: tuple[str, ...]
    align: str = "maximum"


def _v19(names: str) -> tuple[str, ...]:
    return tuple(f"v19-{name}-corr" for name in names.split())


def _snana(names: str) -> tuple[str, ...]:
    return tuple(f"snana-{name}" for name in names.split())


POPULATIONS: dict[str, tuple[float, list[Subtype]]] = {  # host E(B-V) scale, subtypes
    "SNII": (
        0.09,
        [
            Subtype(  # IIP and IIL
                0.96,
                (-16.7, 0.85),
                _v19("2009n 2009kr 2013fs")
                + _snana("2004hx 2005gi 2006gq 2006kn 2006jl 2006iw 2006kv 2006ns 2007nr 2007kw")
                + _snana("2007ky 2007lj 2007lb 2007ll 2007nw 2007ld 2007md 2007lz 2007lx 2007pg"),
                align="explosion",
            ),
            Subtype(0.04, (-18.0, 0.8), _v19("2006aa 2008fq 2009ip 2010al")),  # IIn
        ],
    ),
    "SNIb/c": (
        0.15,
        [
            Subtype(  # Ib
                0.36,
                (-17.0, 0.6),
                _v19("2004gv 2005bf 2007y") + _snana("2004ib 2005hm 2006jo 2007nc"),
            ),
            Subtype(  # Ic
                0.28,
                (-17.1, 0.7),
                _v19("2004fe 2013ge") + _snana("2004gq sdss004012 2006fo sdss014475 2006lc 04d1la"),
            ),
            Subtype(0.10, (-17.8, 0.8), _v19("1998bw 2009bb 2012ap")),  # Ic-BL
            Subtype(0.26, (-16.7, 0.75), _v19("2006t 2011ei")),  # IIb
        ],
    ),
}


# ---------------------------------------------------------------------------- sources
@cache
def _model(name: str) -> sncosmo.Model:
    source = sncosmo.get_source(name, version="2.0" if name.startswith("snana") else None)
    return sncosmo.Model(
        source,
        effects=[sncosmo.CCM89Dust(), sncosmo.F99Dust()],
        effect_names=["host", "mw"],
        effect_frames=["rest", "obs"],
    )


def _template_mags(name: str, z: float, host_ebv: float, mwebv: float) -> tuple[np.ndarray, ...]:
    """Rest-frame phases and AB magnitudes (n_bands, n_phases) at amplitude 1."""
    model = _model(name)
    model.set(z=z, t0=0.0, hostebv=host_ebv, mwebv=mwebv)
    phases = np.arange(np.ceil(model.source.minphase()), np.floor(model.source.maxphase()) + 1.0)
    flux = np.stack([model.bandflux(b, phases * (1 + z), zp=0.0, zpsys="ab") for b in BANDS])
    tiny = flux.max(axis=1, keepdims=True) * 10 ** (-0.4 * FAINTEST)
    mags = -2.5 * np.log10(np.maximum(flux, tiny))
    if name != "salt3":  # spikes of single spectra in some templates
        late = phases > 12
        calm = median_filter(mags, size=(1, 11), mode="nearest")
        mags = np.where(late, calm, median_filter(mags, size=(1, 3), mode="nearest"))
    return phases, mags


@cache
def _rest_frame(name: str) -> tuple[float, float, float]:
    """Magnitude and phase of the r maximum, and phase of explosion, in the rest frame."""
    phases, mags = _template_mags(name, 0.0, 0.0, 0.0)
    r = mags[1]
    # a plateau can end brighter than it began: only the first 40 days count
    first = int(np.argmax(r < r.min() + 3.0))
    peak = first + int(np.argmin(r[first : first + 40]))
    return float(r[peak]), float(phases[peak]), float(phases[first])


def _on_grid(
    phases: np.ndarray, mags: np.ndarray, zero: float, *, rise: float, plateau_end: float | None
) -> np.ndarray:
    """Magnitudes on ``PHASE`` counted from ``zero``, extended before and after the template.

    Before: the flux rises from zero as t**2 within ``rise`` days. After: the last slope goes on;
    a plateau drops at ``plateau_end`` and then fades as cobalt does (0.98 mag per 100 d).
    """
    out = np.empty((len(BANDS), PHASE.size))
    phases = phases - zero
    start, end = phases[0], phases[-1]
    for i, mag in enumerate(mags):
        slope = np.clip((mag[-1] - mag[-16]) / 15.0, 0.005, 0.03)
        tail = slope * (PHASE - end)
        if plateau_end is not None:
            depth = (2.0, 1.5)[i]
            drop = depth / (1 + np.exp(-(PHASE - plateau_end) / 4.0))
            tail = slope * (np.minimum(PHASE, plateau_end) - end) + drop
            tail += 0.0098 * np.maximum(PHASE - plateau_end, 0.0)
        fraction = np.clip((PHASE - start + rise) / rise, 1e-4, 1.0)
        out[i] = np.interp(PHASE, phases, mag)
        out[i] += np.where(end < PHASE, tail, 0.0) - 5.0 * np.log10(fraction)
    return np.minimum(out, out.min(axis=1, keepdims=True) + FAINTEST)


def _core_collapse_mags(
    rng: np.random.Generator, kind: Subtype, z: float, host_ebv: float, mwebv: float
) -> np.ndarray:
    """Magnitudes on ``PHASE`` of a blend of two templates, 0 at the undimmed r maximum."""
    pair = rng.choice(kind.templates, size=2, replace=False)
    weight = rng.beta(0.5, 0.5)
    plateau_end = rng.normal(100.0, 12.0)
    blend = np.zeros((len(BANDS), PHASE.size))
    for name, share in zip(pair, (weight, 1 - weight), strict=True):
        peak_mag, peak_phase, explosion = _rest_frame(name)
        phases, mags = _template_mags(name, z, host_ebv, mwebv)
        by_explosion = kind.align == "explosion"
        blend += share * _on_grid(
            phases,
            mags - peak_mag,
            explosion if by_explosion else peak_phase,
            rise=2.0 if by_explosion else 5.0,
            plateau_end=plateau_end if name.startswith("snana") and by_explosion else None,
        )
    return blend


def _smooth_scatter(rng: np.random.Generator, amplitude: float, offset: float) -> np.ndarray:
    """Intrinsic scatter in magnitudes, smooth in time, mostly shared by the bands."""
    knots = np.arange(PHASE[0] - 15, PHASE[-1] + 30, 15.0)
    common, own = rng.normal(size=knots.size), rng.normal(size=(len(BANDS), knots.size))
    wiggle = np.sqrt(0.6) * common + np.sqrt(0.4) * own
    smooth = CubicSpline(knots, wiggle, axis=1)(PHASE)
    return amplitude * smooth + offset * rng.normal(size=(len(BANDS), 1))


# ------------------------------------------------------------------------ populations
def _split_normal(
    rng: np.random.Generator, mode: float, lo: float, hi: float, n: int
) -> np.ndarray:
    side = np.where(rng.random(n) < lo / (lo + hi), -lo, hi)
    return mode + side * np.abs(rng.normal(size=n))


def _redshifts(rng: np.random.Generator, label: str, n: int) -> np.ndarray:
    z = np.linspace(1e-3, MAX_REDSHIFT, 2000)
    volume = COSMOLOGY.differential_comoving_volume(z).value / (1 + z)
    star_formation = (1 + z) ** 2.7 / (1 + ((1 + z) / 2.9) ** 5.6)  # Madau & Dickinson 2014
    cumulative = np.cumsum(volume * ((1 + z) ** 1.5 if label == "SNIa" else star_formation))
    return np.interp(rng.random(n), cumulative / cumulative[-1], z)


def _candidates(rng: np.random.Generator, label: str, n: int) -> pd.DataFrame:
    """Draw objects of a class, and their apparent magnitude at maximum without the K correction."""
    c = pd.DataFrame({"redshift": _redshifts(rng, label, n), "mwebv": rng.exponential(0.06, n)})
    if label == "SNIa":
        c["x1"] = _split_normal(rng, 0.973, 1.472, 0.222, n)
        c["c"] = _split_normal(rng, -0.055, 0.023, 0.150, n)
        # the zero point gives the flux-limited sample the magnitudes of real SNe Ia
        c["absolute_mag"] = -19.25 - 0.14 * c.x1 + 3.1 * c.c + rng.normal(0, 0.10, n)
        c["host_ebv"] = 0.0
    else:
        dust, kinds = POPULATIONS[label]
        c["kind"] = rng.choice(len(kinds), size=n, p=[k.fraction for k in kinds])
        mean, scatter = np.array([k.absolute_mag for k in kinds])[c.kind].T
        # cut at 2.3 sd: a flux-limited sample would be full of the tail of a Gaussian
        c["absolute_mag"] = mean + scatter * truncnorm.rvs(-2.3, 2.3, size=n, random_state=rng)
        c["host_ebv"] = rng.exponential(dust, n)
    c["distmod"] = COSMOLOGY.distmod(c.redshift.to_numpy()).value
    c["stretch"] = rng.normal(1.0, 0.1, n).clip(0.7, 1.3) if label != "SNIa" else 1.0
    c["faint"] = c.absolute_mag + c.distmod + 2.3 * (c.mwebv + c.host_ebv)
    return c


def _observed_mags(rng: np.random.Generator, label: str, c: Any) -> np.ndarray:
    """Apparent magnitudes (n_bands, n_phases) on ``PHASE``; phase 0 is maximum or explosion."""
    if label == "SNIa":
        model = _model("salt3")
        model.set(x1=c.x1, c=c.c, x0=1.0)
        zero = model.source.peakmag("bessellb", "ab")
        phases, mags = _template_mags("salt3", c.redshift, 0.0, c.mwebv)
        mags = _on_grid(phases, mags - zero, 0.0, rise=2.0, plateau_end=None)
        mags += _smooth_scatter(rng, 0.05, 0.04)
    else:
        kind = POPULATIONS[label][1][int(c.kind)]
        mags = _core_collapse_mags(rng, kind, c.redshift, c.host_ebv, c.mwebv)
        mags += _smooth_scatter(rng, 0.10, 0.08)
    return mags + c.absolute_mag + c.distmod


# --------------------------------------------------------------------- survey and noise
@cache
def _clear_nights() -> np.ndarray:
    """One weather for all objects: bad nights come in spells."""
    rng = np.random.default_rng([SEED, 100])
    clear = np.ones(N_NIGHTS, dtype=bool)
    for night in range(1, N_NIGHTS):
        clear[night] = rng.random() < (0.85 if clear[night - 1] else 0.4)
    return clear


def _visits(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, band indices and 5-sigma depths of the visits to one position of the sky."""
    cadence = rng.choice([1, 2, 3], p=[0.12, 0.3, 0.58])
    nights = np.arange(rng.integers(cadence), N_NIGHTS, cadence)
    season = (nights - rng.uniform(0, 365.25)) % 365.25 < SEASON_DAYS
    nights = nights[season & _clear_nights()[nights]]
    times, bands = [], []
    for code in range(len(BANDS)):
        for chance in (0.85, 0.4 if cadence == 1 else 0.08):  # a second visit is rare
            seen = nights[rng.random(nights.size) < chance]
            times.append(FIRST_NIGHT + seen + rng.uniform(0.15, 0.5, seen.size))
            bands.append(np.full(seen.size, code))
    time, band = np.concatenate(times), np.concatenate(bands)
    order = np.argsort(time, kind="stable")
    time, band = time[order], band[order]
    # moonlight (new moon of 2000-01-06) and transparency, which is shared by a night
    moon = np.cos(2 * np.pi * (time - 51549.76) / 29.530588)
    transparency = rng.normal(size=N_NIGHTS)[(time - FIRST_NIGHT).astype(int)]
    deviate = 0.6 * np.sqrt(2) * moon + 0.7 * transparency + 0.4 * rng.normal(size=time.size)
    deviate = deviate.clip(-2, 2)
    median, lower, upper = np.array([DEPTH[b] for b in BANDS])[band].T
    return time, band, median + deviate * np.where(deviate > 0, upper, lower)


def _photometry(
    rng: np.random.Generator, mags: np.ndarray, stretch: float, z: float
) -> pd.DataFrame | None:
    """Detections of one object, or None where it would not be in the sample."""
    time, band, depth = _visits(rng)
    start = FIRST_NIGHT + rng.uniform(0, N_NIGHTS - 200)
    phase = (time - start) / (stretch * (1 + z))
    near = (phase > PHASE[0]) & (phase < PHASE[-1])
    time, band, depth, phase = time[near], band[near], depth[near], phase[near]
    mag = np.where(band == 0, np.interp(phase, PHASE, mags[0]), np.interp(phase, PHASE, mags[1]))
    flux = 10 ** (-0.4 * (mag - ZERO_POINT))
    f5 = 10 ** (-0.4 * (depth - ZERO_POINT))
    variance = NOISE_GAMMA * f5**2 + (0.04 - NOISE_GAMMA) * flux * f5
    flux_err = np.sqrt(variance + (NOISE_SYSTEMATIC * flux) ** 2)
    measured = flux + flux_err * rng.normal(size=flux.size)
    seen = measured >= SNR_DETECTION * flux_err
    if seen.sum() < MIN_DETECTIONS or np.ptp(time[seen]) < 0.02:
        return None
    # the true flux too: noise alone does not lift an object into the sample
    peak = min(measured[seen].max(), flux[seen].max())
    if ZERO_POINT - 2.5 * np.log10(peak) > MAX_PEAK_MAG:
        return None
    return pd.DataFrame(
        {
            "mjd": time[seen].round(4),
            "band": np.array(BANDS)[band[seen]],
            "flux": measured[seen].round(1),
            "flux_err": flux_err[seen].round(1),
        }
    )


def _sample(label: str, rng: np.random.Generator) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield accepted objects of a class, without end."""
    while True:
        pool = _candidates(rng, label, 5000)
        # objects far below the limit are never synthesised; the margin covers colours
        c: Any  # a row of pool
        for c in pool[pool.faint < MAX_PEAK_MAG + 1.0].itertuples():
            curve = _photometry(rng, _observed_mags(rng, label, c), c.stretch, c.redshift)
            if curve is not None:
                facts = {"survey": "ZTF", "class": label}
                yield facts | {"redshift": round(c.redshift, 5), "mwebv": round(c.mwebv, 4)}, curve


def simulate() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the objects (one row each) and their photometry (one row per detection)."""
    sample: list[tuple[dict, pd.DataFrame]] = []
    for number, (label, wanted) in enumerate(COUNTS.items()):
        sample += islice(_sample(label, np.random.default_rng([SEED, number])), wanted)
    order = np.random.default_rng([SEED, 200]).permutation(len(sample))
    rows, curves = [], []
    for position, index in enumerate(order):
        facts, curve = sample[index]
        name = {"object_id": f"SIM{position:04d}"}
        rows.append(name | facts)
        curves.append(curve.assign(**name))
    photometry = pd.concat(curves, ignore_index=True)
    return pd.DataFrame(rows), photometry.assign(zp=ZERO_POINT, detected=True)


def write(objects: pd.DataFrame, photometry: pd.DataFrame, folder: Path) -> None:
    """Write both tables as small parquet files: short floats, dictionaries, zstd."""
    folder.mkdir(parents=True, exist_ok=True)
    short = pa.dictionary(pa.int16(), pa.string())
    schema = pa.schema(
        [
            ("object_id", short),
            ("mjd", pa.float64()),
            ("band", pa.dictionary(pa.int8(), pa.string())),
            ("flux", pa.float32()),
            ("flux_err", pa.float32()),
            ("zp", pa.float32()),
            ("detected", pa.bool_()),
        ]
    )
    photometry = photometry.astype({"object_id": "category", "band": "category"})
    tables = {
        "demo_objects": pa.Table.from_pandas(objects, preserve_index=False),
        "demo_photometry": pa.Table.from_pandas(
            photometry[schema.names], schema=schema, preserve_index=False
        ),
    }
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table.replace_schema_metadata(), path, compression="zstd")
        print(f"{path}: {table.num_rows:,} rows, {path.stat().st_size:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate the demo light curves of sklc.")
    default = Path(__file__).parents[1] / "sklc" / "datasets"
    parser.add_argument("--out", type=Path, default=default, help="folder of the parquet files")
    out = parser.parse_args().out
    objects, photometry = simulate()
    write(objects, photometry, out)
    print(objects["class"].value_counts().to_dict())


if __name__ == "__main__":
    main()
