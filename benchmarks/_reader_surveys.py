"""Files of surveys, brokers and catalogs, in their true layouts, for the benchmark of readers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from _reader_tables import ROWS_PER_OBJECT, Maker
from astropy.io import fits
from astropy.table import Table

# -- surveys


def ztf_dr(make: Maker) -> Path:
    """Return light curves of a data release of ZTF as IRSA's CSV."""
    own = make.base(np.arange(make.n_objects) + 686103400034440, ("zg", "zr", "zi"))
    place = np.repeat(np.round(make.rng.uniform(0, 300, make.n_objects), 6), ROWS_PER_OBJECT)
    return make.csv("ztf_dr.csv", {
        "oid": own["id"], "expid": np.arange(make.n_rows) + 45000000,
        "hjd": own["mjd"] + 2400000.5, "mjd": own["mjd"], "mag": own["mag"],
        "magerr": own["mag_err"], "catflags": make.rng.choice([0, 0, 32768], make.n_rows),
        "filtercode": own["band"], "ra": place, "dec": place / 5, "chi": make.number(),
        "sharp": make.number(), "filefracday": 20180301234, "field": 686, "ccdid": 4, "qid": 1,
        "limitmag": make.number(19, 21), "magzp": make.number(25, 27), "airmass": make.number(1, 2),
    })  # fmt: skip


ZFPS = [
    "field",
    "ccdid",
    "qid",
    "filter",
    "pid",
    "infobitssci",
    "sciinpseeing",
    "scibckgnd",
    "scisigpix",
    "zpmaginpsci",
    "zpmaginpsciunc",
    "zpmaginpscirms",
    "clrcoeff",
    "clrcoeffunc",
    "ncalmatches",
    "exptime",
    "adpctdif1",
    "adpctdif2",
    "diffmaglim",
    "zpdiff",
    "programid",
    "jd",
    "rfid",
    "forcediffimflux",
    "forcediffimfluxunc",
    "forcediffimsnr",
    "forcediffimchisq",
    "forcediffimfluxap",
    "forcediffimfluxuncap",
    "forcediffimsnrap",
    "aperturecorr",
    "dnearestrefsrc",
    "nearestrefmag",
    "nearestrefmagunc",
    "nearestrefchi",
    "nearestrefsharp",
    "refjdstart",
    "refjdend",
    "procstatus",
]


def ztf_forced(make: Maker) -> Path:
    """Return one object of ZTF's forced-photometry service."""
    own = make.base(bands=("ZTF_g", "ZTF_r"))
    columns = {"index": np.arange(make.n_rows)} | {name: make.number() for name in ZFPS}
    columns |= {"field": 600, "ccdid": 5, "qid": 1, "filter": own["band"], "infobitssci": 0,
                "sciinpseeing": make.number(1, 3), "scisigpix": make.number(5, 10),
                "zpdiff": make.number(25, 27), "jd": own["mjd"] + 2400000.5,
                "forcediffimflux": own["flux"], "forcediffimfluxunc": own["err"],
                "procstatus": 0}  # fmt: skip
    head = "# Requested input R.A. = 150.1 degrees\n# Requested input Dec. = -2.5 degrees\n"
    return make.blanks("forcedphotometry.txt", columns, f"{head} {', '.join(columns)}\n")


def atlas(make: Maker) -> Path:
    """Return one object of ATLAS's forced-photometry service."""
    own = make.base(bands=("c", "o"))
    columns = {
        "MJD": own["mjd"], "m": own["mag"], "dm": own["mag_err"], "uJy": own["flux"],
        "duJy": own["err"], "F": own["band"], "err": 0, "chi/N": make.number(0.8, 2), "RA": 150.1,
        "Dec": 2.2, "x": make.number(200, 9000, 2), "y": make.number(200, 9000, 2), "maj": 2.5,
        "min": 2.4, "phi": make.number(-90, 90, 1), "apfit": -0.4, "mag5sig": make.number(19, 20),
        "Sky": make.number(19, 21), "Obs": "02a59000o0300o",
    }  # fmt: skip
    return make.blanks("atlas.txt", columns, f"###{' '.join(columns)}\n")


