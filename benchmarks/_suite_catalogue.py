"""The data sets of the suite: where they come from, and what misleads whoever uses them."""

from __future__ import annotations

import warnings
from argparse import Namespace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from _star_protocol import load_stars
from _suite_sets import QUICK_OBJECTS, DataSet
from _suite_surveys import simulated_survey
from anomalies_real import NORMAL
from any_survey import MERGED
from contaminants import CONTAMINANTS
from redshift_real import Z_MAX, deep_supernovae
from snpcc import CLASSES as CHALLENGE_CLASSES
from snpcc import N_OBJECTS, load_challenge
from snpcc import SIMULATED as CHALLENGE_OWN

from sklc import LightCurves
from sklc.datasets import load_demo
from sklc.errors import LightCurveWarning
from sklc.simulate import TWELVE_CLASSES

# Folders of the shared data sets.
FOLDERS = (
    "ztf_bts", "osc_mixed", "atlas_zfp_dev", "snia_multi", "ps1_mds_osc", "slsn_gomez24", "manytde",
    "ztf_alerts_fink", "mantra_crts", "crts_sss", "asas_acvs", "debosscher", "kepler_tda_small",
    "snpcc", "elasticc2_tom", "ztf_lsst_sim",
)  # fmt: skip
SIMULATION_SEED = 515_000  # far from the seeds of the training sets of the weights
N_PER_CLASS, QUICK_PER_CLASS = 120, 25
STAR_POINTS = 256

