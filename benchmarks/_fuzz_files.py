"""Small files in the layouts of surveys and brokers, and ways to damage them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from _fuzz_inputs import NOT_NUMBERS, STRANGE, chance, frame_of, nested_of, one_of
from _fuzz_inputs import draw_objects as _draw_objects

# Columns of tables as services deliver them, and how they are written.
TABLES: dict[str, tuple[str, str]] = {
    "long table": ("csv", "object_id mjd band flux flux_err"),
    "ZTF forced": ("zfps", "sindex field ccdid qid filter pid infobitssci sciinpseeing scisigpix "
                   "zpmaginpsci diffmaglim zpdiff programid jd forcediffimflux "
                   "forcediffimfluxunc forcediffimchisq refjdend procstatus"),
    "ATLAS forced": ("atlas", "MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig "
                     "Sky Obs"),
    "ALeRCE": ("csv", "oid mjd fid magpsf sigmapsf isdiffpos magpsf_corr sigmapsf_corr corrected "
               "dubious rb drb candid"),
    "Fink ZTF": ("csv", "i:objectId i:jd i:fid i:magpsf i:sigmapsf i:isdiffpos i:diffmaglim d:tag"),
    "Fink LSST": ("json", "r:diaObjectId r:midpointMjdTai r:band r:psfFlux r:psfFluxErr"),
    "ANTARES": ("csv", "locus_id ant_mjd ant_passband ant_survey ant_mag ant_magerr ant_maglim"),
    "Rubin forced": ("parquet", "diaObjectId visit band psfFlux psfFluxErr psfDiffFlux "
                     "psfDiffFluxErr psfDiffFlux_flag expMidptMJD"),
    "Rubin sources": ("csv", "diaObjectId midpointMjdTai band psfFlux psfFluxErr psfFlux_flag"),
    "PLAsTiCC": ("csv", "object_id mjd passband flux flux_err detected_bool"),
    "ASAS-SN 1": ("csv", "HJD UT_Date Camera FWHM Limit mag mag_err flux(mJy) flux_err Filter"),
    "ASAS-SN 2": ("csv", "jd flux flux_err mag mag_err limit fwhm image_id camera quality "
                  "phot_filter asas_sn_id"),
    "AAVSO": ("csv", "JD,Magnitude,Uncertainty,HQuncertainty,Band,Observer Code,Comment Code(s),"
              "Validation Flag,Star Name"),
    "Gaia": ("csv", "source_id transit_id band time mag flux flux_error flux_over_error "
             "rejected_by_photometry rejected_by_variability"),
    "ZTF DR": ("csv", "oid expid hjd mjd mag magerr catflags filtercode ra dec"),
    "SOUSA": ("text", "Filter MJD Mag MagErr 3SigMagLim Rate RateErr"),
    "votable": ("votable", "mjd mag magerr band"),
    "ecsv": ("ecsv", "mjd flux flux_err band"),
    "FITS table": ("fits", "TIME TIMECORR SAP_FLUX SAP_FLUX_ERR PDCSAP_FLUX PDCSAP_FLUX_ERR "
                   "SAP_QUALITY"),
    "Avro table": ("avro", "object_id mjd band flux flux_err"),
}  # fmt: skip
# Labels of bands by layout; other layouts have any.
BANDS_OF = {
    "ZTF forced": ["ZTF_g", "ZTF_r", "ZTF_i"], "ATLAS forced": ["o", "c"], "ANTARES": ["g", "R"],
    "Fink LSST": list("ugrizy"), "Rubin forced": list("ugrizy"), "Rubin sources": list("ugrizy"),
    "ASAS-SN 1": ["V", "g"], "ASAS-SN 2": ["V", "g"], "AAVSO": ["V", "B", "R", "I", "Vis."],
    "Gaia": ["G", "BP", "RP"], "ZTF DR": ["zg", "zr", "zi"], "SOUSA": ["UVW1", "UVM2", "V", "B"],
    "long table": ["ztfg", "ztfr"], "Avro table": ["ztfg", "ztfr"], "ecsv": ["ztfg", "ztfr"],
    "votable": ["ztfg", "ztfr"],
}  # fmt: skip
BAND_LABELS = ["g", "r", "i", "zg", "zr", "ZTF_g", "c", "o", "V", "BP", "G", "ztfg", "UVW1", "R"]


def column(name: str, n: int, rng: np.random.Generator, bands: list[str]) -> list[Any]:
    """Draw a column that a survey could have under this name."""
    low = name.lower().split(":")[-1]
    if low in ("jd", "hjd"):
        return (2459000.5 + np.sort(rng.uniform(0, 100, n))).round(5).tolist()
    if "mjd" in low or low == "time" or low == "ant_mjd":
        return (59000 + np.sort(rng.uniform(0, 100, n))).round(5).tolist()
    if low in ("fid", "passband") and "ant" not in low:
        return rng.integers(0 if low == "passband" else 1, 4, n).tolist()
    if any(part in low for part in ("band", "filter")) or low == "f":
        return rng.choice(bands, n).tolist()
    if low in (
        "fwhm",
        "sciinpseeing",
        "scisigpix",
        "chi/n",
        "rb",
        "drb",
        "ant_survey",
        "programid",
    ):
        return np.ones(n).tolist()
    if low in ("err", "catflags", "infobitssci", "sap_quality") or "flag" in low:
        return rng.choice([0, 0, 0, 1], n).tolist()
    if any(part in low for part in ("oid", "objectid", "object_id", "sourceid", "locus", "_id")):
        return rng.choice(["ZTF18a", "ZTF18b"] if chance(rng, 0.5) else [2**60 + 1, 7], n).tolist()
    if "isdiffpos" in low:
        return rng.choice(["t", "f", "1", "0"], n).tolist()
    if any(part in low for part in ("err", "unc", "sigma", "dm", "dujy")):
        return rng.uniform(0.02, 0.3, n).round(3).tolist()
    if "mag" in low or low == "m":
        return rng.uniform(15, 21, n).round(3).tolist()
    if "flux" in low or low == "ujy":
        return rng.normal(100, 60, n).round(2).tolist()
    if low.startswith("zp"):
        return rng.uniform(25, 27, n).round(3).tolist()
    if low == "procstatus":
        return rng.choice(["0", "0", "57", "56,255"], n).tolist()
    if low in ("quality", "d:tag", "tag"):
        return rng.choice(["G", "valid"], n).tolist()
    return rng.uniform(0.5, 2.0, n).round(3).tolist()


def draw_table(
    names: list[str], rng: np.random.Generator, bands: list[str] = BAND_LABELS
) -> pd.DataFrame:
    """Draw a table, into which some strange values may have got."""
    n = int(rng.integers(0, 9)) if chance(rng, 0.1) else int(rng.integers(2, 9))
    table = pd.DataFrame({name: column(name, n, rng, bands) for name in names})
    for _ in range(int(rng.integers(0, 3)) if n and chance(rng, 0.3) else 0):
        name, row = one_of(rng, names), int(rng.integers(n))
        values = table[name].astype(object)
        values[row] = one_of(rng, [*STRANGE, *NOT_NUMBERS, None, "", "null", "-", "9" * 30, "é"])
        table[name] = values
    if chance(rng, 0.1):
        table = table.drop(columns=one_of(rng, names))
    if chance(rng, 0.1) and table.shape[1] > 1:  # two columns change places
        order = rng.permutation(table.shape[1])
        table.columns = table.columns[order]
    return table


def _text(table: pd.DataFrame, separator: str, rng: np.random.Generator) -> bytes:
    return table.to_csv(
        index=False, sep=separator, na_rep=one_of(rng, ["", "null", "nan"])
    ).encode()


def write_table(table: pd.DataFrame, how: str, rng: np.random.Generator) -> bytes:
    """Write a table as services do."""
    if how == "csv":
        return _text(table, one_of(rng, [",", ",", ",", "\t", ";", " "]), rng)
    if how == "text":
        return b"# a comment\n" + _text(table, " ", rng)
    if how == "zfps":
        header = ", ".join(table.columns)
        rows = table.to_csv(index=False, sep=" ", header=False, na_rep="null")
        return f"# Requested input R.A. = 150.1 degrees\n#\n{header}\n{rows}".encode()
    if how == "atlas":
        return b"###" + _text(table, " ", rng)
    if how == "json":
        return table.to_json(orient=one_of(rng, ["records", "columns", "split"])).encode()
    buffer = io.BytesIO()
    if how == "parquet":
        table.astype({c: str for c in table if table[c].dtype == object}).to_parquet(buffer)
    elif how == "avro":
        _write_avro(buffer, table.astype(object).where(table.notna(), None).to_dict("records"))
    else:
        from astropy.table import Table

        text = {c: str for c in table if table[c].dtype == object}
        kind = {"votable": "votable", "ecsv": "ascii.ecsv", "fits": "fits"}[how]
        target = io.StringIO() if how == "ecsv" else buffer
        Table.from_pandas(table.astype(text)).write(target, format=kind)
        return target.getvalue().encode() if how == "ecsv" else buffer.getvalue()
    return buffer.getvalue()


def _write_avro(buffer: io.BytesIO, records: list[dict[str, Any]]) -> None:
    import fastavro

    kinds = ["null", "double", "long", "string", "boolean"]
    names = list(dict.fromkeys(name for record in records for name in record))
    fields = [{"name": name, "type": kinds} for name in names]
    schema = {"type": "record", "name": "row", "fields": fields}
    fastavro.writer(buffer, schema, [{n: r.get(n) for n in names} for r in records])


# -- packets and documents


def alert(rng: np.random.Generator) -> bytes:
    """A nested packet: a history, and the measurement that made the alert."""
    import fastavro

    rubin = chance(rng, 0.5)
    names = (
        "diaSourceId visit detector midpointMjdTai band psfFlux psfFluxErr psfFlux_flag isNegative"
        if rubin else
        "candid jd fid magpsf sigmapsf isdiffpos diffmaglim rb drb programid magzpsci"
    ).split()  # fmt: skip
    rows = draw_table(names, rng)
    rows = rows.astype(object).where(rows.notna(), None).to_dict("records")
    kinds = ["null", "double", "long", "string", "boolean"]
    fields = [{"name": n, "type": kinds, "default": None} for n in names]
    row = {"type": "record", "name": "measured", "fields": fields}
    listed = ["null", {"type": "array", "items": "measured"}]
    now, history, forced = (
        ("diaSource", "prvDiaSources", "prvDiaForcedSources")
        if rubin else ("candidate", "prv_candidates", "fp_hists")
    )  # fmt: skip
    key = "diaSourceId" if rubin else "objectId"
    schema = {
        "type": "record", "name": "alert", "fields": [
            {"name": key, "type": ["long", "string"]}, {"name": now, "type": ["null", row]},
            {"name": history, "type": listed}, {"name": forced, "type": listed},
            {"name": "schemavsn", "type": "string"},
        ],
    }  # fmt: skip
    packet = {
        key: 7 if rubin else "ZTF18abc", now: rows[0] if rows else None, "schemavsn": "3.3",
        history: one_of(rng, [None, [], rows[1:]]), forced: one_of(rng, [None, rows[:2]]),
    }  # fmt: skip
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema, [packet] * int(rng.integers(1, 3)))
    return buffer.getvalue()


def supernova_catalogue(rng: np.random.Generator) -> bytes:
    """A document of the Open Supernova Catalog: values are text."""
    names = ["time", "band", "magnitude", "e_magnitude"]
    rows = draw_table(names, rng, list("BVRI")).astype(str).to_dict("records")
    for row in rows:
        row |= {"u_time": "MJD", "source": "1", "system": one_of(rng, ["AB", "Vega"])}
        if chance(rng, 0.2):
            row["upperlimit"] = True
    head = {"name": "SN1a", "claimedtype": [{"value": "Ia"}], "redshift": [{"value": "0.01"}]}
    return json.dumps({"SN1a": {**head, "photometry": rows}}).encode()


def broker_document(rng: np.random.Generator) -> bytes:
    """Objects with lists of candidates, as brokers' interfaces return them."""
    names = ["candid", "fid", "jd", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim"]
    rows = json.loads(draw_table(names, rng).to_json(orient="records"))
    objects = [{"objectId": f"ZTF{k}", "candidates": rows[k:]} for k in range(2)]
    return json.dumps(objects if chance(rng, 0.5) else objects[0]).encode()


def snana(rng: np.random.Generator) -> bytes:
    """A light curve in the text form of SNANA."""
    table = draw_table(["MJD", "FLT", "FIELD", "FLUXCAL", "FLUXCALERR", "MAG", "MAGERR"], rng)
    table["FLT"] = rng.choice(list("griz"), len(table)) if len(table) else []
    rows = "\n".join("OBS: " + " ".join(map(str, row)) for row in table.to_numpy())
    return (
        "SURVEY: DES\nSNID: 1234\nFILTERS: griz\nREDSHIFT_FINAL: 0.31 +- 0.001\nMWEBV: 0.01\n"
        f"NOBS: {len(table)}\nNVAR: {table.shape[1]}\nVARLIST: {' '.join(table)}\n{rows}\nEND:\n"
    ).encode()


def nested_parquet(rng: np.random.Generator) -> bytes:
    """A nested frame, as catalogues of HATS hold it."""
    buffer = io.BytesIO()
    nested_of(_draw_objects(rng)).to_parquet(buffer)
    return buffer.getvalue()


def plain_parquet(rng: np.random.Generator) -> bytes:
    """A long table of light curves that are hardly spoilt."""
    buffer = io.BytesIO()
    frame_of(_draw_objects(rng, spoilt=0.05)).to_parquet(buffer)
    return buffer.getvalue()


DOCUMENTS: dict[str, tuple[str, Callable[[np.random.Generator], bytes]]] = {
    "alert": (".avro", alert),
    "supernova catalogue": (".json", supernova_catalogue),
    "broker's document": (".json", broker_document),
    "SNANA": (".dat", snana),
    "nested Parquet": (".parquet", nested_parquet),
    "plain Parquet": (".parquet", plain_parquet),
}
_NEEDS = {"avro": "fastavro", "alert": "fastavro", "votable": "astropy", "ecsv": "astropy",
          "fits": "astropy"}  # fmt: skip


def draw_file(rng: np.random.Generator) -> tuple[bytes, str]:
    """Draw a file of any layout: its content and the end of its name."""
    while True:
        name = one_of(rng, [*TABLES, *DOCUMENTS])
        how, columns = TABLES.get(name, (name, ""))
        if find_spec(_NEEDS.get(how, "numpy")) is None:
            continue
        try:
            if name in DOCUMENTS:
                suffix, make = DOCUMENTS[name]
                return make(rng), suffix
            names = columns.split("," if "," in columns else None)
            bands = BAND_LABELS if chance(rng, 0.1) else BANDS_OF.get(name, BAND_LABELS)
            return write_table(draw_table(names, rng, bands), how, rng), f".{how}"
        except Exception:  # values that the format itself cannot hold
            continue


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file, or leave it as it is."""
    kind = int(rng.integers(16))
    if kind == 0:
        return content[: int(rng.integers(len(content) + 1))]
    if kind == 1 and content:  # flipped bits
        changed = bytearray(content)
        for _ in range(int(rng.integers(1, 5))):
            changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
        return bytes(changed)
    if kind == 2:
        return one_of(rng, [gzip.compress, bz2.compress])(content)
    if kind == 3:  # truncated while it was compressed
        return gzip.compress(content)[: int(rng.integers(4, 60))]
    if kind == 4:  # a line that is missing, doubled, or cut
        lines = content.split(b"\n")
        k = int(rng.integers(len(lines)))
        lines[k : k + 1] = one_of(rng, [[], [lines[k]] * 2, [lines[k][: len(lines[k]) // 2]]])
        return b"\n".join(lines)
    if kind == 5:  # a number that is another
        digit = str(int(rng.integers(10))).encode()
        return content.replace(digit, one_of(rng, [b"", b"x", b"-", b"e9", b"\x00", b"999"]), 3)
    if kind == 6:
        return one_of(rng, [b"", b"\xef\xbb\xbf" + content, content * 2, content + b"\x00" * 9,
                            content.replace(b"\n", b"\r\n"), content[::-1],
                            b"<html>404</html>", b"{", b"[]", b"{}", b"null"])  # fmt: skip
    if kind == 7:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a", content)
        return buffer.getvalue()
    return content