def plasticc(make: Maker) -> Path:
    """Return light curves of PLAsTiCC."""
    own = make.base(np.arange(make.n_objects) + 615)
    return make.csv("plasticc.csv", {
        "object_id": own["id"], "mjd": own["mjd"],
        "passband": make.rng.integers(0, 6, make.n_rows), "flux": own["flux"],
        "flux_err": own["err"], "detected_bool": make.rng.integers(0, 2, make.n_rows),
    })  # fmt: skip


def rubin_table(make: Maker) -> Path:
    """Return forced photometry of a data preview of Rubin, with its times joined."""
    own = make.base(np.arange(make.n_objects) + 611255759837069401, "ugrizy")
    flags = {name: make.rng.random(make.n_rows) < 0.01 for name in
             ("psfDiffFlux_flag", "psfFlux_flag", "invalidPsfFlag", "pixelFlags_bad",
              "pixelFlags_cr", "pixelFlags_crCenter", "pixelFlags_edge", "pixelFlags_interpolated",
              "pixelFlags_nodata", "pixelFlags_saturated", "pixelFlags_saturatedCenter",
              "pixelFlags_suspect", "diff_PixelFlags_nodataCenter")}  # fmt: skip
    return make.parquet("forced.parquet", {
        "diaObjectId": own["id"], "visit": np.arange(make.n_rows) + 2024110800250,
        "detector": make.rng.integers(0, 9, make.n_rows), "band": own["band"],
        "expMidptMJD": own["mjd"], "coord_ra": np.repeat(make.rng.uniform(50, 55, make.n_objects),
        ROWS_PER_OBJECT), "coord_dec": -28.0, "psfFlux": own["flux"], "psfFluxErr": own["err"],
        "psfDiffFlux": own["flux"], "psfDiffFluxErr": own["err"], **flags,
    })  # fmt: skip


def fink(make: Maker) -> Path:
    """Return detections of ZTF as Fink's interface gives them."""
    own = make.base([f"ZTF20aaa{k:05d}" for k in range(make.n_objects)])
    return make.parquet("fink.parquet", {
        "i:objectId": own["id"], "i:jd": own["mjd"] + 2400000.5,
        "i:fid": make.rng.integers(1, 3, make.n_rows), "i:magpsf": own["mag"],
        "i:sigmapsf": own["mag_err"], "i:isdiffpos": make.rng.choice(["t", "f"], make.n_rows),
        "i:diffmaglim": make.number(19, 21), "i:rb": make.number(0.6, 1), "i:ra": 150.1,
        "i:dec": 2.2, "i:magnr": make.number(18, 20), "i:distnr": make.number(),
        "d:tag": "valid", "d:cdsxmatch": "Unknown", "v:classification": "SN candidate",
    })  # fmt: skip


def sncosmo_text(make: Maker) -> Path:
    """Return a light curve in sncosmo's own format."""
    own = make.base(bands=("sdssg", "sdssr"))
    return make.blanks("sncosmo.dat", {
        "time": own["mjd"], "band": own["band"], "flux": own["flux"], "fluxerr": own["err"],
        "zp": 25.0, "zpsys": "ab",
    }, "@z 0.5\n@mwebv 0.03\ntime band flux fluxerr zp zpsys\n")  # fmt: skip


