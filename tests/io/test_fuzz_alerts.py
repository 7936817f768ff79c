"""Packets and tables with random damage are read, or refused with one documented error."""

import copy
import random
import warnings

import alert_packets as make
import numpy as np
import pandas as pd
import pytest

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.io import (
    read_alerce,
    read_antares,
    read_fink,
    read_lasair,
    read_rubin_alerts,
    read_ztf_alerts,
)

VALUES = [None, float("nan"), float("inf"), -999, -99_999.0, "x", "", 1e300, -1e308, [], {}, True,
          0, 2**63, -5, "1", "t", b"a", 99.0, "nan", "null"]  # fmt: skip

ZTF = make.ztf_packet(
    make.detection(59_003.0), [make.detection(59_001.0), make.non_detection(59_000.0)],
    [make.forced(59_001.0), make.forced(59_002.0)],
)  # fmt: skip
RUBIN = make.rubin_packet(
    make.source(61_003.0), [make.source(61_001.0)], [make.forced_source(61_002.0)]
)
SEEN = {"mjd": 59_001.0, "fid": 1, "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": 1, "rb": 0.9}
ALERCE = {
    "detections": [SEEN | {"oid": "a"}, SEEN | {"oid": "a", "mjd": 59_002.0}],
    "non_detections": [{"oid": "a", "mjd": 59_000.0, "fid": 1, "diffmaglim": 20.5}],
}
FINK = [
    {"i:objectId": "a", "i:jd": 2_459_000.5 + k, "i:fid": 1, "i:magpsf": 20.0, "i:sigmapsf": 0.1,
     "i:isdiffpos": "t", "d:tag": "valid", "d:tns": "SN Ia"}
    for k in range(3)
]  # fmt: skip
FINK_RUBIN = [
    {"r:diaObjectId": make.OBJECT, "r:midpointMjdTai": 61_000.0 + k, "r:band": "r",
     "r:psfFlux": 5.0, "r:psfFluxErr": 1.0, "f:xm_tns_redshift": 0.1}
    for k in range(3)
]  # fmt: skip
LASAIR = {
    "objectId": "a", "TNS": {"type": "SN Ia", "z": 0.1}, "objectData": {"ramean": 1.0},
    "candidates": [{"candid": 7, "jd": 2_459_000.5 + k, "fid": 1, "magpsf": 20.0, "sigmapsf": 0.1,
                    "isdiffpos": "t"} for k in range(3)],
}  # fmt: skip
ANTARES = [
    {"ant_mjd": 59_000.0 + k, "ant_survey": 1, "ant_passband": "R", "ant_mag": 20.0,
     "ant_magerr": 0.1, "ztf_isdiffpos": "t"}
    for k in range(3)
]  # fmt: skip
SOURCES = {
    "ztf": (read_ztf_alerts, [ZTF]),
    "rubin": (read_rubin_alerts, [RUBIN, make.elasticc_packet()]),
    "alerce": (read_alerce, ALERCE),
    "fink": (read_fink, FINK),
    "fink-rubin": (read_fink, FINK_RUBIN),
    "lasair": (read_lasair, [LASAIR]),
    "antares": (read_antares, ANTARES),
}


def damage(source, rng):
    """Change or remove one value, at any depth."""
    keys = list(source) if isinstance(source, dict) else range(len(source))
    key = rng.choice(keys)
    inside = source[key]
    if isinstance(inside, dict | list) and inside and (rng.random() < 0.9 or source is inside):
        damage(inside, rng)
    elif isinstance(source, dict) and rng.random() < 0.15:
        del source[key]
    elif isinstance(source, dict):
        source[key] = rng.choice(VALUES)


@pytest.mark.parametrize("name", SOURCES)
def test_damage(name):
    read, whole = SOURCES[name]
    n_read = n_refused = 0
    for seed in range(40):
        rng = random.Random(seed)
        source = copy.deepcopy(whole)
        for _ in range(rng.randint(1, 3)):
            damage(source, rng)
        options = rng.choice([{}, {"quality": "all"}, {"flux": "total"}])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", LightCurveWarning)
                curves = read(source, **options)
        except LightCurveError:
            n_refused += 1
            continue
        n_read += 1
        for values in (curves.time, curves.flux, curves.flux_err):
            assert np.isfinite(values).all()
        assert curves.flux_err.min() > 0
    assert n_read
    assert n_refused


def test_a_row_is_named():
    rows = pd.DataFrame(FINK).astype({"i:magpsf": object})
    rows.loc[1, "i:magpsf"] = "20.O"
    with pytest.raises(LightCurveError, match=r"'magpsf' holds '20\.O' in row 2"):
        read_fink(rows)
    rows = pd.DataFrame(FINK)
    rows.loc[2, "i:jd"] = np.nan
    with pytest.raises(LightCurveError, match="row 3, of object 'a', has no time"):
        read_fink(rows)
    rows = pd.DataFrame(FINK)
    rows.loc[1, "i:objectId"] = None
    with pytest.raises(LightCurveError, match=r"\(objectId\) is missing in row 2"):
        read_fink(rows)
