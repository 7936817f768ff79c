"""Small files in the layouts of services, surveys and catalogs, and the true files if present."""

import gzip
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def true_file(name):
    """The path of a true file of a public service, or a skip."""
    folder = os.environ.get("SKLC_DATA")
    if not folder:
        pytest.skip("SKLC_DATA is not set: it names the folder with true files of services")
    path = Path(folder) / "formats" / name
    if not path.is_file():
        pytest.skip(f"SKLC_DATA={folder} holds no formats/{name}")
    return path


# -- ZTF forced photometry

ZFPS_COLUMNS = re.findall(
    r"\S+",
    "index field ccdid qid filter pid infobitssci sciinpseeing scibckgnd scisigpix zpmaginpsci "
    "zpmaginpsciunc zpmaginpscirms clrcoeff clrcoeffunc ncalmatches exptime adpctdif1 adpctdif2 "
    "diffmaglim zpdiff programid jd rfid forcediffimflux forcediffimfluxunc forcediffimsnr "
    "forcediffimchisq forcediffimfluxap forcediffimfluxuncap forcediffimsnrap aperturecorr "
    "dnearestrefsrc nearestrefmag nearestrefmagunc nearestrefchi nearestrefsharp refjdstart "
    "refjdend procstatus",
)
ZFPS_ROW = dict.fromkeys(ZFPS_COLUMNS, "0.1") | {
    "field": "600", "ccdid": "5", "qid": "1", "filter": "ZTF_g", "infobitssci": "0",
    "sciinpseeing": "2.1", "scisigpix": "8.5", "zpdiff": "26.2", "jd": "2459000.75",
    "forcediffimflux": "150.0", "forcediffimfluxunc": "15.0", "forcediffimchisq": "1.0",
    "procstatus": "0",
}  # fmt: skip


def zfps(*rows, header=""):
    """A file of the service: rows are what differs from an ordinary row."""
    lines = [
        "# Requested input R.A. = 150.123 degrees",
        "# Requested input Dec. = -2.5 degrees",
        "#",
        f" {header}{', '.join(ZFPS_COLUMNS)}",
    ]
    for number, row in enumerate(rows):
        full = ZFPS_ROW | {"index": str(number), "jd": f"{2459000.75 + number}"} | row
        lines.append(" " + " ".join(str(full[name]) for name in ZFPS_COLUMNS))
    return ("\n".join(lines) + "\n").encode()


# -- ATLAS forced photometry

ATLAS_COLUMNS = re.findall(
    r"\S+", "MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig Sky Obs"
)
ATLAS_ROW = {
    "MJD": 59000.25, "m": 18.1, "dm": 0.1, "uJy": 12.0, "duJy": 20.0, "F": "o", "err": 0,
    "chi/N": 1.1, "RA": 150.1, "Dec": 2.25, "x": 5000.0, "y": 5100.0, "maj": 2.5, "min": 2.4,
    "phi": -40.0, "apfit": -0.4, "mag5sig": 19.6, "Sky": 20.1, "Obs": "02a59000o0300o",
}  # fmt: skip


def atlas(*rows, separator="  ", mark="###"):
    lines = [mark + separator.join(ATLAS_COLUMNS)]
    for number, row in enumerate(rows):
        full = ATLAS_ROW | {"MJD": 59000.25 + number} | row
        lines.append(separator.join(str(full[name]) for name in ATLAS_COLUMNS))
    return ("\n".join(lines) + "\n").encode()


# -- SNANA


def snana_text(snid="2016W", survey="FOUNDATION", rows=None, **header):
    rows = rows or ["57410.29 g 23285.7 455.3 0", "57415.25 r -12.5 63.8 4096"]
    keys = {"SNTYPE": 1, "RA": 37.66, "DECL": 42.23, "MWEBV": "0.0599 +- 0.0030",
            "REDSHIFT_HELIO": "0.0192 +- 0.0001", "REDSHIFT_FINAL": "0.0185 +- 0.0001",
            "HOSTGAL_SPECZ": -9.0, "HOSTGAL_MAG": "23.5 22.9 22.8", **header}  # fmt: skip
    return "\n".join(
        [
            "DOCUMENTATION:",
            "  PURPOSE: a test",
            "DOCUMENTATION_END:",
            f"SURVEY: {survey}",
            f"SNID: {snid}   # of the survey",
            *(f"{key}: {value}" for key, value in keys.items()),
            "# -----",
            f"NOBS: {len(rows)}",
            "NVAR: 5",
            "VARLIST: MJD BAND FLUXCAL FLUXCALERR PHOTFLAG",
            *(f"OBS: {row}" for row in rows),
            "END:",
            "",
        ]
    ).encode()