def snana_text(make: Maker) -> Path:
    """Return a folder of light curves of SNANA, one text file each."""
    own = make.base(bands=("g", "r", "i", "z"))
    folder = make.folder / "snana"
    folder.mkdir()
    lines = [f"OBS: {t} {b} {f} {e} 0" for t, b, f, e in
             zip(own["mjd"], own["band"], own["flux"], own["err"], strict=True)]  # fmt: skip
    for k in range(make.n_objects):
        header = f"SURVEY: DES\nSNID: {k}\nRA: 37.6\nDECL: -2.2\nMWEBV: 0.06 +- 0.003\nSNTYPE: 1\n"
        header += f"REDSHIFT_FINAL: 0.02 +- 0.0001\nNOBS: {ROWS_PER_OBJECT}\nNVAR: 5\n"
        rows = lines[k * ROWS_PER_OBJECT : (k + 1) * ROWS_PER_OBJECT]
        (folder / f"{k}.dat").write_text(
            f"{header}VARLIST: MJD BAND FLUXCAL FLUXCALERR PHOTFLAG\n"
            + "\n".join(rows)
            + "\nEND:\n"
        )
    return folder


def snana_fits(make: Maker) -> Path:
    """Return a pair of files of SNANA."""
    own, n = make.base(bands=("g", "r", "i", "z")), make.n_objects
    stop = (np.arange(n) + 1) * (ROWS_PER_OBJECT + 1) - 1
    rows = np.delete(np.arange(n * (ROWS_PER_OBJECT + 1)), stop)
    photometry = {name: np.full(n * (ROWS_PER_OBJECT + 1), -777.0) for name in
                  ("MJD", "FLUXCAL", "FLUXCALERR", "ZEROPT", "PSF_SIG1", "SKY_SIG")}  # fmt: skip
    for name, key in (("MJD", "mjd"), ("FLUXCAL", "flux"), ("FLUXCALERR", "err")):
        photometry[name][rows] = own[key]
    band = np.full(len(photometry["MJD"]), "-", dtype="U2")
    band[rows] = own["band"]
    head = {"SNID": np.arange(n).astype("S8"), "RA": make.rng.uniform(0, 90, n),
            "DEC": make.rng.uniform(-60, 0, n), "SNTYPE": np.full(n, 101),
            "MWEBV": np.full(n, 0.02),
            "REDSHIFT_FINAL": make.rng.uniform(0, 1, n), "NOBS": np.full(n, ROWS_PER_OBJECT),
            "PTROBS_MIN": stop - ROWS_PER_OBJECT + 1, "PTROBS_MAX": stop}  # fmt: skip
    primary = fits.PrimaryHDU()
    primary.header.update(SURVEY="DES", PHOTFILE="DES_PHOT.FITS")
    for kind, table in (("HEAD", head), ("PHOT", {"BAND": band, **photometry})):
        own_hdu = fits.BinTableHDU(Table({k: np.asarray(v) for k, v in table.items()}))
        fits.HDUList([primary, own_hdu]).writeto(make.folder / f"DES_{kind}.FITS")
    return make.folder / "DES_HEAD.FITS"


# -- records


def open_catalog(make: Maker) -> Path:
    """Return objects of the Open Supernova Catalog, whose numbers are text."""
    own = make.base(bands=("B", "V", "g", "r"))
    rows = [{"time": f"{t}", "band": b, "e_magnitude": f"{e}", "instrument": "KAIT3",
             "magnitude": f"{m}", "source": "1,2", "telescope": "KAIT", "u_time": "MJD"}
            for t, b, m, e in zip(own["mjd"], own["band"], own["mag"], own["mag_err"],
                                  strict=True)]  # fmt: skip
    return _json(make, "osc.json", {
        f"SN2006{k}": {"schema": "https://github.com/astrocatalogs", "name": f"SN2006{k}",
                       "claimedtype": [{"value": "Ia", "source": "1"}],
                       "redshift": [{"value": "0.0174", "source": "1"}],
                       "photometry": rows[k * ROWS_PER_OBJECT : (k + 1) * ROWS_PER_OBJECT]}
        for k in range(make.n_objects)
    })  # fmt: skip


