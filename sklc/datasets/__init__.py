"""Small data sets that ship with sklc."""

from __future__ import annotations

from importlib import resources
from typing import Literal, overload

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklc.light_curves import LightCurves

__all__ = ["load_demo"]

_DESCR = """\
Simulated supernovae of a ZTF-like bright transient survey
----------------------------------------------------------

600 supernovae in the passbands ztfg and ztfr: 300 SNIa, 180 SNII (with IIn) and 120 SNIb/c (with
Ic-BL and IIb). Every observation is a detection at 5 sigma or more, as in alert photometry; every
object is brighter than 19 mag at its brightest detection and has at least 6 detections. Fluxes
have the AB zero point 27.5; times are MJD. Metadata: survey, class, redshift (true), mwebv (Milky
Way E(B-V); the fluxes are not corrected for it).

No observed light curve is part of it. The objects are drawn from volumetric rates and synthesised
with sncosmo from SALT3-F22 (SNIa) and from the core-collapse templates of Vincenzi et al. (2019)
and SNANA, with host and Milky Way dust, at the times and depths of a simulated ZTF cadence. The
classes are more balanced than the sky. Made by benchmarks/make_demo.py; see docs/demo_data.md.
"""


@overload
def load_demo(*, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def load_demo(*, return_X_y: Literal[True]) -> tuple[LightCurves, np.ndarray]: ...
def load_demo(*, return_X_y: bool = False) -> Bunch | tuple[LightCurves, np.ndarray]:
    """Load 600 simulated supernovae of a ZTF-like survey (classification, 3 classes).

    ================   ==========================================
    Classes            SNIa (300), SNII (180), SNIb/c (120)
    Passbands          ztfg, ztfr
    Observations       detections only, 6 or more per object
    Flux               AB zero point 27.5
    Metadata           survey, class, redshift, mwebv
    ================   ==========================================

    The curves are simulated; none of them was observed. They are as hard to classify as the
    bright supernovae of the Zwicky Transient Facility that they resemble, but a result on them
    is an illustration, not a measurement: see ``docs/demo_data.md`` for how they were made, how
    they compare with real ones, and their limits.

    Parameters
    ----------
    return_X_y : bool, default=False
        If True, return ``(curves, target)`` instead of a :class:`~sklearn.utils.Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        curves : LightCurves, shape (600,)
            The light curves, shuffled, so that the classes are mixed.
        target : ndarray of str, shape (600,)
            The class of each light curve.
        target_names : ndarray of str, shape (3,)
            The sorted class names.
        frame : pandas.DataFrame, shape (n_observations, 7)
            The same photometry as a long table, one row per observation: object_id, mjd (days),
            band, flux, flux_err, zp (AB zero point of the fluxes), detected.
        DESCR : str
            A description of the data.
    (curves, target) : tuple
        If `return_X_y` is True.

    References
    ----------
    SNIa: Kenworthy et al. 2021, ApJ 923, 265 and Taylor et al. 2023, MNRAS 520, 5209 (SALT3-F22);
    Scolnic & Kessler 2016, ApJ 822, L35 (stretch). SNII and SNIb/c: Vincenzi et al. 2019, MNRAS
    489, 5802; Kessler et al. 2010, PASP 122, 1415 (templates). Dust: Cardelli, Clayton & Mathis
    1989, ApJ 345, 245 (host); Fitzpatrick 1999, PASP 111, 63 (Milky Way). Synthesis and
    passbands: sncosmo (Barbary et al.). Survey: Perley et al. 2020, ApJ 904, 35.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> curves, y = load_demo(return_X_y=True)
    >>> len(curves), len(y)
    (600, 600)
    >>> sorted(set(y.tolist()))
    ['SNII', 'SNIa', 'SNIb/c']
    >>> demo = load_demo()
    >>> bool((demo.curves.metadata["redshift"] < 0.2).all())
    True
    """
    folder = resources.files(__name__)
    with (
        resources.as_file(folder / "demo_objects.parquet") as objects,
        resources.as_file(folder / "demo_photometry.parquet") as photometry,
    ):
        curves = LightCurves.from_parquet(objects=objects, photometry=photometry)
        if not return_X_y:
            frame = pd.read_parquet(photometry)
    target = np.array(curves.metadata["class"].tolist())
    if return_X_y:
        return curves, target
    return Bunch(
        curves=curves, target=target, target_names=np.unique(target), frame=frame, DESCR=_DESCR
    )