TWELVE = {source.name: (source.name,) for source in TWELVE_CLASSES}
EIGHT = {
    name: MERGED.get(name, (name,)) if name == "SNIb/c" else (name,)
    for name in ("SNIa", "SNIa-91bg", "SNIax", "SNIb/c", "SNII", "SLSN-I", "TDE", "AGN")
}
COMMON = {
    "SNIa": ("SNIa",),
    "SNII": ("SNII", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL"),
}
SIMULATED_KINDS = {
    "supernova": tuple(n for n in {**TWELVE, **EIGHT} if n.startswith(("SN", "SLSN"))),
    "other": ("TDE", "AGN"),
}


# -- loading


def stored(name: str, options: Namespace, **reading: Any) -> LightCurves:
    """Load a folder of the data sets that the benchmarks share."""
    _needs(options, name)
    with warnings.catch_warnings():  # what is dropped is among the traps
        warnings.simplefilter("ignore", LightCurveWarning)
        return LightCurves.from_parquet(
            options.data / name, invalid="drop", duplicates="drop", **reading
        )


def challenge(options: Namespace) -> LightCurves:
    _needs(options, "snpcc")
    return load_challenge(options.data, QUICK_OBJECTS if options.quick else N_OBJECTS)[0]


def deep(options: Namespace) -> LightCurves:
    _needs(options, "snia_multi", "ps1_mds_osc")
    return deep_supernovae(options.data)


def catalina(options: Namespace) -> LightCurves:
    _needs(options, "crts_sss")
    return load_stars(options.data)[0]


def stars(name: str, band: str | None, options: Namespace, **reading: Any) -> LightCurves:
    curves = stored(name, options, **reading)
    if band is not None:
        (code,) = [k for k, known in enumerate(curves.passbands) if known.name == band]
        first = curves.band[curves.offsets[:-1]]
        curves = curves[first == code]
    return curves.truncate(points=STAR_POINTS)


def older_simulation(options: Namespace) -> LightCurves:
    """Draw 4,000 of the 32,000 light curves, the same ones at every call."""
    curves = stored("ztf_lsst_sim", options)
    return curves[np.sort(np.random.default_rng(0).permutation(len(curves))[:4000])]


def simulated(survey: str, options: Namespace, window: Any = (-30.0, 60.0)) -> LightCurves:
    number = QUICK_PER_CLASS if options.quick else N_PER_CLASS
    return simulated_survey(survey, number, window, SIMULATION_SEED, options)


def demo(options: Namespace) -> LightCurves:
    curves, y = load_demo(return_X_y=True)
    return curves.with_metadata(curves.metadata.assign(**{"class": y}))


def _needs(options: Namespace, *names: str) -> None:
    for name in names:
        if not (options.data / name / "objects.parquet").is_file():
            raise FileNotFoundError(f"there is no {name} here: pass --data DIR or set SKLC_DATA")


# -- the sets

OURS = "`sklc.simulate`, free to use; needs sncosmo and its templates"
SIMULATION_TRAPS = (
    "The weights were trained on other draws of the same simulation, so this measures noise, "
    "cadence and passbands, and not how true the simulated spectra are. Equal numbers of each "
    "class."
)
LONGJP = "longjp/lightcurves (Richards et al. 2011, Debosscher et al. 2007); no licence is stated"
STAR_TRAPS = (
    f"One band, the first {STAR_POINTS} observations of a star. Labels were partly found with "
    "periods, which no method here computes."
)


def _simulated(name: str, title: str, traps: str, **options: Any) -> DataSet:
    return DataSet(
        name,
        title,
        "simulated",
        OURS,
        f"{SIMULATION_TRAPS} {traps}".strip(),
        partial(simulated, name.removeprefix("simulated-"), **options),
        classes=TWELVE,
        own=TWELVE,
        normal=COMMON,
        contaminants=SIMULATED_KINDS,
    )


SETS = (
    DataSet(
        "ztf_bts",
        "ZTF Bright Transient Survey, g r alert photometry",
        "real",
        "ANTARES light curves of HSE-LAMBDA/light_curve_approx (MIT), labels of the survey; cite "
        "Fremling et al. 2020 and Perley et al. 2020",
        "Detections only: no baseline and no negative flux. Objects of 2021 end early. Magnitude "
        "errors are about twice those of other reductions. Rare classes are tiny (8 TDE, 12 "
        "Ia-91bg).",
        partial(stored, "ztf_bts"),
        tasks=("classes", "redshift", "anomalies", "early"),
        classes=MERGED,
        own=MERGED,
        normal=NORMAL,
    ),
    DataSet(
        "osc_mixed",
        "nearby supernovae of many telescopes, 22 bands, 2010 to 2014",
        "real",
        "Open Supernova Catalog (astrocatalogs), each with its own reference",
        "The photometric system is assumed from the letter of the band. Observations at the same "
        "time in the same band occur; one of each is kept.",
        partial(stored, "osc_mixed"),
        tasks=("classes", "redshift", "anomalies", "early"),
        classes=MERGED,
        own=MERGED,
        normal=NORMAL,
    ),
    DataSet(
        "atlas_zfp_dev",
        "forced photometry with baseline of transients, ATLAS c o and ZTF g r i",
        "real",
        "crpellegrino/nasa-adap; no licence is stated",
        "Many of the objects are in `ztf_bts` and other sets, too: never test here what was "
        "trained on those. Few objects, so that differences below .02 mean little.",
        partial(stored, "atlas_zfp_dev"),
        tasks=("classes", "redshift", "anomalies", "early"),
        classes=MERGED,
        own=MERGED,
        normal=NORMAL,
    ),
    DataSet(
        "deep",
        "SNe Ia of PS1, DES, SNLS, Foundation and CSP, 22 bands (`snia_multi`, `ps1_mds_osc`)",
        "real",
        "Pantheon+ and companions (no licence is stated); Open Supernova Catalog, Jones et al. "
        "2018",
        "Most of the PS1 objects are photometric SNe Ia without a spectrum of the supernova. CSP "
        "is in its natural system. Redshifts follow the survey, so that a model can learn the "
        "survey instead.",
        deep,
        tasks=("redshift",),
        strata="survey",
        z_max=Z_MAX,
    ),
    DataSet(
        "slsn_gomez24",
        "superluminous supernovae of many telescopes",
        "real",
        "gmzsebastian/SLSNe (MIT); cite Gomez et al. 2024",
        "238 objects: draws differ much. Repeated observations are dropped. Many bands are not in "
        "the table of passbands and take wavelengths by their letter.",
        partial(stored, "slsn_gomez24"),
        tasks=("redshift",),
        z_max=2.0,
    ),
    DataSet(
        "manytde",
        "tidal disruption events, ZTF, ultraviolet and WISE, over years",
        "real",
        "sjoertvv/manyTDE; no licence is stated",
        "95 objects. Infrared bands lie outside of what the weights were trained on.",
        partial(stored, "manytde"),
        tasks=("redshift",),
    ),
    DataSet(
        "ztf_alerts_fink",
        "ZTF alert histories with upper limits: stars, AGN, galaxies, asteroids, supernovae",
        "real",
        "astrolabsoftware/fink-science (Apache-2.0); cite Moller et al. 2021",
        "Labels are cross-matches with catalogues, not spectra. Twenty supernovae. Upper limits "
        "stand for a flux of 0, and repeated observations are dropped. Some objects are bogus.",
        partial(stored, "ztf_alerts_fink"),
        tasks=("contaminants",),
        contaminants={"supernova": ("SN",), "other": CONTAMINANTS},
        min_points=1,
    ),
    DataSet(
        "mantra_crts",
        "cataclysmic variables, flares, blazars, AGN and supernovae of Catalina",
        "real",
        "JesusPetro/mantra; cite Neira et al. 2020; no licence is stated",
        "Total light: the host is in the flux, and there is no reference image. One band.",
        partial(stored, "mantra_crts"),
        tasks=("classes", "contaminants"),
        classes={name: (name,) for name in ("CV", "Flare", "Blazar", "AGN", "SN")},
        contaminants={"supernova": ("SN",), "other": ("CV", "Flare", "Blazar", "AGN", "HPM")},
    ),
    DataSet(
        "crts_sss",
        "variable stars of the Catalina southern survey, one band, seven common classes",
        "real",
        "aibsen/Light-Curve-Classification, labels of Drake et al. 2017; no licence is stated",
        "One band, the first 64 observations. Labels were partly found with periods.",
        catalina,
        tasks=("classes",),
    ),
    DataSet(
        "asas_acvs",
        "variable stars of ASAS, V band",
        "real",
        LONGJP,
        STAR_TRAPS,
        partial(stars, "asas_acvs", None),
        tasks=("classes",),
    ),
    *(
        DataSet(
            f"debosscher-{name}",
            f"variable stars of {title}",
            "real",
            LONGJP,
            f"{STAR_TRAPS} In the whole set each class is of one survey only, so that the band "
            "gives it away: this is one survey alone.",
            partial(stars, "debosscher", band),
            tasks=("classes",),
        )
        for name, title, band in (
            ("hipparcos", "Hipparcos, Hp band", "hipHp"),
            ("ogle", "OGLE, I band", "ogleI"),
        )
    ),
    DataSet(
        "kepler_tda_small",
        "variable stars of Kepler: a demonstration",
        "real",
        "d-giles/KeplerML and tasoc/starclass; Kepler data are public",
        f"115 labelled stars: no benchmark. The first {STAR_POINTS} half-hourly observations; "
        "uncalibrated flux.",
        partial(stars, "kepler_tda_small", None, zero_point=25.0),
        tasks=("classes",),
    ),
    DataSet(
        "snpcc",
        "Supernova Photometric Classification Challenge, DES g r i z",
        "simulated by others",
        "TransiXplore/2010SNPCC (MIT); cite Kessler et al. 2010",
        "Light curves of 2010 templates, which are fainter and less varied than those of today. "
        "True redshifts. At least 6 observations above 3 sigma, as in `snpcc.py`.",
        challenge,
        tasks=("classes", "redshift", "early"),
        classes=CHALLENGE_CLASSES,
        own=CHALLENGE_OWN,
    ),
    DataSet(
        "elasticc2_tom",
        "ELAsTiCC 2: SNe Ib, kilonovae and M-dwarf flares of LSST",
        "simulated by others",
        "LSSTDESC/tom_desc (BSD-3-Clause); cite the ELAsTiCC team",
        "Three classes only, 272 of 346 objects in one of them.",
        partial(stored, "elasticc2_tom"),
        tasks=("classes", "redshift", "contaminants"),
        contaminants={"supernova": ("SNIb-Templates",), "other": ("KN_K17", "Mdwarf-flare")},
    ),
    DataSet(
        "ztf_lsst_sim",
        "an older and independent simulation of ZTF and LSST, eight classes, 4,000 drawn",
        "simulated by others",
        "made for this project with another program; free to use",
        "Simpler than `sklc.simulate`: one set of templates per class. Both surveys are mixed.",
        older_simulation,
        classes=EIGHT,
        own=EIGHT,
        normal=COMMON,
        contaminants=SIMULATED_KINDS,
    ),
    _simulated(
        "simulated-lsst",
        "LSST over ten years, forced photometry without any cut, twelve classes",
        "Most observations are noise.",
        window=None,
    ),
    _simulated("simulated-ps1", "PS1 medium deep survey, g r i z y, twelve classes", ""),
    _simulated("simulated-des", "DES supernova survey, g r i z, twelve classes", ""),
    _simulated(
        "simulated-atlas",
        "ATLAS c o, twelve classes",
        "Passbands are trapezoids of the published widths.",
    ),
    _simulated(
        "simulated-uvot",
        "Swift UVOT, six bands from .19 to .6 µm, twelve classes",
        "Real observations are triggered by others' discoveries; these are not.",
    ),
)
DEMO = DataSet(
    "demo",
    "light curves that come with the package, for a try-out",
    "simulated",
    OURS,
    "Small and easy: no benchmark.",
    demo,
    tasks=("classes", "redshift", "early"),
    classes=MERGED,
    own=MERGED,
)


def known_sets() -> dict[str, DataSet]:
    """Return the sets by name."""
    return {data_set.name: data_set for data_set in (*SETS, DEMO)}


def describe_sets() -> pd.DataFrame:
    """Return a table of the sets, for ``--list``."""
    rows = [(s.name, s.origin, ", ".join(s.tasks), s.title) for s in known_sets().values()]
    return pd.DataFrame(rows, columns=["set", "origin", "tasks", "what"])