def otter(make: Maker) -> Path:
    """Return transients of OTTER, with one block of photometry for each filter."""
    own = make.base()
    half = ROWS_PER_OBJECT // 2
    columns = {name: own[name].tolist() for name in ("mjd", "mag", "mag_err")}
    objects = []
    for k in range(make.n_objects):
        blocks = []
        for number, key in enumerate("gr"):
            chosen = slice(k * ROWS_PER_OBJECT + number * half,
                           k * ROWS_PER_OBJECT + (number + 1) * half)  # fmt: skip
            blocks.append({
                "reference": "a", "raw": columns["mag"][chosen],
                "raw_err": columns["mag_err"][chosen], "raw_units": "mag(AB)",
                "date": columns["mjd"][chosen], "date_format": "MJD", "filter_key": key,
                "obs_type": "uvoir", "upperlimit": [False] * half, "telescope": "ZTF",
            })  # fmt: skip
        objects.append({
            "name": {"default_name": f"AT2020{k}"}, "photometry": blocks,
            "coordinate": [{"ra": "150.1", "dec": "2.2", "ra_units": "deg",
                            "coordinate_type": "equatorial"}],
            "filter_alias": [{"filter_key": key, "wave_eff": wave, "wave_units": "nm"}
                             for key, wave in (("g", 475.0), ("r", 622.0))],
        })  # fmt: skip
    return _json(make, "otter.json", objects)


def lasair(make: Maker) -> Path:
    """Return objects of ZTF as Lasair gives them."""
    own = make.base()
    rows = [{"candid": k, "fid": 1, "jd": t + 2400000.5, "magpsf": m, "sigmapsf": e,
             "isdiffpos": "t", "magnr": 19.1, "sigmagnr": 0.03, "magzpsci": 26.2, "ra": 150.1,
             "dec": 2.2, "ssdistnr": -999.0}
            for k, (t, m, e) in enumerate(zip(own["mjd"].tolist(), own["mag"].tolist(),
                                              own["mag_err"].tolist(), strict=True))]  # fmt: skip
    return _json(make, "lasair.json", [
        {"objectId": f"ZTF20aaa{k:05d}", "objectData": {"ramean": 150.1, "decmean": 2.2},
         "candidates": rows[k * ROWS_PER_OBJECT : (k + 1) * ROWS_PER_OBJECT]}
        for k in range(make.n_objects)
    ])  # fmt: skip


def _json(make: Maker, name: str, content: Any) -> Path:
    path = make.folder / name
    path.write_text(json.dumps(content))
    return path


CANDIDATE = {
    **dict.fromkeys(("pid", "candid", "fid", "nid", "programid", "field", "rcid", "nbad"), "long"),
    **dict.fromkeys(
        ("jd", "diffmaglim", "xpos", "ypos", "ra", "dec", "magpsf", "sigmapsf", "chipsf", "magap",
         "sigmagap", "distnr", "magnr", "sigmagnr", "chinr", "sharpnr", "sky", "magdiff", "fwhm",
         "classtar", "mindtoedge", "seeratio", "aimage", "bimage", "elong", "rb", "magapbig",
         "ranr", "decnr", "scorr", "magzpsci", "magzpsciunc", "clrcoeff"), "double"),
    **dict.fromkeys(("isdiffpos", "pdiffimfilename", "rbversion"), "string"),
}  # fmt: skip
SOURCE = {
    **dict.fromkeys(("diaSourceId", "visit", "detector", "diaObjectId"), "long"),
    **dict.fromkeys(
        ("midpointMjdTai", "ra", "raErr", "dec", "decErr", "x", "xErr", "y", "yErr", "apFlux",
         "apFluxErr", "snr", "psfFlux", "psfFluxErr", "psfLnL", "psfChi2", "trailFlux",
         "dipoleMeanFlux", "scienceFlux", "scienceFluxErr", "templateFlux", "ixx", "iyy", "ixy",
         "extendedness", "reliability"), "double"),
    **dict.fromkeys(
        ("centroid_flag", "apFlux_flag", "psfFlux_flag", "psfFlux_flag_edge",
         "psfFlux_flag_noGoodPixels", "isDipole", "pixelFlags", "pixelFlags_bad", "pixelFlags_cr",
         "pixelFlags_crCenter", "pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_nodataCenter",
         "pixelFlags_interpolated", "pixelFlags_offimage", "pixelFlags_saturated",
         "pixelFlags_saturatedCenter", "pixelFlags_suspect", "pixelFlags_streak",
         "pixelFlags_streakCenter", "pixelFlags_injected", "isNegative"), "boolean"),
    "band": "string",
}  # fmt: skip