def snana_fits(folder, prefix="TEST", objects=None, compress=False, survey="LSST", **columns):
    """Write a pair of files with the rows of -777 between objects; return the HEAD file."""
    from astropy.io import fits

    objects = objects or {"1001": [10.0, -3.0], "1002": [5.0]}
    n = len(objects)
    lengths = np.array([len(flux) for flux in objects.values()])
    stop = np.cumsum(lengths + 1) - 1
    head = {
        "SNID": np.array(list(objects), "S16"), "RA": np.full(n, 10.5), "DEC": np.full(n, -9.0),
        "SNTYPE": np.full(n, 101, np.int32), "NOBS": lengths.astype(np.int32),
        "PTROBS_MIN": (stop - lengths + 1).astype(np.int32), "PTROBS_MAX": stop.astype(np.int32),
        "MWEBV": np.full(n, 0.02, np.float32), "REDSHIFT_HELIO": np.full(n, 0.3, np.float32),
        "REDSHIFT_FINAL": np.full(n, -9.0, np.float32),
        "HOSTGAL_OBJID": np.full(n, 2**60 + 1, np.int64),
        "SIM_SALT2x1": np.full(n, 0.5, np.float32),
        **columns,
    }  # fmt: skip
    flux = np.concatenate([[*values, 0.0] for values in objects.values()])
    rows = len(flux)
    end = np.zeros(rows, bool)
    end[stop] = True
    photometry = {
        "MJD": np.where(end, -777.0, 60000.0 + np.arange(rows)),
        "BAND": np.where(end, b"-", np.array([b"g", b"LSST-r"])[np.arange(rows) % 2]).astype("S20"),
        "PHOTFLAG": np.zeros(rows, np.int32),
        "FLUXCAL": flux.astype(np.float32),
        "FLUXCALERR": np.where(end, -9.0, 2.0).astype(np.float32),
    }
    suffix = ".gz" if compress else ""
    names = {kind: f"{prefix}_{kind}.FITS" for kind in ("HEAD", "PHOT")}
    primary = fits.PrimaryHDU()
    if survey:
        primary.header["SURVEY"] = survey
    primary.header["PHOTFILE"] = names["PHOT"]
    for kind, table in (("HEAD", head), ("PHOT", photometry)):
        hdu = fits.BinTableHDU.from_columns([_column(fits, *item) for item in table.items()])
        fits.HDUList([primary, hdu]).writeto(folder / (names[kind] + suffix))
    return folder / (names["HEAD"] + suffix)


def _column(fits, name, values):
    kind = {"f4": "E", "f8": "D", "i4": "J", "i8": "K"}.get(values.dtype.str[1:])
    return fits.Column(name, kind or f"{values.dtype.itemsize}A", array=values)


# -- others

SNCOSMO = b"""@id SN1
@z 0.5
@mwebv 0.03
@t0 55100.0
time band flux fluxerr zp zpsys
55070.0 sdssg 0.36 0.67 25.0 ab
55072.5 sdssr 5.20 0.68 25.0 ab
"""
PLASTICC = b"""object_id,mjd,passband,flux,flux_err,detected_bool
615,59750.4229,2,-544.810303,3.622952,1
615,59750.4306,1,-816.434326,5.55337,0
713,59825.26,0,-14.735178,5.750791,0
"""
ELASTICC = b"""diaSourceId,ccdVisitId,diaObjectId,midPointTai,filterName,psFlux,psFluxErr,nobs
1,11,9007199254740993,60300.25,Y,120.5,9.5,2
2,12,9007199254740993,60303.25,g,-80.5,7.5,2
"""
ZTF_DR = b"""oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,field
686103400034440,44,2458202.84,58202.3453,17.5,0.02,0,zg,288.0000,32.0000,0.7,0.1,686
686103400034440,45,2458203.84,58203.3453,17.4,0.02,32768,zg,288.0000,32.0000,0.7,0.1,686
686203400106720,46,2458204.84,58204.3453,16.8,0.01,0,zr,288.0001,32.0001,0.7,0.1,686
"""


def rubin_forced(**columns):
    """ForcedSourceOnDiaObject of DP1, whose ids float64 does not hold."""
    base = {
        "diaObjectId": np.array([2**60 + 1, 2**60 + 1, 2**60 + 3], np.int64),
        "visit": np.array([2024110800250, 2024110900251, 2024110900251], np.int64),
        "detector": [4, 4, 5],
        "band": ["g", "r", "i"],
        "coord_ra": [53.0, 53.0, 53.5],
        "coord_dec": [-28.0, -28.0, -27.5],
        "psfFlux": [5000.0, 5100.0, 5200.0],
        "psfFluxErr": [50.0, 51.0, 52.0],
        "psfFlux_flag": [False, False, True],
        "psfDiffFlux": [-120.0, 150.0, 180.0],
        "psfDiffFluxErr": [9.0, 9.5, 10.0],
        "psfDiffFlux_flag": [False, False, False],
        "pixelFlags_saturatedCenter": [False, True, False],
    }
    return pd.DataFrame(base | columns)


def rubin_visits():
    return pd.DataFrame(
        {"visit": [2024110900251, 2024110800250], "expMidptMJD": [60624.125, 60623.25]}
    )


def open_catalog(name="SN2006le", photometry=None, **entries):
    rows = photometry or [
        {"time": "54039.25", "u_time": "MJD", "band": "V", "magnitude": "16.0",
         "e_magnitude": "0.1", "telescope": "kait3", "source": "1,2"},
        {"time": "54041.25", "u_time": "MJD", "band": "g", "magnitude": "20.0",
         "e_magnitude": "0.2", "system": "AB", "survey": "ZTF"},
    ]  # fmt: skip
    document = {
        "schema": "https://github.com/astrocatalogs/supernovae", "name": name,
        "claimedtype": [{"value": "Ia"}, {"value": "II"}], "redshift": [{"value": "0.0174"}],
        "ra": [{"value": "05:00:41.99", "u_value": "hours"}],
        "dec": [{"value": "-62:15:19.0", "u_value": "degrees"}],
        "ebv": [{"value": "0.351"}], **entries, "photometry": rows,
    }  # fmt: skip
    return json.dumps({name: document}).encode()


def otter(name="AT2018hyz", **entries):
    document = {
        "schema_version": {"value": "0"},
        "name": {"default_name": name, "alias": [{"value": name}]},
        "coordinate": [{"ra": "10:06:50.87", "dec": "+01:41:34.1", "ra_units": "hourangle",
                        "dec_units": "deg", "coordinate_type": "equatorial"}],
        "distance": [{"value": "209.4", "distance_type": "luminosity", "unit": "Mpc"},
                     {"value": "0.0457", "distance_type": "redshift", "default": True}],
        "classification": {"value": [{"object_class": "SN", "confidence": 0.1},
                                     {"object_class": "TDE", "confidence": 1.0}]},
        "filter_alias": [{"filter_key": "g", "wave_eff": 475.0, "wave_units": "nm"},
                         {"filter_key": "V", "wave_eff": 5510.0, "wave_units": "AA"},
                         {"filter_key": "5.0GHz", "freq_eff": 5.0, "freq_units": "GHz"}],
        "photometry": [
            {"raw": ["20.0", "19.0"], "raw_err": ["0.1", "0.1"], "raw_units": ["AB", "AB"],
             "date": ["58405.5", "58408.5"], "date_format": "MJD", "filter_key": ["g", "V"],
             "obs_type": "uvoir", "upperlimit": [False, True]},
            {"raw": [0.1], "raw_err": [0.01], "raw_units": "mJy", "date": [2458410.0],
             "date_format": "jd", "filter_key": "V", "obs_type": "uvoir"},
            {"raw": [0.085], "raw_units": "mJy", "date": [58460.6], "date_format": "mjd",
             "filter_key": "5.0GHz", "obs_type": "radio", "upperlimit": True},
        ], **entries,
    }  # fmt: skip
    return json.dumps(document).encode()


#: A file of each text format, and the name that it has.
FILES = {
    "ztf-forced": (zfps({}, {"filter": "ZTF_r"}), "forcedphotometry_lc.txt"),
    "atlas-forced": (atlas({}, {"F": "c"}), "job0108.txt"),
    "snana": (snana_text(), "Foundation_2016W.dat"),
    "sncosmo": (SNCOSMO, "lc.dat"),
    "plasticc": (PLASTICC, "training_set.csv"),
    "elasticc": (ELASTICC, "diasources.csv"),
    "ztf-dr": (ZTF_DR, "ztf.csv"),
    "rubin-tables": (
        rubin_forced(expMidptMJD=[60623.25, 60624.125, 60624.125]).to_csv(index=False).encode(),
        "forced.csv",
    ),
    "open-catalog": (open_catalog(), "SN2006le.json"),
    "otter": (otter(), "AT2018hyz.json"),
}


def compressed(content):
    return gzip.compress(content)