def _record(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    simple = ("long", "double", "string", "boolean")
    listed = [
        {"name": key, "type": ["null", kind] if kind in simple else kind}
        for key, kind in fields.items()
    ]
    return {"type": "record", "name": name, "fields": listed}


def _records(make: Maker, fields: Mapping[str, str], own: Mapping[str, Any]) -> list[dict]:
    values = {"long": [1], "double": [0.9], "string": ["t"], "boolean": [False]}
    columns = {name: own.get(name, values[kind] * make.n_rows) for name, kind in fields.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _avro(make: Maker, name: str, schema: Mapping[str, Any], packets: Sequence[dict]) -> Path:
    path = make.folder / name
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(dict(schema)), packets)
    return path


def ztf_alerts(make: Maker) -> Path:
    """Return packets of ZTF, each with a history; without images, which would cost both alike."""
    own = make.base()
    rows = _records(make, CANDIDATE, {
        "jd": (own["mjd"] + 2400000.5).tolist(), "magpsf": own["mag"].tolist(),
        "sigmapsf": own["mag_err"].tolist(), "nbad": [0] * make.n_rows,
    })  # fmt: skip
    packets = [
        {"objectId": f"ZTF20aaa{k:05d}", "candidate": some[-1], "prv_candidates": some[:-1]}
        for k in range(make.n_objects)
        for some in [rows[k * ROWS_PER_OBJECT : (k + 1) * ROWS_PER_OBJECT]]
    ]
    candidate = _record("candidate", CANDIDATE)
    schema = _record("alert", {"objectId": "string", "candidate": candidate,
                               "prv_candidates": {"type": "array",
                                                  "items": "candidate"}})  # fmt: skip
    return _avro(make, "ztf.avro", schema, packets)


def rubin_alerts(make: Maker) -> Path:
    """Return packets of Rubin, each with a history of detections; without images."""
    own = make.base(np.arange(make.n_objects) + 170028485706776685, "gri")
    rows = _records(make, SOURCE, {
        "midpointMjdTai": own["mjd"].tolist(), "psfFlux": own["flux"].tolist(),
        "psfFluxErr": own["err"].tolist(), "band": own["band"].tolist(),
        "diaObjectId": own["id"].tolist(), "visit": list(range(make.n_rows)),
    })  # fmt: skip
    packets = [
        {"diaSourceId": k, "diaSource": some[-1], "prvDiaSources": some[:-1],
         "diaObject": {"diaObjectId": int(own["id"][k * ROWS_PER_OBJECT]), "ra": 1.0, "dec": 2.0}}
        for k in range(make.n_objects)
        for some in [rows[k * ROWS_PER_OBJECT : (k + 1) * ROWS_PER_OBJECT]]
    ]  # fmt: skip
    about = _record("diaObject", {"diaObjectId": "long", "ra": "double", "dec": "double"})
    schema = _record("alert", {"diaSourceId": "long", "diaSource": _record("diaSource", SOURCE),
                               "prvDiaSources": {"type": "array", "items": "diaSource"},
                               "diaObject": about})  # fmt: skip
    return _avro(make, "rubin.avro", schema, packets)
